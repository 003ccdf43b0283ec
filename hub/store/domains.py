"""Which institution lists which mail domain."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import insert_once
from hub.errors import HubRefused
from hub.schema import domains


def owners(conn: Connection) -> dict[str, UUID]:
    """Every listed mail domain of this hub, and the institution it belongs to."""
    return {row.domain: row.institution_id for row in conn.execute(sa.select(domains))}


def of(conn: Connection, institution_id: UUID) -> tuple[str, ...]:
    """The mail domains of an institution, by name."""
    rows = conn.execute(
        sa.select(domains.c.domain).where(domains.c.institution_id == institution_id).order_by(domains.c.domain)
    )
    return tuple(rows.scalars())


def add(conn: Connection, institution_id: UUID, wanted: Sequence[str]) -> None:
    """List domains (in the form of `sync.identifiers.read_domain`) as an institution's.

    Those it lists already stay. Raises `HubRefused` when one is another institution's.
    """
    insert_once(conn, domains, [{"institution_id": institution_id, "domain": domain} for domain in wanted])
    listed = owners(conn)
    foreign = [domain for domain in wanted if listed[domain] != institution_id]
    if foreign:
        raise HubRefused(f"{', '.join(foreign)}: listed by another institution of this hub. Leave it out.")
