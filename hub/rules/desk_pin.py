"""Which desk PINs are worth having. Pure."""

SHORTEST, LONGEST = 6, 64
FEWEST_DIFFERENT = 3
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "azertyuiop")


def weakness(pin: str) -> str | None:
    """Why this is no PIN to keep a directory with, for people; None when nothing is wrong with it."""
    if not SHORTEST <= len(pin) <= LONGEST:
        return f"it has {len(pin)} characters, and {SHORTEST} to {LONGEST} are wanted"
    if not (pin.isascii() and pin.isprintable()) or pin != pin.strip():
        return "every keyboard must be able to type it: plain letters, digits and signs, no blank at either end"
    if len(set(pin.casefold())) < FEWEST_DIFFERENT:
        return f"it has fewer than {FEWEST_DIFFERENT} different characters"
    if any(pin.casefold() in run or pin.casefold() in run[::-1] for run in _RUNS):
        return "it is a row of keys, digits or letters"
    return None
