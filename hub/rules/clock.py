"""When something really happened, worked out from what a kiosk's clocks said. Pure.

A kiosk's wall clock may be years off. What can be trusted is how much time passed, counted by one run of its kernel:
the hub's time at any exchange in that run, less or more that much. For a run in which no exchange took place, what is
left is the order of the facts: each happened after the one before it, and before the hub heard of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sync.messages import Moment

Quality = Literal["good", "bounded", "untrusted"]


@dataclass(frozen=True, slots=True)
class Sample:
    """The hub's time when so much time had passed in one run of a kiosk's kernel."""

    since_boot_ms: int
    hub_time: datetime


Samples = Mapping[str, Sample]
"""By the name of the run."""


def worked_out(
    moments: Sequence[Moment], samples: Samples, since: datetime | None, received_at: datetime
) -> list[tuple[datetime, Quality]]:
    """The moments of consecutive facts in the hub's time, and how far each can be trusted.

    `good`: there was an exchange in that run, so it is right but for the time an exchange takes. `bounded`: it lies
    between what is known of the facts around it (`since`: of the one before the first); where in between, the kiosk's
    own clock says. `untrusted`: there is nothing better than that clock, except that nothing happens after it was
    heard of. The quality never decides whether a fact is accepted.
    """
    known = [_by_sample(each, samples, received_at) for each in moments]
    upper = received_at
    uppers = []
    for each in reversed(known):
        uppers.append(upper)
        upper = upper if each is None else min(upper, each)
    out: list[tuple[datetime, Quality]] = []
    for moment, sure, latest in zip(moments, known, reversed(uppers), strict=True):
        if sure is not None:
            out.append((sure, "good"))
            since = sure
        elif since is not None:
            out.append((max(min(since, latest), min(_wall(moment, latest), latest)), "bounded"))
        else:
            out.append((min(_wall(moment, latest), latest), "untrusted"))
    return out


def _by_sample(at: Moment, samples: Samples, received_at: datetime) -> datetime | None:
    sample = samples.get(at.boot) if at.boot else None
    if sample is None:
        return None
    try:
        moment = sample.hub_time + timedelta(milliseconds=at.since_boot_ms - sample.since_boot_ms)
    except OverflowError:
        return None
    # A run that counts beyond the present is not the one it is named after.
    return moment if moment <= received_at else None


def _wall(moment: Moment, latest: datetime) -> datetime:
    try:
        return moment.wall.astimezone(UTC)
    except OverflowError:
        # Before the year 1 or after 9999: no clock of ours, and nothing a database could keep.
        return latest
