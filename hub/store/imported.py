"""Attendance that came by file. Who was seen by a kiosk has none: counting takes each student once (RULE-39)."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub import database
from hub.database import insert_once
from hub.schema import imported_attendance, registrations


def add(
    conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID], import_id: UUID
) -> None:
    """From now on these students were in a session; who was by an earlier file stays that one's."""
    mine = {"institution_id": institution_id, "session_id": session_id, "import_id": import_id}
    insert_once(conn, imported_attendance, [mine | {"student_id": student_id} for student_id in student_ids])


def drop_import(conn: Connection, institution_id: UUID, import_id: UUID) -> set[tuple[UUID, UUID]]:
    """Take back what an import brought: of which sessions and students."""
    rows = conn.execute(
        sa.delete(imported_attendance)
        .where(imported_attendance.c.institution_id == institution_id, imported_attendance.c.import_id == import_id)
        .returning(imported_attendance.c.session_id, imported_attendance.c.student_id)
    )
    return {(row.session_id, row.student_id) for row in rows}


def take_stock(conn: Connection) -> None:
    """Let the database look at how many attendees there are now."""
    database.take_stock(conn, imported_attendance, registrations)
