"""When something really happened, worked out from what a kiosk's clocks said. Pure.

A kiosk's wall clock may be years off. What can be trusted is how much time passed since, counted by the same run of
its kernel: the moment of the exchange at the hub less that much time.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from sync.messages import Moment

Quality = Literal["good", "untrusted"]


def worked_out(at: Moment, exchange: Moment, received_at: datetime) -> tuple[datetime, Quality]:
    """The moment of `at` in the hub's time, and how far it can be trusted.

    `good`: the exchange that brought it fell into the same run of the kiosk, so it is right but for the time the push
    took to arrive. `untrusted`: there is nothing better than the kiosk's own clock, or
    than the moment of the exchange. The quality never decides whether
    a fact is accepted.
    """
    elapsed_ms = exchange.since_boot_ms - at.since_boot_ms
    try:
        if at.boot and at.boot == exchange.boot and elapsed_ms >= 0:
            return received_at - timedelta(milliseconds=elapsed_ms), "good"
        return at.wall.astimezone(UTC), "untrusted"
    except OverflowError:
        # Before the year 1 or after 9999: no clock of ours, and nothing a database could keep.
        return received_at, "untrusted"
