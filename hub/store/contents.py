"""Everything there is, whosever it is: what a copy of a hub is compared by."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import facts, kiosks, metadata, streams

Name = tuple[UUID, UUID]
"""An institution, and what is its own."""


@dataclass(frozen=True, slots=True)
class Link:
    """A fact as a link of its stream's chain."""

    stream: Name
    seq: int
    hash: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """A kiosk, and whether it was cut off."""

    id: UUID
    name: str
    revoked_at: datetime | None


def rows(conn: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: int(conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
        for table in metadata.sorted_tables
    }


def marks(conn: Connection) -> dict[Name, tuple[int, bytes]]:
    """How far every stream is held, and its chain's hash there."""
    held = conn.execute(sa.select(streams.c.institution_id, streams.c.id, streams.c.acked_seq, streams.c.acked_hash))
    return {(row.institution_id, row.id): (row.acked_seq, row.acked_hash) for row in held}


@contextmanager
def links(conn: Connection) -> Iterator[Iterator[Link]]:
    """Every fact, stream after stream, each in its order."""
    statement = sa.select(facts.c.institution_id, facts.c.stream_id, facts.c.seq, facts.c.hash, facts.c.body)
    ordered = statement.order_by(facts.c.institution_id, facts.c.stream_id, facts.c.seq)
    with conn.execute(ordered, execution_options={"yield_per": 1_000}) as found:
        yield (Link((row.institution_id, row.stream_id), row.seq, row.hash, row.body) for row in found)


def members(conn: Connection) -> list[Member]:
    """Every kiosk of every institution, in the order they came."""
    found = conn.execute(sa.select(kiosks.c.id, kiosks.c.name, kiosks.c.revoked_at).order_by(kiosks.c.enrolled_at))
    return [Member(*row) for row in found]
