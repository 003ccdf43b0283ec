"""The desk's use cases, one function each."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from kiosk import rules
from kiosk.rules import Noted, NotRecognised, NotRecorded, SeeStaff, Verdict, Welcome
from kiosk.store import sqlite
from kiosk.store.journal import Journal, Remembered, Standing
from kiosk.store.roster import Found, Recognised, Roster
from sync import seals
from sync.errors import Refused, Unreadable
from sync.identifiers import Email
from sync.messages import CheckIn, Enrolled, Moment, Session


class AlreadyEnrolled(Refused):
    """This kiosk belongs to a hub, and its journal holds that hub's check-ins."""

    code = "already_enrolled"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody before the desk: what came in, from which form, when, and the id a check-in of it would get."""

    text: str
    intent_id: UUID | None
    moment: Moment
    new_id: UUID


def check_in(journal: Journal, roster: Roster, session_id: UUID, arrival: Arrival) -> Verdict:
    """Record somebody's check-in to a session, if it is one. What is answered is on the disk."""
    try:
        recognised = roster.recognise(arrival.text)
        here = journal.remembered()
        if here.standing is None:
            return SeeStaff("not_enrolled")
        if here.withdrawn:
            return SeeStaff("withdrawn")
        if not _knows_session(here, roster, session_id):
            return SeeStaff("unknown_session")
        person = _Person(recognised, seals.lookup(here.local_key, recognised.identifier).tag)
        return _record(journal, here.standing.enrolled.hub_key, session_id, person, arrival)
    except Unreadable as error:
        return NotRecognised(error.reason)
    except sqlite.NotRecorded as error:
        return NotRecorded(error.reason)
    except (sqlite.StoreDamaged, sqlite.StoreTooNew) as error:
        return NotRecorded(error.code)


def choose_session(journal: Journal, roster: Roster, session_id: UUID) -> Session | None:
    """From now on this desk checks in to that session. None: the roster does not have it."""
    session = roster.session(session_id)
    if session is not None:
        journal.choose(session)
    return session


def enrol(journal: Journal, url: str, ask: Callable[[], Enrolled]) -> Standing:
    """Make this kiosk a member of the hub that `ask` presents its code to. Raises what `ask` does, and
    `AlreadyEnrolled` before asking: a code is good for one use."""
    if journal.standing() is not None:
        raise AlreadyEnrolled
    standing = Standing(url, ask())
    journal.enrolled(standing)
    return standing


@dataclass(frozen=True, slots=True)
class _Person:
    """Who stands there, and this kiosk's own tag for what they gave."""

    recognised: Recognised
    tag: bytes

    @property
    def found(self) -> Found | None:
        return self.recognised.found

    @property
    def subject(self) -> str:
        return self.tag.hex() if self.found is None else str(self.found.ref)


def _record(journal: Journal, hub_key: bytes, session_id: UUID, person: _Person, arrival: Arrival) -> Verdict:
    with journal.writing() as page:
        repeated = page.repeated(arrival.intent_id, session_id, person.subject)
        if repeated is not None:
            return rules.again(person.found, repeated)
        # The address may have been noted before the roster learned whose it is.
        earlier = page.present(session_id, person.subject, person.tag.hex())
        verdict = rules.decide(person.recognised.identifier, person.found, earlier, arrival.new_id)
        if isinstance(verdict, Welcome | Noted):
            page.append(_fact(hub_key, session_id, person, arrival), person.subject, arrival.intent_id)
    return verdict


def _fact(hub_key: bytes, session_id: UUID, person: _Person, arrival: Arrival) -> CheckIn:
    identifier, known = person.recognised.identifier, person.found
    return CheckIn(
        id=arrival.new_id,
        session_id=session_id,
        method="email" if isinstance(identifier, Email) else "card",
        at=arrival.moment,
        roster_position=person.recognised.position,
        ref=known.ref if known else None,
        tag=None if known else person.tag,
        sealed_identifier=None if known else seals.seal_to_hub(hub_key, identifier),
    )


def _knows_session(here: Remembered, roster: Roster, session_id: UUID) -> bool:
    # The chosen one is remembered in the journal, so that a desk outlives its roster.
    if here.session is not None and here.session.id == session_id:
        return True
    return roster.session(session_id) is not None
