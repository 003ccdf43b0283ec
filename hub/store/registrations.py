"""Who is registered for which session."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import insert_once
from hub.schema import registrations


def of_session(conn: Connection, institution_id: UUID, session_id: UUID) -> set[UUID]:
    """Everybody who is registered for a session."""
    rows = conn.execute(
        sa.select(registrations.c.student_id).where(
            registrations.c.institution_id == institution_id, registrations.c.session_id == session_id
        )
    )
    return set(rows.scalars())


def add(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID], now: datetime) -> None:
    """Register students for a session; who is registered stays so."""
    mine = {"institution_id": institution_id, "session_id": session_id, "registered_at": now}
    insert_once(conn, registrations, [mine | {"student_id": student_id} for student_id in student_ids])


def drop(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Collection[UUID]) -> None:
    """Take registrations for a session back."""
    conn.execute(
        sa.delete(registrations).where(
            registrations.c.institution_id == institution_id,
            registrations.c.session_id == session_id,
            registrations.c.student_id.in_(student_ids),
        )
    )
