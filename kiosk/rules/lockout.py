"""How long the desk PIN is not even tried after wrong ones. Pure."""

from sync.messages import Moment

WAITS_S = (10, 30, 120, 300, 900)
"""Seconds after the first wrong PIN, the second, …; the last of them after every further one."""


def wait_ms(wrong: int) -> int:
    """Milliseconds to wait after so many wrong PINs in a row."""
    return 1000 * WAITS_S[min(wrong, len(WAITS_S)) - 1] if wrong > 0 else 0


def left_ms(wrong: int, last: Moment, now: Moment) -> int:
    """Milliseconds of the wait that are still to come, the latest of `wrong` PINs having been tried at `last`.

    The device's date has no say. Started anew since, it cannot tell how long ago that was: the whole wait is to come.
    """
    passed = max(0, now.since_boot_ms - last.since_boot_ms) if last.boot == now.boot else 0
    return max(0, wait_ms(wrong) - passed)
