"""What goes into files: who came to an event, and all students. Read row by row, however many there are."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row
from hub.schema import (
    addresses,
    facts,
    imported_attendance,
    kiosks,
    registrations,
    sessions,
    streams,
    students,
)
from hub.store.facts import COUNTING, taken_back
from hub.store.students import FIELDS

_BLOCK = 1_000


class Attendee(msgspec.Struct, frozen=True):
    """Somebody who was registered for a session, or came.

    `address`: the main school one. `arrived`, `method` and `kiosk` are those of the first check-in that counts, `left`
    is when they left for good. `by_file`: a file says that they came.
    """

    session_id: UUID
    username: str
    first_name: str
    middle_name: str | None
    last_name: str | None
    preferred_name: str | None
    address: str | None
    registered: bool
    seen: bool
    by_file: bool
    arrived: datetime | None = None
    method: str | None = None
    kiosk: str | None = None
    left: datetime | None = None

    @property
    def checked_in(self) -> bool:
        """Whether they came, by a kiosk's word or a file's."""
        return self.seen or self.by_file


def attendees(conn: Connection, institution_id: UUID, session_ids: Sequence[UUID]) -> Iterator[Attendee]:
    """Everybody who was registered or came (RULE-49), session by session, by name."""
    entries = _entries(institution_id, session_ids).subquery("entries")
    all_left = _all_left(conn, institution_id, session_ids)
    statement = (
        sa.select(
            entries.c.session_id,
            entries.c.kind,
            entries.c.occurred_at,
            entries.c.method,
            students.c.username,
            students.c.first_name,
            students.c.middle_name,
            students.c.last_name,
            students.c.preferred_name,
            addresses.c.typed.label("address"),
            kiosks.c.name.label("kiosk"),
        )
        .select_from(entries)
        .join(students, _is(students, institution_id, entries.c.student_id))
        .join(sessions, _is(sessions, institution_id, entries.c.session_id))
        .outerjoin(
            addresses,
            (addresses.c.institution_id == institution_id)
            & (addresses.c.student_id == entries.c.student_id)
            & addresses.c.main,
        )
        .outerjoin(streams, _is(streams, institution_id, entries.c.stream_id))
        .outerjoin(kiosks, _is(kiosks, institution_id, streams.c.kiosk_id))
        .order_by(
            sessions.c.number,
            students.c.last_name,
            students.c.first_name,
            students.c.username,
            entries.c.occurred_at,
            entries.c.id,
        )
    )
    with conn.execute(statement, execution_options={"yield_per": _BLOCK}) as rows:
        for (session_id, _), its in groupby(rows, key=lambda row: (row.session_id, row.username)):
            found = _attendee(list(its), all_left.get(session_id, []))
            if found.registered or found.checked_in:
                yield found


def _entries(institution_id: UUID, session_ids: Sequence[UUID]) -> sa.CompoundSelect[Any]:
    """All that is written down of anybody at these sessions. Joined as it is: a summary of each kind first would have
    no index, and each would be held against each.
    """

    def about(table: sa.Table) -> sa.ColumnElement[bool]:
        return (table.c.institution_id == institution_id) & table.c.session_id.in_(session_ids)

    # First, because it says of what type each column is.
    seen = sa.select(
        facts.c.session_id,
        facts.c.student_id,
        facts.c.kind,
        facts.c.occurred_at,
        facts.c.id,
        facts.c.method,
        facts.c.stream_id,
    ).where(about(facts), facts.c.student_id.is_not(None), _in_effect(institution_id))
    said = (
        sa.select(
            table.c.session_id,
            table.c.student_id,
            sa.literal(table.name, sa.String),
            *[sa.null()] * 4,
        ).where(about(table))
        for table in (registrations, imported_attendance)
    )
    return sa.union_all(seen, *said)


def _in_effect(institution_id: UUID) -> sa.ColumnElement[bool]:
    gone = (facts.c.kind == "check_out") & (facts.c.verdict == "applied")
    return (facts.c.verdict.in_(COUNTING) | gone) & ~taken_back(institution_id)


def _all_left(conn: Connection, institution_id: UUID, session_ids: Sequence[UUID]) -> dict[UUID, list[datetime]]:
    """By session, when everybody who was there was checked out."""
    rows = conn.execute(
        sa.select(facts.c.session_id, facts.c.occurred_at).where(
            facts.c.institution_id == institution_id,
            facts.c.session_id.in_(session_ids),
            facts.c.kind == "check_out",
            facts.c.student_id.is_(None),
            _in_effect(institution_id),
        )
    )
    left: dict[UUID, list[datetime]] = {}
    for session_id, at in rows:
        left.setdefault(session_id, []).append(at)
    return left


def _attendee(entries: Sequence[Any], all_left: Sequence[datetime]) -> Attendee:
    """What is written down of one person at one session, the earliest first, as one row."""
    arrivals = [
        each for each in entries if each.kind not in (registrations.name, imported_attendance.name, "check_out")
    ]
    first, last = (arrivals[0], arrivals[-1].occurred_at) if arrivals else (None, None)
    outs = [*(each.occurred_at for each in entries if each.kind == "check_out"), *all_left]
    person, kinds = entries[0], {each.kind for each in entries}
    return Attendee(
        session_id=person.session_id,
        username=person.username,
        first_name=person.first_name,
        middle_name=person.middle_name,
        last_name=person.last_name,
        preferred_name=person.preferred_name,
        address=person.address,
        registered=registrations.name in kinds,
        seen=first is not None,
        by_file=imported_attendance.name in kinds,
        arrived=first and first.occurred_at,
        method=first and first.method,
        kiosk=first and first.kiosk,
        left=min((at for at in outs if last is not None and at >= last), default=None),
    )


def _is(table: sa.Table, institution_id: UUID, id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    return (table.c.institution_id == institution_id) & (table.c.id == id)


def all_students(conn: Connection, institution_id: UUID) -> Iterator[tuple[Row, list[tuple[str, bool]]]]:
    """Every student by username (`FIELDS`), archived ones included, each with the main address and those that came
    by file: as they are written, and whether it is the main one.
    """
    statement = (
        sa.select(*(students.c[name] for name in FIELDS), addresses.c.typed, addresses.c.main)
        .outerjoin_from(
            students,
            addresses,
            (addresses.c.institution_id == institution_id)
            & (addresses.c.student_id == students.c.id)
            & (addresses.c.main | (addresses.c.origin == "imported")),
        )
        .where(students.c.institution_id == institution_id)
        .order_by(students.c.username, addresses.c.added_at, addresses.c.id)
    )
    with conn.execute(statement, execution_options={"yield_per": _BLOCK}) as rows:
        for _, its in groupby(rows.mappings(), key=lambda row: row["id"]):
            lines = list(its)
            typed = [(line["typed"], line["main"]) for line in lines if line["typed"] is not None]
            yield {name: lines[0][name] for name in FIELDS}, typed
