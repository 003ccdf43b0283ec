"""Students who turned out to be the same person: under which id they are known now."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from hub.database import put
from hub.schema import (
    addresses,
    cards,
    imported_attendance,
    imported_registrations,
    merges,
    passes,
    registrations,
    students,
)


def add(conn: Connection, institution_id: UUID, student_id: UUID, into_id: UUID, now: datetime) -> None:
    """From now on a student is known as another, and so is everybody who was known as them."""
    conn.execute(
        sa.update(merges)
        .where(merges.c.institution_id == institution_id, merges.c.into_id == student_id)
        .values(into_id=into_id)
    )
    row = {"institution_id": institution_id, "student_id": student_id, "into_id": into_id, "merged_at": now}
    put(conn, merges, [row])


def of(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """For each of these ids that was merged: the student it stands for now.

    Who was merged and imported again is somebody of their own, as long as they are there.
    """
    there = sa.exists().where(students.c.institution_id == institution_id, students.c.id == merges.c.student_id)
    rows = conn.execute(
        sa.select(merges.c.student_id, merges.c.into_id).where(
            merges.c.institution_id == institution_id, merges.c.student_id.in_(list(student_ids)), ~there
        )
    )
    return {row.student_id: row.into_id for row in rows}


def move_what_is_theirs(conn: Connection, institution_id: UUID, gone: UUID, stays: UUID) -> None:
    """Addresses, cards, the pass, registrations and attendance that came by file of one student become another's."""
    conn.execute(_of(addresses, institution_id, gone).values(student_id=stays, main=False))
    conn.execute(_of(cards, institution_id, gone).values(student_id=stays))
    # A student has one pass, and is registered for a session or in it once: what both have stays as it is.
    has_pass = sa.select(passes.c.student_id).where(
        passes.c.institution_id == institution_id, passes.c.student_id == stays
    )
    conn.execute(_of(passes, institution_id, gone).where(~has_pass.exists()).values(student_id=stays))
    for table in (registrations, imported_attendance, imported_registrations):
        other = table.alias()
        same = [other.c[column.name] == column for column in table.primary_key if column.name != "student_id"]
        both = sa.select(other.c.session_id).where(*same, other.c.student_id == stays)
        theirs = _of(table, institution_id, gone).where(~both.correlate(table).exists())
        conn.execute(theirs.values(student_id=stays))
    for table in (passes, registrations, imported_attendance, imported_registrations):
        mine = (table.c.institution_id == institution_id, table.c.student_id == gone)
        conn.execute(sa.delete(table).where(*mine))


def _of(table: Table, institution_id: UUID, student_id: UUID) -> sa.Update:
    return sa.update(table).where(table.c.institution_id == institution_id, table.c.student_id == student_id)
