"""When to try again. Pure: the caller brings the random number and does the waiting."""

STEADY_S = 5.0
"""Seconds between two exchanges while all is well; also how often the hub hears from an idle kiosk."""

FIRST_S = 1.0
CAP_S = 60.0
"""No wait is ever longer than this many seconds."""


def delay(failures: int, chance: float, retry_after: float | None = None) -> float:
    """Seconds to wait after `failures` failed exchanges in a row (0: the last one went well).

    Full jitter: `chance` in [0, 1) picks a moment below an exponentially growing bound, so that two hundred
    kiosks that lost the network together do not come back together. A hub's own `retry_after` (seconds) is
    the least we wait. Never more than `CAP_S`.
    """
    if failures <= 0:
        return STEADY_S
    bound = min(CAP_S, FIRST_S * 2.0 ** min(failures, 10))
    return min(CAP_S, max(retry_after or 0.0, bound * chance))
