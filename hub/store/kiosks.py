"""Kiosks: invitations, tokens (as hashes only), when they were last heard of and what they hold back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row
from hub.schema import invitations, kiosks, sessions, streams


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A kiosk as the hub knows it. `session_id` is where the office wants it, since its `assignment`-th assignment."""

    id: UUID
    institution_id: UUID
    name: str
    enrolled_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None
    session_id: UUID | None
    assignment: int


@dataclass(frozen=True, slots=True)
class Listed(Kiosk):
    """The same with the name of that session, and how many check-ins it last said to hold back."""

    session: str | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time code that was still good when it was taken."""

    institution_id: UUID
    name: str


def invite(conn: Connection, row: Row) -> None:
    """Keep an invitation."""
    conn.execute(sa.insert(invitations), row)


def take_invitation(conn: Connection, code_hash: bytes, kiosk_id: UUID, now: datetime) -> Invitation | None:
    """Use an invitation up, or None when there is none, it was used, or it is too old. At most one taker wins."""
    row = conn.execute(
        sa.update(invitations)
        .where(
            invitations.c.code_hash == code_hash,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > now,
        )
        .values(used_at=now, kiosk_id=kiosk_id)
        .returning(invitations.c.institution_id, invitations.c.name)
    ).one_or_none()
    return None if row is None else Invitation(row.institution_id, row.name)


def add(conn: Connection, row: Row) -> None:
    """Keep a newly enrolled kiosk."""
    conn.execute(sa.insert(kiosks), row)


def by_token(conn: Connection, token_hash: bytes) -> Kiosk | None:
    """The kiosk that holds a token, revoked or not."""
    row = conn.execute(sa.select(*_COLUMNS).where(kiosks.c.token_hash == token_hash)).one_or_none()
    return None if row is None else Kiosk(*row)


def get(conn: Connection, institution_id: UUID, kiosk_id: UUID) -> Listed | None:
    """The kiosk with this id."""
    found = _kiosks(conn, kiosks.c.institution_id == institution_id, kiosks.c.id == kiosk_id)
    return found[0] if found else None


def everyone(conn: Connection, institution_id: UUID) -> list[Listed]:
    """All kiosks of an institution, revoked ones included, in the order they came."""
    return _kiosks(conn, kiosks.c.institution_id == institution_id)


def heard_from(conn: Connection, institution_id: UUID, kiosk_id: UUID, now: datetime) -> None:
    """Note that a kiosk was in touch."""
    _update(conn, institution_id, kiosk_id, last_seen_at=now)


def revoke(conn: Connection, institution_id: UUID, kiosk_id: UUID, now: datetime) -> None:
    """Cut a kiosk's token off."""
    _update(conn, institution_id, kiosk_id, revoked_at=now)


def assign(conn: Connection, institution_id: UUID, kiosk_id: UUID, session_id: UUID) -> None:
    """Give a kiosk its next assignment."""
    _update(conn, institution_id, kiosk_id, session_id=session_id, assignment=kiosks.c.assignment + 1)


def forget_assignments(conn: Connection, number: int) -> None:
    """No kiosk of any institution is assigned; their next assignments have greater numbers than this and any before."""
    now = kiosks.c.assignment + 1
    conn.execute(sa.update(kiosks).values(session_id=None, assignment=sa.case((now < number, number), else_=now)))


def _update(conn: Connection, institution_id: UUID, kiosk_id: UUID, **values: object) -> None:
    conn.execute(
        sa.update(kiosks).where(kiosks.c.institution_id == institution_id, kiosks.c.id == kiosk_id).values(**values)
    )


_COLUMNS = (
    kiosks.c.id,
    kiosks.c.institution_id,
    kiosks.c.name,
    kiosks.c.enrolled_at,
    kiosks.c.last_seen_at,
    kiosks.c.revoked_at,
    kiosks.c.session_id,
    kiosks.c.assignment,
)


def _kiosks(conn: Connection, *conditions: sa.ColumnElement[bool]) -> list[Listed]:
    held_back = streams.c.head_seq - streams.c.acked_seq
    waiting = (
        # PostgreSQL sums to a decimal.
        sa.select(sa.cast(sa.func.coalesce(sa.func.sum(held_back), 0), sa.BigInteger))
        .where(streams.c.institution_id == kiosks.c.institution_id, streams.c.kiosk_id == kiosks.c.id)
        .scalar_subquery()
    )
    rows = conn.execute(
        sa.select(*_COLUMNS, sessions.c.name.label("session"), waiting.label("waiting"))
        .outerjoin_from(
            kiosks,
            sessions,
            (sessions.c.institution_id == kiosks.c.institution_id) & (sessions.c.id == kiosks.c.session_id),
        )
        .where(*conditions)
        .order_by(kiosks.c.enrolled_at, kiosks.c.id)
    )
    return [Listed(**row._mapping) for row in rows]
