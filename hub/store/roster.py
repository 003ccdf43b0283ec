"""What kiosks may know of people: by what to find them, how to greet them, whether to let them in.

Whoever changes any of it touches the person in the feed (`hub.store.feed`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import addresses, cards, passes, registrations, students
from sync.identifiers import Card, Email, Identifier, Pass


@dataclass(frozen=True, slots=True)
class Person:
    """A student as a kiosk needs them. `main_address` is its key; `registered`: for which sessions."""

    id: UUID
    first_name: str
    last_name: str | None
    middle_name: str | None
    preferred_name: str | None
    school_year_name: str | None
    disabled: bool
    main_address: str | None
    identifiers: tuple[Identifier, ...]
    registered: tuple[UUID, ...]

    @property
    def greeting(self) -> str:
        """The name a desk calls them by."""
        return self.preferred_name or self.first_name


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose an address is, and whether it may identify them yet (RULE-6)."""

    student_id: UUID
    confirmed: bool


def people(conn: Connection, institution_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Person]:
    """The students with these ids, as far as they exist."""
    identifiers: dict[UUID, list[Identifier]] = defaultdict(list)
    main: dict[UUID, str] = {}
    for student_id, typed, key, is_main in conn.execute(
        _theirs(addresses, institution_id, ids, "typed", "key", "main").where(addresses.c.state == "confirmed")
    ):
        identifiers[student_id].append(Email(typed, key))
        if is_main:
            main[student_id] = key
    for student_id, card_id in conn.execute(_theirs(cards, institution_id, ids, "card_id")):
        identifiers[student_id].append(Card(card_id))
    for student_id, pass_id in conn.execute(_theirs(passes, institution_id, ids, "id")):
        identifiers[student_id].append(Pass(pass_id))
    registered: dict[UUID, list[UUID]] = defaultdict(list)
    for student_id, session_id in conn.execute(_theirs(registrations, institution_id, ids, "session_id")):
        registered[student_id].append(session_id)
    rows = conn.execute(
        sa.select(*(students.c[name] for name in _OF_A_STUDENT)).where(
            students.c.institution_id == institution_id, students.c.id.in_(ids)
        )
    )
    return {
        row.id: Person(
            **row._mapping,
            main_address=main.get(row.id),
            identifiers=tuple(identifiers[row.id]),
            registered=tuple(sorted(registered[row.id])),
        )
        for row in rows
    }


_OF_A_STUDENT = (
    "id",
    "first_name",
    "last_name",
    "middle_name",
    "preferred_name",
    "school_year_name",
    "disabled",
)


def _theirs(table: sa.Table, institution_id: UUID, ids: Sequence[UUID], *names: str) -> sa.Select[Any]:
    return sa.select(table.c.student_id, *(table.c[name] for name in names)).where(
        table.c.institution_id == institution_id, table.c.student_id.in_(ids)
    )


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
