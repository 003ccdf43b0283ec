"""What the desk says to whoever stands before it. Pure: given what is known, decides; writes and asks nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from sync.identifiers import Card, Identifier


class Known(Protocol):
    """Somebody on the roster."""

    @property
    def state(self) -> str: ...

    @property
    def greeting(self) -> str: ...


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
    """Nothing recorded. `reason`: `unknown_card`, or what `sync.identifiers` calls it."""

    code: ClassVar = "not_recognised"
    reason: str


@dataclass(frozen=True, slots=True)
class SeeStaff:
    """Nothing recorded, and not for the student to solve."""

    code: ClassVar = "see_staff"
    reason: Literal["disabled", "unknown_session", "not_enrolled", "withdrawn"]


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """The kiosk could not keep it. Never shown as success."""

    code: ClassVar = "not_recorded"
    reason: str


Verdict = Welcome | AlreadyIn | Noted | NotRecognised | SeeStaff | NotRecorded


def decide(identifier: Identifier, found: Known | None, earlier: Earlier | None, new_id: UUID) -> Verdict:
    """The verdict on an identifier. `Welcome` and `Noted` carry `new_id`: they are to be recorded under it.

    No clock is asked: one that is years off must send nobody away.
    """
    if found is None and isinstance(identifier, Card):
        return NotRecognised("unknown_card")
    if found is not None and found.state == "disabled":
        return SeeStaff("disabled")
    greeting = None if found is None else found.greeting
    if earlier is not None:
        return AlreadyIn(greeting, earlier.id, earlier.since)
    return Noted(new_id) if greeting is None else Welcome(greeting, new_id)


def again(found: Known | None, earlier: Earlier) -> Verdict:
    """The same form came twice: the answer it got the first time."""
    return Noted(earlier.id) if found is None else Welcome(found.greeting, earlier.id)
