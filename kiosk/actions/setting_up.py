"""Make a kiosk a member of a hub, and choose what its desk is for."""

from collections.abc import Callable
from uuid import UUID

from kiosk.store.journal import Journal, Standing
from kiosk.store.roster import Roster
from sync.errors import Refused
from sync.messages import Assignment, Enrolled, Session


class AlreadyEnrolled(Refused):
    """This kiosk belongs to a hub, and its journal holds that hub's check-ins."""

    code = "already_enrolled"


def choose_session(journal: Journal, roster: Roster, session_id: UUID, leaving: bool = False) -> Session | None:
    """From now on this desk is for that session: for those who come, or those who are leaving if it asks for check-out.
    None: the roster does not have it."""
    session = roster.session(session_id)
    if session is not None:
        journal.choose(session, leaving and session.check_out)
    return session


def go_where_sent(journal: Journal, roster: Roster, assignment: Assignment | None) -> Session | None:
    """Stand at the session that the office has chosen since. None: nothing new, or the roster does not have it yet."""
    known = journal.remembered().assignment
    if assignment is None or known == assignment:
        return None
    session = roster.session(assignment.session_id)
    if session is not None:
        journal.assigned(assignment, session)
    return session


def keep_lock(journal: Journal, roster: Roster) -> None:
    """Take over the PIN's lock from the roster. A roster that cannot be read changes nothing."""
    settings = roster.settings()
    if settings is not None and settings.institution and settings.desk_lock != journal.remembered().lock:
        journal.lock_with(settings.desk_lock)


def enrol(journal: Journal, url: str, ask: Callable[[], Enrolled]) -> Standing:
    """Make this kiosk a member of the hub that `ask` presents its code to. Raises what `ask` does, and
    `AlreadyEnrolled` before asking: a code is good for one use."""
    if journal.standing() is not None:
        raise AlreadyEnrolled
    standing = Standing(url, ask())
    journal.enrolled(standing)
    return standing
