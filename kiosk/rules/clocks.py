"""What time it truly is, judged from the last time this device's clocks and the hub's stood side by side."""

from datetime import datetime, timedelta

from sync.engine import ClockSample
from sync.messages import Moment


def true_time(sample: ClockSample | None, moment: Moment) -> datetime | None:
    """The moment in the hub's time. None: the device was started since they were compared, or they never were.

    The device's own date has no say: setting it changes nothing here.
    """
    if sample is None or sample.moment.boot != moment.boot:
        return None
    return sample.hub_time + timedelta(milliseconds=moment.since_boot_ms - sample.moment.since_boot_ms)


def ahead(sample: ClockSample | None, moment: Moment) -> timedelta | None:
    """How far this device's date is ahead of the hub's; negative: behind. None: nobody knows."""
    true = true_time(sample, moment)
    return None if true is None else moment.wall - true
