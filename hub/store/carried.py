"""Streams of facts that were carried in a file."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import facts, streams


def held(conn: Connection, institution_id: UUID, stream_id: UUID) -> int:
    """How many facts of a stream the hub holds; 0 for one it has never heard of."""
    found = conn.execute(
        sa.select(streams.c.acked_seq).where(streams.c.institution_id == institution_id, streams.c.id == stream_id)
    ).scalar()
    return found or 0


def verdicts(conn: Connection, institution_id: UUID, stream_id: UUID, after: int) -> dict[str, int]:
    """How many facts of a stream got which verdict, counted after the `after`-th."""
    rows = conn.execute(
        sa.select(facts.c.verdict, sa.func.count())
        .where(facts.c.institution_id == institution_id, facts.c.stream_id == stream_id, facts.c.seq > after)
        .group_by(facts.c.verdict)
    )
    return {verdict: int(number) for verdict, number in rows}
