"""Addresses that left a student: whose each was, until another's leaves it again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import put
from hub.schema import freed_addresses


def note(conn: Connection, institution_id: UUID, left: Sequence[tuple[str, UUID]], now: datetime) -> None:
    """These addresses, by key, were these students' until now."""
    mine = {"institution_id": institution_id, "freed_at": now}
    put(conn, freed_addresses, [mine | {"key": key, "student_id": student_id} for key, student_id in left])


def forget(conn: Connection, institution_id: UUID, keys: Collection[str]) -> None:
    """These addresses are their students' again, as if they had not left them."""
    conn.execute(
        sa.delete(freed_addresses).where(
            freed_addresses.c.institution_id == institution_id, freed_addresses.c.key.in_(list(keys))
        )
    )


def since(conn: Connection, institution_id: UUID, moment: datetime) -> dict[str, UUID]:
    """Whose each address was that has been freed since then, by key."""
    rows = conn.execute(
        sa.select(freed_addresses.c.key, freed_addresses.c.student_id).where(
            freed_addresses.c.institution_id == institution_id, freed_addresses.c.freed_at >= moment
        )
    )
    return {row.key: row.student_id for row in rows}


def from_others(conn: Connection, institution_id: UUID, owners: dict[str, UUID]) -> dict[str, datetime]:
    """When these addresses left a student who is not their owner now, by key."""
    rows = conn.execute(
        sa.select(freed_addresses.c.key, freed_addresses.c.student_id, freed_addresses.c.freed_at).where(
            freed_addresses.c.institution_id == institution_id, freed_addresses.c.key.in_(list(owners))
        )
    )
    return {row.key: row.freed_at for row in rows if row.student_id != owners[row.key]}
