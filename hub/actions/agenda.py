"""The events of an institution, to look through."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from hub.database import reading
from hub.store import agenda, attendance, events
from hub.store.agenda import Event, When
from hub.store.attendance import Count
from hub.store.events import Session

PAGE = 50


@dataclass(frozen=True, slots=True)
class Agenda:
    """A page of events; `upcoming` and `past` are how many there are of each."""

    events: list[Event]
    upcoming: int
    past: int


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event and its sessions with their numbers, in their order."""

    event: Event
    sessions: list[tuple[Session, Count]]


def listed(engine: Engine, institution_id: UUID, now: datetime, when: When, named: str, page: int) -> Agenda:
    """A page of events, the first one being 1, of which the name has each word of `named` in it."""
    with reading(engine) as conn:
        return Agenda(
            agenda.listed(conn, institution_id, now, when, named, (page - 1) * PAGE, PAGE),
            agenda.how_many(conn, institution_id, now, "upcoming", named),
            agenda.how_many(conn, institution_id, now, "past", named),
        )


def occasion(engine: Engine, institution_id: UUID, event_id: UUID) -> Occasion | None:
    """An event with its numbers; None when there is none."""
    with reading(engine) as conn:
        event = agenda.one(conn, institution_id, event_id)
        if event is None:
            return None
        found = events.of_event(conn, institution_id, event_id)
        numbers = attendance.counts(conn, institution_id, [session.id for session in found])
        return Occasion(event, [(session, numbers[session.id]) for session in found])


def session(engine: Engine, institution_id: UUID, session_id: UUID) -> Session:
    """A session together with its event's name. Raises `UnknownSession`."""
    with reading(engine) as conn:
        return events.there(conn, institution_id, session_id)
