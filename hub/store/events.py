"""Events and their sessions. A check-in always belongs to a session; a plain event has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row
from hub.errors import UnknownSession
from hub.schema import events, sessions

FAIR = "career_fair"
"""The kind of event whose sessions other systems know one by one (RULE-41)."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session together with the event it is part of.

    `next_step`: by language, what a person who checked in does next. `opens_before` and `closes_after` are the minutes
    around it in which desks check in; None: at any time. `external_id`: what another system calls a session of a fair,
    or any other event as a whole.
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
    external_id: str | None = None


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


def named(conn: Connection, institution_id: UUID) -> list[sa.Row[Any, Any]]:
    """Every session with what it and its event are called elsewhere, each event's in their order: `session_id`,
    `external_id`, `event_id`, `event_external_id`, `event_kind`, `starts`.
    """
    columns = [
        sessions.c.id,
        sessions.c.external_id,
        events.c.id,
        events.c.external_id,
        events.c.kind,
        sessions.c.starts,
    ]
    rows = conn.execute(
        sa.select(*columns)
        .join_from(
            sessions,
            events,
            (events.c.institution_id == sessions.c.institution_id) & (events.c.id == sessions.c.event_id),
        )
        .where(sessions.c.institution_id == institution_id)
        .order_by(sessions.c.event_id, sessions.c.number)
    )
    return list(rows)


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


def call(conn: Connection, institution_id: UUID, session: Session, external_id: str | None) -> bool:
    """Keep what another system calls a session of a fair, or any other event; False when it calls another one so."""
    table, id = (sessions, session.id) if session.event_kind == FAIR else (events, session.event_id)
    ours = table.c.institution_id == institution_id
    other = sa.select(table.c.id).where(ours, table.c.external_id == external_id, table.c.id != id)
    if external_id is not None and conn.execute(other).first():
        return False
    conn.execute(sa.update(table).where(ours, table.c.id == id).values(external_id=external_id))
    return True


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
            sa.case((events.c.kind == FAIR, sessions.c.external_id), else_=events.c.external_id).label("external_id"),
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
