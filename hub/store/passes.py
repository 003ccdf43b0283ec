"""QR passes: one good one for a student at a time."""

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row
from hub.schema import passes


def of_students(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> dict[UUID, str]:
    """The pass of each of these students who has one."""
    rows = conn.execute(
        sa.select(passes.c.student_id, passes.c.id).where(
            passes.c.institution_id == institution_id, passes.c.student_id.in_(student_ids)
        )
    )
    return {row.student_id: row.id for row in rows}


def add(conn: Connection, rows: Sequence[Row]) -> None:
    """Keep new passes."""
    if rows:
        conn.execute(sa.insert(passes), rows)


def drop(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> None:
    """Forget the passes of these students."""
    conn.execute(
        sa.delete(passes).where(passes.c.institution_id == institution_id, passes.c.student_id.in_(student_ids))
    )
