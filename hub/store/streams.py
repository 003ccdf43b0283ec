"""Streams: how far the hub holds each, and what its kiosk said to have made."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import insert_once, locked
from hub.schema import streams
from sync.chain import START


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream, held up to `acked_seq`, where the chain's hash is `acked_hash`."""

    kiosk_id: UUID
    acked_seq: int
    acked_hash: bytes


def lock(
    conn: Connection, institution_id: UUID, stream_id: UUID, kiosk_id: UUID, parent_id: UUID | None, now: datetime
) -> Stream:
    """The stream, opened for this kiosk if it is new; nobody else advances it until the transaction ends.

    What the stream it goes on from said to hold back is no longer believed: those facts come under the new name.
    """
    statement = locked(
        conn,
        sa.select(streams.c.kiosk_id, streams.c.acked_seq, streams.c.acked_hash).where(
            streams.c.institution_id == institution_id, streams.c.id == stream_id
        ),
    )
    row = conn.execute(statement).one_or_none()
    if row is None:
        first = {
            "institution_id": institution_id,
            "id": stream_id,
            "kiosk_id": kiosk_id,
            "acked_seq": 0,
            "acked_hash": START,
            "head_seq": 0,
            "heard_at": now,
            "parent_id": parent_id,
        }
        insert_once(conn, streams, [first])
        conn.execute(
            sa.update(streams)
            .where(streams.c.institution_id == institution_id, streams.c.id == parent_id)
            .values(head_seq=streams.c.acked_seq)
        )
        row = conn.execute(statement).one()
    return Stream(row.kiosk_id, row.acked_seq, row.acked_hash)


def advance(
    conn: Connection, institution_id: UUID, stream_id: UUID, stream: Stream, head_seq: int, now: datetime
) -> None:
    """Take over where the stream stands now, and what its kiosk says to have made."""
    conn.execute(
        sa.update(streams)
        .where(streams.c.institution_id == institution_id, streams.c.id == stream_id)
        .values(acked_seq=stream.acked_seq, acked_hash=stream.acked_hash, head_seq=head_seq, heard_at=now)
    )
