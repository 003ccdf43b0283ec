"""Which session a row means. An event is named by its id, a fair by the id of one of its sessions (RULE-42)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hub.rules.attendee_file.codes import Problem
from hub.rules.attendee_file.columns import ID, IDENTIFIER, TYPE
from hub.rules.attendee_file.rows import EVENT, FAIR_SESSION, FileRow, by_session


class Occasion(NamedTuple):
    """A session with its event; `external_id` and `event_external_id` are what another system calls them."""

    session_id: UUID
    external_id: str | None
    event_id: UUID
    event_external_id: str | None
    event_kind: str
    starts: datetime

    @property
    def name(self) -> str:
        """What a file calls the session."""
        return self.external_id or str(self.session_id)

    @property
    def event_name(self) -> str:
        """What a file calls the event."""
        return self.event_external_id or str(self.event_id)

    @property
    def is_fair(self) -> bool:
        """Whether it is part of a career fair."""
        return self.event_kind == "career_fair"


@dataclass(frozen=True, slots=True)
class Occasions:
    """All sessions of an institution (RULE-79), by what a file may call them."""

    sessions: dict[str, Occasion] = field(default_factory=dict)
    events: dict[str, list[Occasion]] = field(default_factory=dict)

    def session(self, text: str) -> Occasion | None:
        """The session that is called this."""
        return self.sessions.get(text) or self.sessions.get(text.lower())

    def event(self, text: str) -> list[Occasion]:
        """The sessions of the event that is called this."""
        return self.events.get(text) or self.events.get(text.lower()) or []

    def begins(self, session_id: UUID) -> datetime:
        """When one of these sessions begins."""
        return self.sessions[str(session_id)].starts


def listed(found: Iterable[Occasion]) -> Occasions:
    """These sessions, ready to be looked up. Our own ids win over what others call theirs."""
    by_event: dict[UUID, list[Occasion]] = {}
    occasions = Occasions()
    for each in found:
        by_event.setdefault(each.event_id, []).append(each)
        occasions.sessions.setdefault(each.name, each)
    for its in by_event.values():
        occasions.events.setdefault(its[0].event_name, its)
    occasions.sessions.update({str(each.session_id): each for its in by_event.values() for each in its})
    occasions.events.update({str(event_id): its for event_id, its in by_event.items()})
    return occasions


def session_of(row: FileRow, occasions: Occasions, here: UUID | None) -> UUID | Problem:
    """The session a row means. `here`: the session it must be, if the file was uploaded for one."""
    named = [(column, text) for column, text in ((ID, row.id), (IDENTIFIER, row.identifier)) if text]
    if not named:
        return here or Problem(ID, "blank", "can't be blank")
    if not row.type:
        return Problem(TYPE, "blank", f"can't be blank: write {EVENT} or {FAIR_SESSION}")
    meant: set[UUID] = set()
    for column, text in named:
        found = _event(column, text, occasions, here) if row.type == EVENT else _fair_session(column, text, occasions)
        if isinstance(found, Problem):
            return found
        meant.add(found)
    if len(meant) > 1:
        text = f"names another one than {ID}: blank one of the two"
        return Problem(IDENTIFIER, "contradiction", text, {"column": ID})
    if here is not None and here not in meant:
        return Problem(named[0][0], "other_session", "names another session than the one this file is imported into")
    return meant.pop()


def _event(column: str, text: str, occasions: Occasions, here: UUID | None) -> UUID | Problem:
    its = occasions.event(text)
    if not its:
        return _no_event(column, text, occasions)
    if its[0].is_fair:
        return by_session(column, its[0].name if len(its) == 1 else None)
    if len(its) == 1:
        return its[0].session_id
    if here is not None and any(each.session_id == here for each in its):
        return here
    said = f"has {len(its)} sessions: import those who came to each of them into that session"
    return Problem(column, "several_sessions", said, {"sessions": len(its)})


def _no_event(column: str, text: str, occasions: Occasions) -> Problem:
    session = occasions.session(text)
    if session is None:
        return Problem(column, "unknown_event", "names no event of this institution")
    if session.is_fair:
        return by_session(TYPE, session.name)
    use = session.event_name
    return Problem(column, "not_an_event", f"is the id of a session, not of its event: write {use}", {"use": use})


def _fair_session(column: str, text: str, occasions: Occasions) -> UUID | Problem:
    session = occasions.session(text)
    its = occasions.event(text if session is None else str(session.event_id))
    if not its:
        return Problem(column, "unknown_session", "names no session of this institution")
    if len(its) == 1 and not its[0].is_fair:
        use = its[0].event_name
        return Problem(column, "not_a_fair", f"is no career fair: write {EVENT} and {use}", {"use": use})
    # Also of an event that is no fair: its sessions can be told apart in no other way.
    return session.session_id if session is not None else _whole_event(column, its)


def _whole_event(column: str, its: list[Occasion]) -> Problem:
    said = "is the id of the whole event, not of one of its sessions"
    if len(its) > 1:
        return Problem(column, "not_a_session", said)
    return Problem(column, "not_a_session", f"{said}: write {its[0].name}", {"use": its[0].name})
