"""What kiosks may know of people: their confirmed addresses and cards, how to greet them, whether to let them in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import addresses, cards, students
from sync.identifiers import Card, Email, Identifier


@dataclass(frozen=True, slots=True)
class Person:
    """A student as a kiosk needs them."""

    id: UUID
    greeting: str
    disabled: bool
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose an address is, and whether it may identify them yet (RULE-6)."""

    student_id: UUID
    confirmed: bool


def people(conn: Connection, institution_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Person]:
    """The students with these ids, as far as they exist."""
    identifiers: dict[UUID, list[Identifier]] = defaultdict(list)
    for student_id, typed, key in conn.execute(
        sa.select(addresses.c.student_id, addresses.c.typed, addresses.c.key).where(
            addresses.c.institution_id == institution_id,
            addresses.c.student_id.in_(ids),
            addresses.c.state == "confirmed",
        )
    ):
        identifiers[student_id].append(Email(typed, key))
    for student_id, card_id in conn.execute(
        sa.select(cards.c.student_id, cards.c.card_id).where(
            cards.c.institution_id == institution_id, cards.c.student_id.in_(ids)
        )
    ):
        identifiers[student_id].append(Card(card_id))
    rows = conn.execute(
        sa.select(students.c.id, students.c.preferred_name, students.c.first_name, students.c.disabled).where(
            students.c.institution_id == institution_id, students.c.id.in_(ids)
        )
    )
    return {
        row.id: Person(row.id, row.preferred_name or row.first_name, row.disabled, tuple(identifiers[row.id]))
        for row in rows
    }


def standing(conn: Connection, institution_id: UUID, ids: Sequence[UUID]) -> dict[UUID, bool]:
    """For each of these students that exists: whether they are disabled."""
    rows = conn.execute(
        sa.select(students.c.id, students.c.disabled).where(
            students.c.institution_id == institution_id, students.c.id.in_(ids)
        )
    )
    return {row.id: row.disabled for row in rows}


def claims(conn: Connection, institution_id: UUID, keys: Sequence[str]) -> dict[str, Claim]:
    """For each of these address keys that is a student's: whose, and whether confirmed."""
    rows = conn.execute(
        sa.select(addresses.c.key, addresses.c.student_id, addresses.c.state).where(
            addresses.c.institution_id == institution_id, addresses.c.key.in_(keys)
        )
    )
    return {row.key: Claim(row.student_id, row.state == "confirmed") for row in rows}
