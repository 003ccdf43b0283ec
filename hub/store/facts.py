"""Facts as delivered, and what they come to. A fact's bytes never change; the hub's reading of it may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub import database
from hub.database import Row, insert_once
from hub.schema import facts, freed_addresses, imported_attendance, undone

PARKED = "parked:"
COUNTING = ("counted", "already_present")
"""Verdicts of check-ins, and of nothing else, by which somebody is in."""
WAITING_FOR_AN_ADDRESS = ("parked:unknown_address", "parked:unconfirmed_address")


def claim_of(ref: UUID) -> str:
    """What a fact about a student whom the hub does not know claims, in the place of an address."""
    return f"{_REF}{ref}"


def refs_waited_for(conn: Connection, institution_id: UUID) -> set[UUID]:
    """The students whom parked facts are about and whom the hub did not know."""
    rows = conn.execute(
        sa.select(facts.c.claimed_key)
        .distinct()
        .where(
            facts.c.institution_id == institution_id,
            facts.c.claimed_key.startswith(_REF),
            facts.c.verdict.in_(WAITING_FOR_AN_ADDRESS),
        )
    )
    return {UUID(key.removeprefix(_REF)) for key in rows.scalars()}


def reassign(conn: Connection, institution_id: UUID, student_id: UUID, into_id: UUID) -> None:
    """From now on what one student did is another's; what the facts say stays."""
    conn.execute(
        sa.update(facts)
        .where(facts.c.institution_id == institution_id, facts.c.student_id == student_id)
        .values(student_id=into_id)
    )


_REF = "ref:"
_HELD = sa.select(
    facts.c.seq,
    facts.c.institution_id,
    facts.c.id,
    facts.c.hash,
    facts.c.body,
    facts.c.verdict,
    facts.c.clock_quality,
)


@dataclass(frozen=True, slots=True)
class Held:
    """A fact the hub holds already."""

    institution_id: UUID
    id: UUID | None
    hash: bytes
    body: bytes
    verdict: str
    clock_quality: str | None


@dataclass(frozen=True, slots=True)
class Parked:
    """A fact that waits for a decision. `verdict` says why; `student_id`: whose it would be, if that is known."""

    id: UUID
    kind: str
    session_id: UUID
    student_id: UUID | None
    verdict: str
    occurred_at: datetime
    body: bytes


def add(conn: Connection, rows: Sequence[Row]) -> None:
    """Keep facts. All of them are new: one that is not makes the transaction fail, never vanish."""
    if rows:
        conn.execute(sa.insert(facts), list(rows))


def take_stock(conn: Connection) -> None:
    """Let the database look at how many facts there are now."""
    database.take_stock(conn, facts)


def held(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Held]:
    """Which of these fact ids the hub holds, in whatever stream and institution they came."""
    rows = conn.execute(_HELD.where(facts.c.id.in_(ids)))
    return {row.id: _as_held(row) for row in rows}


def delivered(conn: Connection, institution_id: UUID, stream_id: UUID, first: int, last: int) -> dict[int, Held]:
    """What this stream delivered under the numbers `first` to `last`, both included."""
    rows = conn.execute(
        _HELD.where(
            facts.c.institution_id == institution_id,
            facts.c.stream_id == stream_id,
            facts.c.seq.between(first, last),
        )
    )
    return {row.seq: _as_held(row) for row in rows}


def _as_held(row: Any) -> Held:
    return Held(row.institution_id, row.id, row.hash, row.body, row.verdict, row.clock_quality)


def date(conn: Connection, institution_id: UUID, fact_id: UUID, occurred_at: datetime, quality: str) -> None:
    """From now on a fact happened then: that is known better than before."""
    conn.execute(
        sa.update(facts)
        .where(facts.c.institution_id == institution_id, facts.c.id == fact_id)
        .values(occurred_at=occurred_at, clock_quality=quality)
    )


def last_sure_moment(conn: Connection, institution_id: UUID, stream_id: UUID) -> datetime | None:
    """When the latest fact of a stream happened whose moment is known and not only claimed."""
    return conn.execute(
        sa.select(facts.c.occurred_at)
        .where(
            facts.c.institution_id == institution_id, facts.c.stream_id == stream_id, facts.c.clock_quality == "good"
        )
        .order_by(facts.c.seq.desc())
        .limit(1)
    ).scalar()


def undo(conn: Connection, rows: Sequence[Row]) -> None:
    """Note which check-ins are taken back, whether or not they have arrived yet."""
    insert_once(conn, undone, rows)


def seen(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these students a kiosk saw in a session."""
    rows = conn.execute(
        sa.select(facts.c.student_id).where(
            *_counting(institution_id), facts.c.session_id == session_id, facts.c.student_id.in_(student_ids)
        )
    )
    return set(rows.scalars())


def present(conn: Connection, institution_id: UUID, session_id: UUID, student_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these students are present in a session, by what a kiosk saw or a file says."""
    seen = sa.select(facts.c.student_id).where(
        *_counting(institution_id), facts.c.session_id == session_id, facts.c.student_id.in_(student_ids)
    )
    by_file = sa.select(imported_attendance.c.student_id).where(
        imported_attendance.c.institution_id == institution_id,
        imported_attendance.c.session_id == session_id,
        imported_attendance.c.student_id.in_(student_ids),
    )
    return set(conn.execute(sa.union_all(seen, by_file)).scalars())


def settle_claims(conn: Connection, institution_id: UUID, owners: Mapping[str, UUID]) -> None:
    """Count the parked check-ins that claimed an address which now is a student's, confirmed; apply such check-outs.

    They count with the moment they were made (wire.md). `owners` maps address keys to students. What happened when the
    address was still another student's is left to staff.
    """
    verdict = sa.case((facts.c.kind == "check_out", "applied"), else_="counted")
    for key, student_id in owners.items():
        conn.execute(
            sa.update(facts)
            .where(
                facts.c.institution_id == institution_id,
                facts.c.claimed_key == key,
                facts.c.verdict.in_(WAITING_FOR_AN_ADDRESS),
                ~_when_it_was_anothers(student_id),
            )
            .values(student_id=student_id, verdict=verdict)
        )


def wait_again(conn: Connection, institution_id: UUID, owners: Mapping[str, UUID], *, pending: bool) -> None:
    """What counts for these students because of an address waits for it again, also what staff settled so.

    `owners` maps keys of addresses that are these students' no more to them; or `pending` ones, that are theirs, but
    not confirmed any more. What a kiosk that knew the student saw is not concerned.
    """
    rows = conn.execute(
        sa.select(facts.c.id, facts.c.claimed_key, facts.c.student_id).where(
            facts.c.institution_id == institution_id,
            facts.c.claimed_key.in_(list(owners)),
            facts.c.student_id.is_not(None),
        )
    )
    theirs = [row.id for row in rows if row.student_id == owners[row.claimed_key]]
    waits = "parked:unconfirmed_address" if pending else "parked:unknown_address"
    # What waits for its session to be known does so first.
    verdict = sa.case((facts.c.verdict == "parked:unknown_session", facts.c.verdict), else_=waits)
    conn.execute(
        sa.update(facts)
        .where(facts.c.institution_id == institution_id, facts.c.id.in_(theirs))
        .values(student_id=facts.c.student_id if pending else None, verdict=verdict)
    )


def _when_it_was_anothers(student_id: UUID) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        freed_addresses.c.institution_id == facts.c.institution_id,
        freed_addresses.c.key == facts.c.claimed_key,
        freed_addresses.c.student_id != student_id,
        freed_addresses.c.freed_at > facts.c.occurred_at,
    )


def parked(conn: Connection, institution_id: UUID, session_id: UUID | None) -> list[Parked]:
    """What waits for a decision and was not taken back, the earliest first; of one session, or of all."""
    wanted = [facts.c.session_id == session_id] if session_id else []
    return _parked(conn, institution_id, *wanted)


def one_parked(conn: Connection, institution_id: UUID, fact_id: UUID) -> Parked | None:
    """The fact with this id, if it waits for a decision."""
    found = _parked(conn, institution_id, facts.c.id == fact_id)
    return found[0] if found else None


def _parked(conn: Connection, institution_id: UUID, *wanted: sa.ColumnElement[bool]) -> list[Parked]:
    rows = conn.execute(
        sa.select(
            facts.c.id,
            facts.c.kind,
            facts.c.session_id,
            facts.c.student_id,
            facts.c.verdict,
            facts.c.occurred_at,
            facts.c.body,
        )
        .where(
            facts.c.institution_id == institution_id,
            facts.c.id.is_not(None),
            facts.c.verdict.startswith(PARKED),
            ~taken_back(institution_id),
            *wanted,
        )
        .order_by(facts.c.occurred_at, facts.c.id)
    )
    return [Parked(*row) for row in rows]


def settle(conn: Connection, institution_id: UUID, fact_id: UUID, session_id: UUID, student_id: UUID) -> None:
    """A parked fact is that student's, at that session, and counts from now on."""
    verdict = sa.case((facts.c.kind == "check_out", "applied"), else_="counted")
    conn.execute(
        sa.update(facts)
        .where(facts.c.institution_id == institution_id, facts.c.id == fact_id)
        .values(session_id=session_id, student_id=student_id, verdict=verdict)
    )


def _counting(institution_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        facts.c.institution_id == institution_id,
        facts.c.verdict.in_(COUNTING),
        facts.c.student_id.is_not(None),
        ~taken_back(institution_id),
    )


def taken_back(institution_id: UUID) -> sa.ColumnElement[bool]:
    """Whether some undo names this check-in."""
    return facts.c.id.in_(sa.select(undone.c.check_in_id).where(undone.c.institution_id == institution_id))
