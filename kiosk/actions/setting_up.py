"""Make a kiosk a member of a hub, and choose what its desk is for."""

from collections.abc import Callable
from uuid import UUID

from msgspec.structs import replace

from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange, Standing
from kiosk.store.roster import Roster
from sync.errors import DeviceRevoked, DeviceUnknown, HubNotTrusted, Refused
from sync.messages import Assignment, Enrolled, Session


class AlreadyEnrolled(Refused):
    """This kiosk belongs to a hub, and its journal holds that hub's check-ins."""

    code = "already_enrolled"


class AnotherHub(Refused):
    """The hub there, or the institution at it, is not the one whose check-ins this journal holds."""

    code = "another_hub"


def choose_session(journal: Journal, roster: Roster, session_id: UUID, leaving: bool = False) -> Session | None:
    """From now on this desk is for that session: for those who come, or those who are leaving if it asks for check-out.
    None: the roster does not have it."""
    session = roster.session(session_id)
    if session is not None:
        journal.choose(session, leaving and session.check_out)
    return session


def go_where_sent(journal: Journal, roster: Roster, assignment: Assignment | None) -> Session | None:
    """Stand at the session that the office has chosen since. None: nothing new, or the roster does not have it yet.

    An assignment from before the one that is known comes from a hub that went back in time, and calls nobody away.
    """
    known = journal.remembered().assignment
    if assignment is None or known == assignment or (known is not None and assignment.number < known.number):
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


def enrol(journal: Journal, url: str, ask: Callable[[], Enrolled], authority: bytes | None = None) -> Standing:
    """Make this kiosk a member of the hub that `ask` presents its code to, with the only `authority` to trust, if any.
    A member that its hub has lost may become one again, and keeps its journal.

    Raises what `ask` does, `AlreadyEnrolled` before asking: a code is good for one use; and `AnotherHub` after it.
    """
    before = journal.remembered()
    if before.standing is not None and not _is_lost(before.exchange):
        raise AlreadyEnrolled
    standing = Standing(url, ask(), authority)
    if before.standing is not None and not _is_same_office(before.standing.enrolled, standing.enrolled):
        raise AnotherHub
    journal.enrolled(standing)
    if before.exchange is not None:
        # What the hub said was about the standing that is gone.
        journal.note(replace(before.exchange, problem=None, withdrawn=False))
    return standing


def _is_lost(exchange: Exchange | None) -> bool:
    """Whether the hub and this kiosk cannot come together any more without a new standing."""
    return exchange is not None and (
        exchange.withdrawn or exchange.problem in (DeviceUnknown.code, DeviceRevoked.code, HubNotTrusted.code)
    )


def _is_same_office(before: Enrolled, after: Enrolled) -> bool:
    # An institution has a key of its own, with which the addresses in its check-ins are sealed.
    return (before.hub_id, before.hub_key) == (after.hub_id, after.hub_key)
