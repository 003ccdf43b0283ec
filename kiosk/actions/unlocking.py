"""The desk PIN opens the staff's side, and wrong ones have to wait."""

from kiosk.rules import lockout
from kiosk.store.journal import Journal, Page
from kiosk.store.remembered import Tries
from sync import seals
from sync.messages import DeskLock, Moment

LONGEST_PIN = 64
"""Characters; the hub takes no longer one."""


def try_pin(journal: Journal, lock: DeskLock, pin: str, now: Moment) -> bytes | None:
    """The directory key. None: this is not the PIN, or it came during the wait and was not tried at all.

    Of several at once one is tried. Each counts as wrong, on the disk, until it has turned out to be right: cutting the
    power in between gains nobody a try. Raises `NotRecorded`, and then none was tried.
    """
    with journal.writing() as page:
        tries = _tries(page, now)
        if lockout.left_ms(tries.wrong, tries.last, now):
            return None
        page.keep_tries(Tries(tries.wrong + 1, now))
    key = seals.unlock(lock, pin) if len(pin) <= LONGEST_PIN else None
    if key is not None:
        with journal.writing() as page:
            page.keep_tries(None)
    return key


def left_ms(journal: Journal, now: Moment) -> int:
    """Milliseconds until the next PIN is tried; 0: now. Raises `NotRecorded`."""
    tries = journal.tries()
    if tries is None:
        return 0
    if tries.last.boot != now.boot:
        with journal.writing() as page:
            tries = _tries(page, now)
    return lockout.left_ms(tries.wrong, tries.last, now)


def _tries(page: Page, now: Moment) -> Tries:
    """What was tried so far. A wait that a restart has interrupted begins again now."""
    tries = page.tries() or Tries(0, now)
    if tries.last.boot != now.boot:
        tries = Tries(tries.wrong, now)
        page.keep_tries(tries)
    return tries
