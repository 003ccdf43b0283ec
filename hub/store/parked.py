"""What waits for a decision, filed elsewhere."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import facts


def judge_again(
    conn: Connection,
    institution_id: UUID,
    fact_id: UUID,
    session_id: UUID,
    student_id: UUID | None,
    verdict: str,
    claimed_key: str | None,
) -> None:
    """From now on a fact is about this session and student, and counts for that."""
    conn.execute(
        sa.update(facts)
        .where(facts.c.institution_id == institution_id, facts.c.id == fact_id)
        .values(session_id=session_id, student_id=student_id, verdict=verdict, claimed_key=claimed_key)
    )
