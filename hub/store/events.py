"""Events and their sessions. A check-in always belongs to a session; a plain event has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row
from hub.errors import UnknownSession
from hub.schema import events, sessions


@dataclass(frozen=True, slots=True)
class Session:
    """A session together with the event it is part of.

    `next_step`: by language, what a person who checked in does next. `opens_before` and `closes_after` are the minutes
    around it in which desks check in; None: at any time.
    """

    id: UUID
    event_id: UUID
    event: str
    event_kind: str
    name: str
    starts: datetime
    ends: datetime
    capacity: int | None
    next_step: dict[str, str]
    listed: bool
    check_out: bool
    opens_before: int | None
    closes_after: int | None


def add(conn: Connection, event: Row, its_sessions: Sequence[Row]) -> None:
    """Keep a new event with its sessions."""
    conn.execute(sa.insert(events), event)
    conn.execute(sa.insert(sessions), list(its_sessions))


def by_external_id(conn: Connection, institution_id: UUID, external_id: str) -> UUID | None:
    """The event another system knows under this id."""
    return conn.execute(
        sa.select(events.c.id).where(events.c.institution_id == institution_id, events.c.external_id == external_id)
    ).scalar()


def some(conn: Connection, institution_id: UUID, ids: Sequence[UUID]) -> list[Session]:
    """The sessions with these ids, as far as they exist."""
    return _sessions(conn, sessions.c.institution_id == institution_id, sessions.c.id.in_(ids))


def there(conn: Connection, institution_id: UUID, session_id: UUID) -> Session:
    """The session with this id. Raises `UnknownSession`."""
    found = some(conn, institution_id, [session_id])
    if not found:
        raise UnknownSession(f"There is no session {session_id}. `hub events list` shows them.")
    return found[0]


def of_event(conn: Connection, institution_id: UUID, event_id: UUID) -> list[Session]:
    """The sessions of an event, in their order."""
    return _sessions(conn, sessions.c.institution_id == institution_id, sessions.c.event_id == event_id)


def of_institution(conn: Connection, institution_id: UUID) -> list[Session]:
    """Every session, earliest event first."""
    return _sessions(conn, sessions.c.institution_id == institution_id)


def between(conn: Connection, institution_id: UUID, start: datetime, end: datetime) -> list[Session]:
    """The sessions that touch a span of time, earliest first."""
    return _sessions(
        conn, sessions.c.institution_id == institution_id, sessions.c.starts < end, sessions.c.ends >= start
    )


def change(conn: Connection, institution_id: UUID, session_id: UUID, values: Row) -> None:
    """Bring a session up to date."""
    conn.execute(
        sa.update(sessions)
        .where(sessions.c.institution_id == institution_id, sessions.c.id == session_id)
        .values(**values)
    )


def _sessions(conn: Connection, *conditions: sa.ColumnElement[bool]) -> list[Session]:
    rows = conn.execute(
        sa.select(
            sessions.c.id,
            sessions.c.event_id,
            events.c.name.label("event"),
            events.c.kind.label("event_kind"),
            sessions.c.name,
            sessions.c.starts,
            sessions.c.ends,
            events.c.capacity,
            sessions.c.next_step,
            sessions.c.listed,
            sessions.c.check_out,
            sessions.c.opens_before,
            sessions.c.closes_after,
        )
        .join_from(
            sessions,
            events,
            (events.c.institution_id == sessions.c.institution_id) & (events.c.id == sessions.c.event_id),
        )
        .where(*conditions)
        .order_by(events.c.starts, events.c.name, sessions.c.number)
    )
    return [Session(**row._mapping) for row in rows]
