"""What imports changed of whom, as long as they may be undone."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row
from hub.schema import import_changes


@dataclass(frozen=True, slots=True)
class Change:
    """`named`: what the file calls the student. `before`: what was there, None for one whom the import made. `after`: a
    digest of what it left behind.
    """

    student_id: UUID
    named: str
    before: Any
    after: bytes


def add(conn: Connection, rows: Sequence[Row]) -> None:
    """Keep what an import changed. `before` of a row is `(named, before)` of its `Change`."""
    if rows:
        conn.execute(sa.insert(import_changes), list(rows))


def of(conn: Connection, institution_id: UUID, import_id: UUID, size: int) -> Iterator[list[Change]]:
    """What an import changed, `size` students at a time."""
    last = UUID(int=0)
    while found := _after(conn, institution_id, import_id, last, size):
        yield found
        last = found[-1].student_id


def _after(conn: Connection, institution_id: UUID, import_id: UUID, last: UUID, size: int) -> list[Change]:
    rows = conn.execute(
        sa.select(import_changes.c.student_id, import_changes.c.before, import_changes.c.after)
        .where(
            import_changes.c.institution_id == institution_id,
            import_changes.c.import_id == import_id,
            import_changes.c.student_id > last,
        )
        .order_by(import_changes.c.student_id)
        .limit(size)
    )
    return [Change(row.student_id, row.before[0], row.before[1], row.after) for row in rows]


def forget(conn: Connection, institution_id: UUID, import_id: UUID, student_ids: Collection[UUID]) -> None:
    """These students are as they were before."""
    conn.execute(
        sa.delete(import_changes).where(
            import_changes.c.institution_id == institution_id,
            import_changes.c.import_id == import_id,
            import_changes.c.student_id.in_(list(student_ids)),
        )
    )


def drop(conn: Connection, institution_id: UUID, import_ids: Collection[UUID]) -> None:
    """Forget what these imports changed: they cannot be undone any more."""
    conn.execute(
        sa.delete(import_changes).where(
            import_changes.c.institution_id == institution_id, import_changes.c.import_id.in_(list(import_ids))
        )
    )
