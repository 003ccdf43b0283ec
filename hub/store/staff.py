"""Who signs in at the hub, each with one role. An address signs in once on the whole hub."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row, insert_once
from hub.schema import roles, roles_users, users


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of an institution's staff. Who is not active may not sign in any more."""

    id: int
    institution_id: UUID
    email: str
    role: str
    active: bool
    since: datetime | None


def add(conn: Connection, row: Row, role: str) -> None:
    """Keep somebody new."""
    user_id = conn.execute(sa.insert(users).values(row).returning(users.c.id)).scalar_one()
    conn.execute(sa.insert(roles_users).values(user_id=user_id, role_id=_role_id(conn, role)))


def change(conn: Connection, user_id: int, values: Row, role: str | None = None) -> None:
    """Bring somebody up to date."""
    conn.execute(sa.update(users).where(users.c.id == user_id).values(values))
    if role is not None:
        conn.execute(sa.delete(roles_users).where(roles_users.c.user_id == user_id))
        conn.execute(sa.insert(roles_users).values(user_id=user_id, role_id=_role_id(conn, role)))


def find(conn: Connection, email: str) -> Member | None:
    """Whoever signs in, or did, with this address, at whatever institution and in whatever spelling."""
    found = _members(conn, sa.func.lower(users.c.email) == email.lower())
    return found[0] if found else None


def everyone(conn: Connection, institution_id: UUID) -> list[Member]:
    """An institution's staff, by address."""
    return _members(conn, users.c.institution_id == institution_id)


def _members(conn: Connection, condition: sa.ColumnElement[bool]) -> list[Member]:
    rows = conn.execute(
        sa.select(
            users.c.id,
            users.c.institution_id,
            users.c.email,
            sa.func.coalesce(sa.func.min(roles.c.name), "").label("role"),
            users.c.active,
            users.c.create_datetime.label("since"),
        )
        .outerjoin_from(users, roles_users, roles_users.c.user_id == users.c.id)
        .outerjoin(roles, roles.c.id == roles_users.c.role_id)
        .where(condition)
        .group_by(users.c.id)
        .order_by(users.c.email)
    )
    return [Member(**row._mapping) for row in rows]


def _role_id(conn: Connection, role: str) -> int:
    insert_once(conn, roles, [{"name": role}])
    return int(conn.execute(sa.select(roles.c.id).where(roles.c.name == role)).scalar_one())
