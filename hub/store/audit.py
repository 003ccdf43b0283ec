"""The audit log: only ever added to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from hub.schema import audit_log


@dataclass(frozen=True, slots=True)
class Entry:
    """Something somebody did: `what` is a stable code, `about` what it was done to."""

    at: datetime
    who: str
    what: str
    about: dict[str, Any]


def add(conn: Connection, institution_id: UUID, at: datetime, who: str, what: str, about: dict[str, str | int]) -> None:
    """Write an entry."""
    row = {"institution_id": institution_id, "id": uuid7(), "at": at, "who": who, "what": what, "about": about}
    conn.execute(sa.insert(audit_log), row)


def latest(conn: Connection, institution_id: UUID, limit: int) -> list[Entry]:
    """The last entries, the latest first."""
    rows = conn.execute(
        sa.select(audit_log.c.at, audit_log.c.who, audit_log.c.what, audit_log.c.about)
        .where(audit_log.c.institution_id == institution_id)
        .order_by(audit_log.c.at.desc(), audit_log.c.id.desc())
        .limit(limit)
    )
    return [Entry(*row) for row in rows]
