"""Somebody comes, or leaves."""

from dataclasses import dataclass
from uuid import UUID

from kiosk.rules import verdicts
from kiosk.rules.clocks import true_time
from kiosk.rules.verdicts import (
    AlreadyIn,
    CheckedOut,
    Noted,
    NotRecognised,
    NotRecorded,
    Occasion,
    SeeStaff,
    Verdict,
    Welcome,
)
from kiosk.store import sqlite
from kiosk.store.journal import Journal, Page
from kiosk.store.misses import Misses
from kiosk.store.refusals import Refusal, Refusals
from kiosk.store.remembered import Remembered, Standing
from kiosk.store.roster import Roster
from kiosk.store.roster_rows import Found, Recognised
from sync import seals
from sync.errors import Unreadable
from sync.identifiers import Card, Email, Identifier
from sync.messages import CheckIn, CheckOut, Method, Moment, Session


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody before the desk: what came in, from which form, when, and the id a check-in of it would get.

    `by_hand`: staff do it for them (RULE-52).
    """

    text: str
    intent_id: UUID | None
    moment: Moment
    new_id: UUID
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Stores:
    """What the kiosk keeps, and whom it knows; with `refusals`, why it lately sent people away."""

    journal: Journal
    roster: Roster
    refusals: Refusals | None = None


def check_in(stores: Stores, session_id: UUID, arrival: Arrival, misses: Misses | None = None) -> Verdict:
    """Record somebody's check-in to a session, if it is one. What is answered is on the disk.

    With `misses`, a desk at which too many unknown ones were tried sends everybody to staff.
    """
    return _guarded(stores, session_id, arrival, misses, leaving=False)


def check_out(stores: Stores, session_id: UUID, arrival: Arrival, misses: Misses | None = None) -> Verdict:
    """Record that somebody leaves a session, whichever desk they came in at."""
    return _guarded(stores, session_id, arrival, misses, leaving=True)


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who stands there: `identifier` as far as they gave one, `found` as far as the roster knows them.

    `tag` is this kiosk's own tag for what they gave; `sealed`, the same for the hub to read.
    """

    identifier: Identifier | None
    found: Found | None
    position: int
    tag: bytes
    sealed: bytes
    method: Method

    @property
    def subject(self) -> str:
        """By what the journal knows them again."""
        return self.tag.hex() if self.found is None else str(self.found.ref)


@dataclass(frozen=True, slots=True)
class Stand:
    """A desk that can record: what it knows of itself, its hub, the session, and whether people come or leave."""

    here: Remembered
    standing: Standing
    session: Session
    leaving: bool


def record(stores: Stores, stand: Stand, who: Somebody, arrival: Arrival) -> Verdict:
    """Decide, and keep what is to be kept, in one transaction. Raises `NotRecorded`, and then nothing is kept."""
    occasion = occasion_of(stores.roster, stand, arrival)
    with stores.journal.writing() as page:
        return record_on(page, occasion, who, arrival, stand.leaving)


def record_on(page: Page, occasion: Occasion, who: Somebody, arrival: Arrival, leaving: bool = False) -> Verdict:
    """As `record`, within a transaction that may hold more of them."""
    session_id = occasion.session.id
    kind = "check_out" if leaving else "check_in"
    repeated = page.repeated(arrival.intent_id, session_id, who.subject, kind)
    if repeated is not None:
        return verdicts.again(who.found, repeated, leaving)
    # The address may have been noted before the roster learned whose it is.
    earlier = page.present(session_id, who.subject, who.tag.hex())
    if leaving:
        verdict = verdicts.decide_leaving(who.identifier, who.found, earlier, arrival.new_id)
    else:
        verdict = verdicts.decide(who.identifier, who.found, earlier, occasion, arrival.new_id)
    if isinstance(verdict, Welcome | Noted | CheckedOut) or verdicts.may_be_back(verdict, occasion, arrival.moment):
        _keep(page, session_id, who, arrival, leaving)
    return verdict


def occasion_of(roster: Roster, stand: Stand, arrival: Arrival) -> Occasion:
    """What the session is to somebody who arrives like this."""
    exchange = stand.here.exchange
    now = true_time(exchange.sample if exchange else None, arrival.moment)
    return Occasion(stand.session, _siblings(roster, stand.session), now, arrival.by_hand)


def standing_at(stores: Stores, session_id: UUID | None, leaving: bool) -> Stand | SeeStaff:
    """This desk at that session, or why nothing can be recorded there.

    `leaving` is what the page said that somebody answers: the desk may have been switched since.
    """
    here = stores.journal.remembered()
    if here.standing is None:
        return SeeStaff("not_enrolled")
    if here.withdrawn:
        return SeeStaff("withdrawn")
    session = None if session_id is None else session_for(here, stores.roster, session_id)
    if session is None or (leaving and not session.check_out):
        return SeeStaff("unknown_session")
    return Stand(here, here.standing, session, leaving)


def session_for(here: Remembered, roster: Roster, session_id: UUID) -> Session | None:
    """The session as the roster has it now; the one chosen for the desk outlives its roster."""
    found = roster.session(session_id)
    if found is None and here.session is not None and here.session.id == session_id:
        return here.session
    return found


def _guarded(stores: Stores, session_id: UUID, arrival: Arrival, misses: Misses | None, leaving: bool) -> Verdict:
    verdict: Verdict
    method: Method | None = None
    if misses is not None and misses.too_many(arrival.moment.since_boot_ms):
        verdict = SeeStaff("too_many_misses")
    else:
        verdict, method, is_known = _answered(stores, session_id, arrival, leaving)
        # Also while a session is closed: who is known must not come out then either.
        missed = method is not None and not is_known and not isinstance(verdict, AlreadyIn | NotRecorded)
        if misses is not None and missed:
            misses.note(arrival.moment.since_boot_ms)
    if stores.refusals is not None and isinstance(verdict, NotRecognised | SeeStaff | NotRecorded):
        stores.refusals.note(Refusal(arrival.moment.wall, verdict.reason, session_id, method))
    return verdict


def _answered(stores: Stores, session_id: UUID, arrival: Arrival, leaving: bool) -> tuple[Verdict, Method | None, bool]:
    """The verdict, how they came if that could be read, and whether the roster knows them."""
    verdict: Verdict
    method: Method | None = None
    is_known = False
    try:
        recognised = stores.roster.recognise(arrival.text)
        is_known = recognised.found is not None
        method = "staff" if arrival.by_hand else _method(recognised.identifier)
        verdict = _decided(stores, session_id, recognised, arrival, leaving)
    except Unreadable as error:
        verdict = NotRecognised(error.reason)
    except sqlite.NotRecorded as error:
        verdict = NotRecorded(error.reason)
    except (sqlite.StoreDamaged, sqlite.StoreTooNew) as error:
        verdict = NotRecorded(error.code)
    return verdict, method, is_known


def _decided(stores: Stores, session_id: UUID, recognised: Recognised, arrival: Arrival, leaving: bool) -> Verdict:
    stand = standing_at(stores, session_id, leaving)
    if isinstance(stand, SeeStaff):
        return stand
    return record(stores, stand, somebody(stand, recognised, arrival.by_hand), arrival)


def somebody(stand: Stand, recognised: Recognised, by_hand: bool, name: str = "") -> Somebody:
    """Who that is, by what they gave; `name` is what staff who vouch for them typed beside it."""
    identifier, found = recognised.identifier, recognised.found
    # A student's is sealed also when nobody will need it: the time an answer takes must not tell whether an address is
    # known.
    seal = isinstance(identifier, Email) and (found is None or not by_hand)
    return Somebody(
        identifier=identifier,
        found=found,
        position=recognised.position,
        tag=seals.lookup(stand.here.local_key, identifier).tag,
        sealed=seals.seal_to_hub(stand.standing.enrolled.hub_key, identifier, name) if seal else b"",
        method="staff" if by_hand else _method(identifier),
    )


def _siblings(roster: Roster, session: Session) -> set[UUID]:
    # Asked for only where it makes a difference.
    return {each.id for each in roster.sessions() if each.event_id == session.event_id} if session.listed else set()


def _method(identifier: Identifier) -> Method:
    if isinstance(identifier, Email):
        return "email"
    return "card" if isinstance(identifier, Card) else "pass"


def _keep(page: Page, session_id: UUID, who: Somebody, arrival: Arrival, leaving: bool) -> None:
    known = who.found
    kind = CheckOut if leaving else CheckIn
    fact = kind(
        id=arrival.new_id,
        session_id=session_id,
        method=who.method,
        at=arrival.moment,
        roster_position=who.position,
        ref=known.ref if known else None,
        tag=None if known else who.tag,
        sealed_identifier=None if known else who.sealed,
    )
    page.append(fact, who.subject, arrival.intent_id)
