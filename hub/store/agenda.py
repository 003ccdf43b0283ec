"""Events as a list to page through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import events, sessions

When = Literal["upcoming", "past"]


@dataclass(frozen=True, slots=True)
class Event:
    """An event, and how many sessions it has."""

    id: UUID
    kind: str
    name: str
    starts: datetime
    ends: datetime
    external_id: str | None
    sessions: int


def listed(
    conn: Connection, institution_id: UUID, now: datetime, when: When, named: str, offset: int, limit: int
) -> list[Event]:
    """Events that are not over yet, the next first, or those that are, the latest first; `named`: part of the name."""
    order = [events.c.starts, events.c.id] if when == "upcoming" else [events.c.starts.desc(), events.c.id.desc()]
    rows = conn.execute(
        _events(institution_id).where(*_wanted(now, when, named)).order_by(*order).offset(offset).limit(limit)
    )
    return [Event(*row) for row in rows]


def how_many(conn: Connection, institution_id: UUID, now: datetime, when: When, named: str) -> int:
    """How many events `listed` can show."""
    statement = sa.select(sa.func.count()).where(events.c.institution_id == institution_id, *_wanted(now, when, named))
    return int(conn.execute(statement).scalar_one())


def one(conn: Connection, institution_id: UUID, event_id: UUID) -> Event | None:
    """The event with this id."""
    found = conn.execute(_events(institution_id).where(events.c.id == event_id)).one_or_none()
    return None if found is None else Event(*found)


def _events(institution_id: UUID) -> sa.Select[Any]:
    its_sessions = (
        sa.select(sa.func.count())
        .where(sessions.c.institution_id == events.c.institution_id, sessions.c.event_id == events.c.id)
        .scalar_subquery()
    )
    return sa.select(
        events.c.id,
        events.c.kind,
        events.c.name,
        events.c.starts,
        events.c.ends,
        events.c.external_id,
        its_sessions,
    ).where(events.c.institution_id == institution_id)


def _wanted(now: datetime, when: When, named: str) -> list[sa.ColumnElement[bool]]:
    in_time = events.c.ends >= now if when == "upcoming" else events.c.ends < now
    return [in_time, *(events.c.name.icontains(word, autoescape=True) for word in named.split())]
