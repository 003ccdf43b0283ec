"""What the desk says to whoever stands before it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from sync.identifiers import Email, Identifier, Pass
from sync.messages import Moment, Session

SAME_ARRIVAL = timedelta(minutes=1)


class Known(Protocol):
    """Somebody on the roster."""

    @property
    def state(self) -> str: ...

    @property
    def greeting(self) -> str: ...

    @property
    def registered(self) -> Collection[UUID]: ...


class Earlier(Protocol):
    """A check-in that is in the journal."""

    @property
    def id(self) -> UUID: ...

    @property
    def since(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Welcome:
    """On the roster, and now checked in."""

    code: ClassVar = "welcome"
    greeting: str
    check_in_id: UUID


@dataclass(frozen=True, slots=True)
class AlreadyIn:
    """Checked in before; nothing new is recorded. No greeting: an address the roster does not know."""

    code: ClassVar = "already_in"
    greeting: str | None
    check_in_id: UUID
    since: datetime


@dataclass(frozen=True, slots=True)
class Noted:
    """An address nobody here knows: recorded, sealed, to be matched at the hub."""

    code: ClassVar = "noted"
    check_in_id: UUID


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """Nothing recorded. `reason`: `unknown_card`, `unknown_pass`, or what `sync.identifiers` calls it."""

    code: ClassVar = "not_recognised"
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """Has left, and was in since then, as far as that is known. No greeting: an address the roster does not know."""

    code: ClassVar = "checked_out"
    greeting: str | None
    check_in_id: UUID
    since: datetime | None


@dataclass(frozen=True, slots=True)
class SeeStaff:
    """Nothing recorded, and not for the student to solve. The person reads the same words whatever the reason."""

    code: ClassVar = "see_staff"
    reason: Literal[
        "disabled",
        "not_on_list",
        "wrong_session",
        "not_open_yet",
        "closed",
        "too_many_misses",
        "unknown_session",
        "not_enrolled",
        "withdrawn",
    ]


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """The kiosk could not keep it. Never shown as success."""

    code: ClassVar = "not_recorded"
    reason: str


Verdict = Welcome | AlreadyIn | Noted | CheckedOut | NotRecognised | SeeStaff | NotRecorded


@dataclass(frozen=True, slots=True)
class Occasion:
    """What somebody comes to: the session, and the sessions of the same event.

    `now`: the true time, or None when this kiosk cannot be sure of it. `by_hand`: staff vouch for the person.
    """

    session: Session
    siblings: Collection[UUID]
    now: datetime | None
    by_hand: bool = False


def decide(
    identifier: Identifier | None, found: Known | None, earlier: Earlier | None, occasion: Occasion, new_id: UUID
) -> Verdict:
    """The verdict on somebody who comes. `Welcome` and `Noted` carry `new_id`: they are to be recorded under it.

    Staff who vouch for somebody need no list and no opening times; an archived student stays one (RULE-35).
    """
    unknown = _not_recognised(identifier, found)
    if unknown is not None:
        return unknown
    if found is not None and found.state == "disabled":
        return SeeStaff("disabled")
    greeting = None if found is None else found.greeting
    if earlier is not None:
        return AlreadyIn(greeting, earlier.id, earlier.since)
    return _refused(found, occasion) or (Noted(new_id) if greeting is None else Welcome(greeting, new_id))


def decide_leaving(
    identifier: Identifier | None, found: Known | None, earlier: Earlier | None, new_id: UUID
) -> Verdict:
    """The verdict on somebody who leaves. `CheckedOut` and `Noted` are to be recorded.

    They may have come in at another desk, of which this one knows nothing: the hub puts the two together. Nobody is
    kept in by a closing time, nor by an account that was archived meanwhile.
    """
    unknown = _not_recognised(identifier, found)
    if unknown is not None:
        return unknown
    if earlier is not None:
        return CheckedOut(None if found is None else found.greeting, earlier.id, earlier.since)
    return Noted(new_id) if found is None else CheckedOut(found.greeting, new_id, None)


def may_be_back(verdict: Verdict, occasion: Occasion, moment: Moment) -> bool:
    """Whether somebody whom this desk believes to be in is to be recorded again all the same.

    They may have left by another desk, and come back. Within a minute it is the same arrival twice.
    """
    if not occasion.session.check_out or not isinstance(verdict, AlreadyIn):
        return False
    return abs(moment.wall - verdict.since) > SAME_ARRIVAL


def again(found: Known | None, earlier: Earlier, leaving: bool) -> Verdict:
    """The same form came twice: the answer it got the first time."""
    if leaving and found is not None:
        return CheckedOut(found.greeting, earlier.id, None)
    return Noted(earlier.id) if found is None else Welcome(found.greeting, earlier.id)


def _not_recognised(identifier: Identifier | None, found: Known | None) -> NotRecognised | None:
    if found is not None or identifier is None or isinstance(identifier, Email):
        return None
    return NotRecognised("unknown_pass" if isinstance(identifier, Pass) else "unknown_card")


def _refused(found: Known | None, occasion: Occasion) -> SeeStaff | None:
    if occasion.by_hand:
        return None
    session = occasion.session
    # A kiosk that is not sure of the time sends nobody away for it.
    if occasion.now is not None:
        if session.opens is not None and occasion.now < session.opens:
            return SeeStaff("not_open_yet")
        if session.closes is not None and occasion.now > session.closes:
            return SeeStaff("closed")
    if not session.listed or (found is not None and session.id in found.registered):
        return None
    elsewhere = found is not None and any(each in found.registered for each in occasion.siblings)
    return SeeStaff("wrong_session" if elsewhere else "not_on_list")
