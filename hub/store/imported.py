"""What attendee files say: who was registered for a session, and who came.

It is kept whoever else says it, so that undoing one file takes nothing away that another says too. Counting takes each
student once (RULE-39).
"""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from hub import database
from hub.database import insert_once
from hub.schema import imported_attendance, imported_registrations, registrations

Pair = tuple[UUID, UUID]
"""A session and a student."""


def attended(
    conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID], import_id: UUID
) -> None:
    """A file says that these students were in a session."""
    _add(conn, imported_attendance, institution_id, session_id, student_ids, import_id)


def registered(
    conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID], import_id: UUID
) -> None:
    """A file says that these students were registered for a session; `registrations` has them as well."""
    _add(conn, imported_registrations, institution_id, session_id, student_ids, import_id)


def drop_import(conn: Connection, institution_id: UUID, import_id: UUID) -> tuple[set[Pair], set[Pair]]:
    """Forget what a file said: who attended what, and who was registered for what."""
    return (
        _drop(conn, imported_attendance, institution_id, import_id),
        _drop(conn, imported_registrations, institution_id, import_id),
    )


def take_stock(conn: Connection) -> None:
    """Let the database look at how many attendees there are now."""
    database.take_stock(conn, imported_attendance, imported_registrations, registrations)


def _add(
    conn: Connection,
    table: Table,
    institution_id: UUID,
    session_id: UUID,
    student_ids: Collection[UUID],
    import_id: UUID,
) -> None:
    mine = {"institution_id": institution_id, "session_id": session_id, "import_id": import_id}
    insert_once(conn, table, [mine | {"student_id": student_id} for student_id in student_ids])


def _drop(conn: Connection, table: Table, institution_id: UUID, import_id: UUID) -> set[Pair]:
    rows = conn.execute(
        sa.delete(table)
        .where(table.c.institution_id == institution_id, table.c.import_id == import_id)
        .returning(table.c.session_id, table.c.student_id)
    )
    return {(row.session_id, row.student_id) for row in rows}
