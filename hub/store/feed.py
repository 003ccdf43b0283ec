"""The feed that kiosks read: for every person and session the position of its last change.

Whoever changes what a kiosk may see of a person or a session calls `touch` in the same transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import next_positions, put
from hub.schema import feed, feed_marks, institutions

Kind = Literal["person", "session", "settings"]


@dataclass(frozen=True, slots=True)
class Line:
    """Something that changed last at `position`."""

    kind: Kind
    key: UUID
    position: int
    gone: bool


def touch(conn: Connection, institution_id: UUID, kind: Kind, keys: Iterable[UUID], *, gone: bool = False) -> None:
    """Put these at the end of the feed: every kiosk of the institution gets them with its next exchange."""
    ids = list(dict.fromkeys(keys))
    if not ids:
        return
    first = next_positions(conn, institution_id, len(ids))
    put(
        conn,
        feed,
        [
            {
                "institution_id": institution_id,
                "kind": kind,
                "key": key,
                "position": first + offset,
                "gone": gone,
            }
            for offset, key in enumerate(ids)
        ],
    )


def position(conn: Connection, institution_id: UUID) -> int:
    """The highest position given out so far."""
    table = institutions
    statement = sa.select(table.c.feed_position).where(table.c.id == institution_id)
    return int(conn.execute(statement).scalar_one())


def mark_at(conn: Connection, institution_id: UUID, position: int) -> UUID | None:
    """The mark of the change that gave a position out; None for one that was never given out, and for 0."""
    if position == 0:
        return None
    return conn.execute(
        sa.select(feed_marks.c.mark)
        .where(feed_marks.c.institution_id == institution_id, feed_marks.c.position >= position)
        .order_by(feed_marks.c.position)
        .limit(1)
    ).scalar()


def here(conn: Connection, institution_id: UUID) -> list[Line]:
    """Everybody and every session that is there, in no order."""
    return _here(conn, institution_id)


def in_bucket(conn: Connection, institution_id: UUID, number: int) -> list[Line]:
    """Those of them whose ids end with this byte (`sync.digests.bucket_of`)."""
    return _here(conn, institution_id, sa.cast(feed.c.key, sa.Text).endswith(f"{number:02x}"))


def _here(conn: Connection, institution_id: UUID, *wanted: sa.ColumnElement[bool]) -> list[Line]:
    rows = conn.execute(
        sa.select(feed.c.kind, feed.c.key, feed.c.position, feed.c.gone).where(
            feed.c.institution_id == institution_id, feed.c.kind.in_(("person", "session")), ~feed.c.gone, *wanted
        )
    )
    return [Line(*row) for row in rows]


def after(conn: Connection, institution_id: UUID, position: int, limit: int) -> list[Line]:
    """What changed after a position, oldest change first."""
    rows = conn.execute(
        sa.select(feed.c.kind, feed.c.key, feed.c.position, feed.c.gone)
        .where(feed.c.institution_id == institution_id, feed.c.position > position)
        .order_by(feed.c.position)
        .limit(limit)
    )
    return [Line(*row) for row in rows]
