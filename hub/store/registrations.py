"""Who is registered for which session."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import insert_once
from hub.schema import imported_registrations, registrations


def of_session(conn: Connection, institution_id: UUID, session_id: UUID) -> set[UUID]:
    """Everybody who is registered for a session."""
    rows = conn.execute(
        sa.select(registrations.c.student_id).where(
            registrations.c.institution_id == institution_id, registrations.c.session_id == session_id
        )
    )
    return set(rows.scalars())


def among(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID]) -> set[UUID]:
    """Which of these students are registered for a session."""
    rows = conn.execute(
        sa.select(registrations.c.student_id).where(
            registrations.c.institution_id == institution_id,
            registrations.c.session_id == session_id,
            registrations.c.student_id.in_(student_ids),
        )
    )
    return set(rows.scalars())


def add(
    conn: Connection,
    institution_id: UUID,
    session_id: UUID,
    student_ids: Collection[UUID],
    now: datetime,
    import_id: UUID | None = None,
) -> None:
    """Register students for a session; who is registered stays so. `import_id`: the import that says it."""
    mine = {"institution_id": institution_id, "session_id": session_id, "registered_at": now, "import_id": import_id}
    insert_once(conn, registrations, [mine | {"student_id": student_id} for student_id in student_ids])


def by_hand(conn: Connection, institution_id: UUID, student_id: UUID) -> set[UUID]:
    """The sessions for which somebody registered a student, and no import."""
    rows = conn.execute(
        sa.select(registrations.c.session_id).where(
            registrations.c.institution_id == institution_id,
            registrations.c.student_id == student_id,
            registrations.c.import_id.is_(None),
        )
    )
    return set(rows.scalars())


def keep(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID]) -> None:
    """From now on these registrations are no import's: they stay when one is undone."""
    statement = (
        sa.update(registrations)
        .where(
            registrations.c.institution_id == institution_id,
            registrations.c.session_id == session_id,
            registrations.c.student_id == sa.bindparam("whose"),
            registrations.c.import_id.is_not(None),
        )
        .values(import_id=None)
    )
    if student_ids:
        conn.execute(statement, [{"whose": student_id} for student_id in student_ids])


def drop_import(conn: Connection, institution_id: UUID, import_id: UUID) -> set[tuple[UUID, UUID]]:
    """Take back the registrations that an import brought, whose word is forgotten already, but for those that another
    one says as well: of which sessions and students.
    """
    said = (
        sa.select(imported_registrations.c.import_id)
        .where(
            imported_registrations.c.institution_id == institution_id,
            imported_registrations.c.session_id == registrations.c.session_id,
            imported_registrations.c.student_id == registrations.c.student_id,
        )
        .limit(1)
    )
    conn.execute(
        sa.update(registrations)
        .where(
            registrations.c.institution_id == institution_id,
            registrations.c.import_id == import_id,
            said.correlate(registrations).exists(),
        )
        .values(import_id=said.correlate(registrations).scalar_subquery())
    )
    rows = conn.execute(
        sa.delete(registrations)
        .where(registrations.c.institution_id == institution_id, registrations.c.import_id == import_id)
        .returning(registrations.c.session_id, registrations.c.student_id)
    )
    return {(row.session_id, row.student_id) for row in rows}


def drop(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID]) -> None:
    """Take registrations for a session back."""
    conn.execute(
        sa.delete(registrations).where(
            registrations.c.institution_id == institution_id,
            registrations.c.session_id == session_id,
            registrations.c.student_id.in_(student_ids),
        )
    )
