"""When something really happened, worked out from what a kiosk's clocks said. Pure.

A kiosk's wall clock may be years off. What can be trusted is how much time passed since, counted by the same run of
its kernel: the moment of the exchange at the hub less that much time.
"""

from datetime import datetime, timedelta
from typing import Literal

from sync.messages import Moment

Quality = Literal["good", "untrusted"]


def worked_out(at: Moment, exchange: Moment, received_at: datetime) -> tuple[datetime, Quality]:
    """The moment of `at` in the hub's time, and how far it can be trusted.

    `good`: the exchange that brought it fell into the same run of the kiosk, so it is right but for the time the push
    took to arrive. `untrusted`: there is nothing better than the kiosk's own clock. The quality never decides whether
    a fact is accepted.
    """
    elapsed_ms = exchange.since_boot_ms - at.since_boot_ms
    if not at.boot or at.boot != exchange.boot or elapsed_ms < 0:
        return at.wall, "untrusted"
    try:
        return received_at - timedelta(milliseconds=elapsed_ms), "good"
    except OverflowError:
        return at.wall, "untrusted"
