"""The hub itself and the institutions that share it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row, held_still, locked
from hub.schema import hubs, institutions
from sync.messages import CardFormat


@dataclass(frozen=True, slots=True)
class DeskSecret:
    """What a desk PIN came to, and the key of the directory it opens. `cost` and `key` as in `sync.seals.pin_key`."""

    salt: bytes
    cost: int
    key: bytes
    directory_key: bytes


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution with the keys of its roster. `desk` is there while its desks have a PIN."""

    id: UUID
    name: str
    card_formats: tuple[CardFormat, ...]
    epoch: UUID
    feed_position: int
    roster_key: bytes
    private_key: bytes
    public_key: bytes
    desk: DeskSecret | None


def hub_id(conn: Connection) -> UUID | None:
    """This hub's own id, or None before `hub init`."""
    return conn.execute(sa.select(hubs.c.id)).scalar()


def make_hub(conn: Connection, row: Row) -> None:
    """Give this hub its id."""
    conn.execute(sa.insert(hubs), row)


def of(conn: Connection, institution_id: UUID) -> Institution:
    """The institution that something in this database belongs to. Raises `LookupError` when the database lies."""
    return _there(conn, _with_id(institution_id))


def hold_still(conn: Connection, institution_id: UUID) -> Institution:
    """The institution, kept from moving its feed on until the transaction ends: whose an address is stays true."""
    return _there(conn, held_still(_with_id(institution_id)))


def lock(conn: Connection, institution_id: UUID) -> Institution:
    """The institution, kept from every other change until the transaction ends."""
    return _there(conn, locked(conn, _with_id(institution_id)))


def named(conn: Connection, name: str) -> Institution | None:
    """The institution of this name."""
    return _one(conn, sa.select(institutions).where(institutions.c.name == name))


def all_ids(conn: Connection) -> list[tuple[UUID, str]]:
    """Every institution on this hub: id and name, by name."""
    rows = conn.execute(sa.select(institutions.c.id, institutions.c.name).order_by(institutions.c.name))
    return [(row.id, row.name) for row in rows]


def add(conn: Connection, row: Row) -> None:
    """Keep a new institution."""
    conn.execute(sa.insert(institutions), row)


def set_card_formats(conn: Connection, institution_id: UUID, formats: tuple[CardFormat, ...]) -> None:
    """Replace the card formats."""
    _update(conn, institution_id, card_formats=msgspec.to_builtins(formats))


def rotate(conn: Connection, institution_id: UUID, epoch: UUID, roster_key: bytes, desk: DeskSecret | None) -> None:
    """Begin a new epoch of the feed under new keys: every kiosk starts its roster afresh, with or without directory."""
    _update(
        conn,
        institution_id,
        epoch=epoch,
        roster_key=roster_key,
        desk_salt=desk and desk.salt,
        desk_cost=desk and desk.cost,
        desk_key=desk and desk.key,
        directory_key=desk and desk.directory_key,
    )


def _update(conn: Connection, institution_id: UUID, **values: Any) -> None:
    conn.execute(sa.update(institutions).where(institutions.c.id == institution_id).values(**values))


def _with_id(institution_id: UUID) -> sa.Select[Any]:
    return sa.select(institutions).where(institutions.c.id == institution_id)


def _there(conn: Connection, statement: sa.Select[Any]) -> Institution:
    found = _one(conn, statement)
    if found is None:
        raise LookupError("no such institution")
    return found


def _one(conn: Connection, statement: sa.Select[Any]) -> Institution | None:
    row = conn.execute(statement).one_or_none()
    if row is None:
        return None
    return Institution(
        id=row.id,
        name=row.name,
        card_formats=msgspec.convert(row.card_formats, tuple[CardFormat, ...]),
        epoch=row.epoch,
        feed_position=row.feed_position,
        roster_key=row.roster_key,
        private_key=row.private_key,
        public_key=row.public_key,
        desk=None
        if row.desk_key is None
        else DeskSecret(row.desk_salt, row.desk_cost, row.desk_key, row.directory_key),
    )
