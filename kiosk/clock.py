"""The device's clocks. Read in views, the command line and the postman, and nowhere else."""

import time
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from uuid import uuid4

from sync.messages import Moment

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Counts through a suspend as well, where the system has it.
_SINCE_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> Moment:
    """This moment as this device sees it."""
    wall = datetime.now(UTC)
    return Moment(
        wall=wall.replace(microsecond=wall.microsecond // 1000 * 1000),
        boot=boot(),
        since_boot_ms=time.clock_gettime_ns(_SINCE_BOOT) // 1_000_000,
    )


def local(moment: datetime, zone: tzinfo | None) -> datetime:
    """The moment in that zone; None: the device's own. What a calendar there cannot hold stays as it is."""
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return moment


@cache
def boot() -> str:
    """Names this run of the kernel; where it has no name, this run of the program."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return str(uuid4())
