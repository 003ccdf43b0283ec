"""Students with their addresses and cards.

Students and cards are an institution's own; an address belongs to one student on the whole hub (RULE-10).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub import database
from hub.database import Row, insert_once, locked
from hub.schema import (
    addresses,
    cards,
    facts,
    imported_attendance,
    imported_registrations,
    passes,
    registrations,
    students,
)
from hub.schema import merges as merged_students
from hub.store import merges
from hub.store.facts import WAITING_FOR_AN_ADDRESS, claim_of, refs_waited_for

T = TypeVar("T")
Found = sa.Row[*tuple[Any, ...]]

FIELDS = (
    "id",
    "username",
    "auth_identifier",
    "first_name",
    "last_name",
    "middle_name",
    "preferred_name",
    "school_year_name",
    "disabled",
    "preferred_address_id",
    "attributes",
)
_READ = (*FIELDS, "excluded_from_sync")
ADDRESS_FIELDS = ("id", "key", "typed", "kind", "main", "state", "origin")


@dataclass(frozen=True, slots=True)
class Named:
    """A student somebody named, and whether they are archived."""

    id: UUID
    disabled: bool


_BATCH = 5_000
"""Values in one IN (...): SQLite takes 32,766 at most, PostgreSQL 65,535."""


def named(conn: Connection, institution_id: UUID, usernames: Collection[str]) -> list[Found]:
    """The students with these usernames (`FIELDS` and `excluded_from_sync`), kept from other writers until the end of
    a `writing` block.
    """
    return _locked(conn, institution_id, students.c.username, usernames)


def with_ids(conn: Connection, institution_id: UUID, ids: Collection[UUID]) -> list[Found]:
    """The students with these ids, likewise."""
    return _locked(conn, institution_id, students.c.id, ids)


def _locked(conn: Connection, institution_id: UUID, column: sa.Column[Any], values: Collection[Any]) -> list[Found]:
    # Always in the same order, so that two writers wait for each other instead of locking each other out.
    statement = sa.select(*(students.c[name] for name in _READ)).where(students.c.institution_id == institution_id)
    statement = locked(conn, statement.order_by(students.c.username))
    return [row for batch in _batches(values) for row in conn.execute(statement.where(column.in_(batch)))]


def there(conn: Connection, institution_id: UUID, ids: Collection[UUID]) -> set[UUID]:
    """Which of these ids are a student's."""
    return {
        student_id
        for batch in _batches(ids)
        for student_id in conn.execute(
            sa.select(students.c.id).where(students.c.institution_id == institution_id, students.c.id.in_(batch))
        ).scalars()
    }


def in_use(conn: Connection, institution_id: UUID, ids: Collection[UUID]) -> set[UUID]:
    """To which of these students something belongs or refers that no student file brings.

    What counts for them only because an address of theirs was typed somewhere can wait for that address again.
    """
    by_address = sa.exists().where(addresses.c.key == facts.c.claimed_key, addresses.c.student_id == facts.c.student_id)
    columns = (
        registrations.c.student_id,
        imported_attendance.c.student_id,
        imported_registrations.c.student_id,
        passes.c.student_id,
        merged_students.c.into_id,
    )
    hanging = [(facts.c.student_id, ~by_address), *((column, sa.true()) for column in columns)]
    return {
        student_id
        for batch in _batches(ids)
        for column, so in hanging
        for student_id in conn.execute(
            sa.select(column).distinct().where(column.table.c.institution_id == institution_id, column.in_(batch), so)
        ).scalars()
    }


def one(conn: Connection, institution_id: UUID, username: str) -> Found | None:
    """The student with this username (`FIELDS` and `excluded_from_sync`)."""
    return conn.execute(
        sa.select(*(students.c[name] for name in _READ)).where(
            students.c.institution_id == institution_id, students.c.username == username
        )
    ).one_or_none()


def by_username(conn: Connection, institution_id: UUID, usernames: Collection[str]) -> dict[str, Named]:
    """Those of these usernames that are a student's."""
    return {
        row.username: Named(row.id, row.disabled)
        for batch in _batches(usernames)
        for row in conn.execute(
            sa.select(students.c.username, students.c.id, students.c.disabled).where(
                students.c.institution_id == institution_id, students.c.username.in_(batch)
            )
        )
    }


def by_address(conn: Connection, institution_id: UUID, keys: Collection[str]) -> dict[str, tuple[Named, str]]:
    """Those of these address keys that are a student's here, in whatever state: whose, and of what kind."""
    return {row.key: (Named(row.student_id, row.disabled), row.kind) for row in holders(conn, institution_id, keys)}


def holders(conn: Connection, institution_id: UUID, keys: Collection[str]) -> Iterator[Found]:
    """Those of these address keys that are a student's here: `key`, `kind`, `state`, `student_id`, `disabled`."""
    columns = [*(addresses.c[name] for name in ("key", "kind", "state", "student_id")), students.c.disabled]
    for batch in _batches(keys):
        yield from conn.execute(
            sa.select(*columns)
            .join_from(
                addresses,
                students,
                (students.c.institution_id == addresses.c.institution_id) & (students.c.id == addresses.c.student_id),
            )
            .where(addresses.c.institution_id == institution_id, addresses.c.key.in_(batch))
        )


def usernames(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> dict[UUID, str]:
    """What each of these students is called by."""
    return {
        row.id: row.username
        for batch in _batches(student_ids)
        for row in conn.execute(
            sa.select(students.c.id, students.c.username).where(
                students.c.institution_id == institution_id, students.c.id.in_(batch)
            )
        )
    }


def addresses_of(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> Iterator[Found]:
    """The addresses of these students (`student_id` and `ADDRESS_FIELDS`), the main one first, then as they came."""
    columns = [addresses.c.student_id, *(addresses.c[name] for name in ADDRESS_FIELDS)]
    for batch in _batches(student_ids):
        yield from conn.execute(
            sa.select(*columns)
            .where(addresses.c.institution_id == institution_id, addresses.c.student_id.in_(batch))
            .order_by(addresses.c.main.desc(), addresses.c.added_at, addresses.c.id)
        )


def cards_of(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> Iterator[Found]:
    """The cards of these students (`student_id`, `card_id`)."""
    for batch in _batches(student_ids):
        yield from conn.execute(
            sa.select(cards.c.student_id, cards.c.card_id).where(
                cards.c.institution_id == institution_id, cards.c.student_id.in_(batch)
            )
        )


def address_owners(conn: Connection, keys: Collection[str]) -> dict[str, UUID]:
    """For each of these address keys that is taken, on the whole hub and in whatever state: whose it is."""
    return {
        row.key: row.student_id
        for batch in _batches(keys)
        for row in conn.execute(sa.select(addresses.c.key, addresses.c.student_id).where(addresses.c.key.in_(batch)))
    }


def card_owners(conn: Connection, institution_id: UUID, card_ids: Collection[str]) -> dict[str, UUID]:
    """For each of these cards that is taken: whose it is."""
    return {
        row.card_id: row.student_id
        for batch in _batches(card_ids)
        for row in conn.execute(
            sa.select(cards.c.card_id, cards.c.student_id).where(
                cards.c.institution_id == institution_id, cards.c.card_id.in_(batch)
            )
        )
    }


def auth_identifier_owners(conn: Connection, institution_id: UUID, identifiers: Collection[str]) -> dict[str, UUID]:
    """For each of these SSO identifiers that is taken: whose it is."""
    return {
        row.auth_identifier: row.id
        for batch in _batches(identifiers)
        for row in conn.execute(
            sa.select(students.c.auth_identifier, students.c.id).where(
                students.c.institution_id == institution_id, students.c.auth_identifier.in_(batch)
            )
        )
    }


def add(conn: Connection, rows: Sequence[Row]) -> None:
    """Keep new students."""
    if rows:
        conn.execute(sa.insert(students), rows)


def change(conn: Connection, rows: Sequence[Row]) -> None:
    """Bring students up to date, in the order given. Rows have `institution_id`, `id` and the same other columns."""
    _update(conn, students, rows)


def add_addresses(conn: Connection, rows: Sequence[Row]) -> None:
    """Keep new addresses."""
    if rows:
        conn.execute(sa.insert(addresses), rows)


def add_address_once(conn: Connection, row: Row) -> bool:
    """Keep a new address, unless it is anybody's already."""
    return insert_once(conn, addresses, [row]) == 1


def change_addresses(conn: Connection, rows: Sequence[Row]) -> None:
    """Bring addresses up to date, in the order given.

    Rows have `institution_id`, `id` and the same other columns; the first confirmation stays on record.
    """
    if rows and "confirmed_at" in rows[0]:
        _update(conn, addresses, rows, confirmed_at=sa.func.coalesce(addresses.c.confirmed_at, _new("confirmed_at")))
    else:
        _update(conn, addresses, rows)


def moments_of(
    conn: Connection, institution_id: UUID, address_ids: Collection[UUID]
) -> dict[UUID, tuple[datetime, datetime | None]]:
    """When each of these addresses was added, and confirmed if it was."""
    return {
        row.id: (row.added_at, row.confirmed_at)
        for batch in _batches(address_ids)
        for row in conn.execute(
            sa.select(addresses.c.id, addresses.c.added_at, addresses.c.confirmed_at).where(
                addresses.c.institution_id == institution_id, addresses.c.id.in_(batch)
            )
        )
    }


def unconfirm(conn: Connection, institution_id: UUID, address_ids: Collection[UUID]) -> None:
    """Nobody has confirmed these addresses after all."""
    for batch in _batches(address_ids):
        conn.execute(
            sa.update(addresses)
            .where(addresses.c.institution_id == institution_id, addresses.c.id.in_(batch))
            .values(confirmed_at=None)
        )


def drop_addresses(conn: Connection, institution_id: UUID, ids: Collection[UUID]) -> None:
    """Forget addresses: anybody may have them from now on."""
    for batch in _batches(ids):
        conn.execute(
            sa.delete(addresses).where(addresses.c.institution_id == institution_id, addresses.c.id.in_(batch))
        )


def add_cards(conn: Connection, rows: Sequence[Row]) -> None:
    """Keep new cards."""
    if rows:
        conn.execute(sa.insert(cards), rows)


def drop_cards(conn: Connection, institution_id: UUID, card_ids: Collection[str]) -> None:
    """Forget cards: anybody may have them from now on."""
    for batch in _batches(card_ids):
        conn.execute(sa.delete(cards).where(cards.c.institution_id == institution_id, cards.c.card_id.in_(batch)))


def claims_found(conn: Connection, institution_id: UUID) -> dict[str, UUID]:
    """The addresses that parked check-ins wait for and that now are a student's, confirmed; and whose. Likewise the
    students they wait for, who were not known when they came.

    Those of an archived student are left to staff (RULE-35).
    """
    waiting = (
        sa.select(addresses.c.key, addresses.c.student_id)
        .distinct()
        .select_from(facts)
        .join(
            addresses,
            (addresses.c.institution_id == facts.c.institution_id) & (addresses.c.key == facts.c.claimed_key),
        )
        .join(
            students,
            (students.c.institution_id == addresses.c.institution_id) & (students.c.id == addresses.c.student_id),
        )
        .where(
            facts.c.institution_id == institution_id,
            facts.c.claimed_key.is_not(None),
            facts.c.verdict.in_(WAITING_FOR_AN_ADDRESS),
            addresses.c.state == "confirmed",
            students.c.disabled.is_(False),
        )
    )
    found = {row.key: row.student_id for row in conn.execute(waiting)}
    return found | {claim_of(ref): student_id for ref, student_id in _refs_found(conn, institution_id)}


def _refs_found(conn: Connection, institution_id: UUID) -> Iterator[tuple[UUID, UUID]]:
    """The students whom parked check-ins are about and who are here now, under which id."""
    for batch in _batches(refs_waited_for(conn, institution_id)):
        now = {ref: ref for ref in batch} | merges.of(conn, institution_id, batch)
        there = conn.execute(
            sa.select(students.c.id).where(
                students.c.institution_id == institution_id,
                students.c.id.in_(list(set(now.values()))),
                students.c.disabled.is_(False),
            )
        )
        here = set(there.scalars())
        yield from ((ref, student_id) for ref, student_id in now.items() if student_id in here)


def drop(conn: Connection, institution_id: UUID, *ids: UUID) -> None:
    """Forget students to whom nothing belongs any more."""
    for batch in _batches(ids):
        conn.execute(sa.delete(students).where(students.c.institution_id == institution_id, students.c.id.in_(batch)))


def take_stock(conn: Connection) -> None:
    """Let the database look at how many students there are now."""
    database.take_stock(conn, students, addresses, cards)


def _update(conn: Connection, table: sa.Table, rows: Sequence[Row], **special: Any) -> None:
    if not rows:
        return
    values = {name: _new(name) for name in rows[0] if name not in ("institution_id", "id")} | special
    conn.execute(
        sa.update(table)
        .where(table.c.institution_id == _new("institution_id"), table.c.id == _new("id"))
        .values(values),
        [{f"new_{name}": value for name, value in row.items()} for row in rows],
    )


def _new(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(f"new_{name}")


def _batches(values: Collection[T]) -> Iterator[list[T]]:
    listed = list(values)
    for start in range(0, len(listed), _BATCH):
        yield listed[start : start + _BATCH]
