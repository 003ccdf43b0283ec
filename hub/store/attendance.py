"""Counts for the live page. Always counted from facts, never kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.schema import (
    OUT_OF_PLACE,
    facts,
    imported_attendance,
    imports,
    institutions,
    kiosks,
    registrations,
    sessions,
    streams,
)
from hub.store.facts import COUNTING, PARKED, taken_back


@dataclass(frozen=True, slots=True)
class Count:
    """One session's numbers: different students present, registered, and check-ins waiting for a decision.

    `imported`: of those present, whom only a file says to have been there. `inside`: of those whom a kiosk saw, who has
    not checked out since; None when the session asks nobody to check out.
    """

    checked_in: int = 0
    imported: int = 0
    registered: int = 0
    parked: int = 0
    inside: int | None = None


def counts(conn: Connection, institution_id: UUID, session_ids: Sequence[UUID]) -> dict[UUID, Count]:
    """The numbers of each of these sessions (RULE-39, RULE-40: one student counts once)."""
    counting = facts.c.verdict.in_(COUNTING)
    parked = facts.c.verdict.startswith(PARKED) & (facts.c.kind == "check_in")
    seen = conn.execute(
        sa.select(
            facts.c.session_id,
            sa.func.count(sa.case((counting, facts.c.student_id)).distinct()),
            sa.func.count(sa.case((parked, 1))),
        )
        .where(
            facts.c.institution_id == institution_id,
            facts.c.session_id.in_(session_ids),
            ~taken_back(institution_id),
        )
        .group_by(facts.c.session_id)
    ).all()
    registered = conn.execute(
        sa.select(registrations.c.session_id, sa.func.count())
        .where(registrations.c.institution_id == institution_id, registrations.c.session_id.in_(session_ids))
        .group_by(registrations.c.session_id)
    ).all()
    expected: dict[UUID, int] = {row[0]: row[1] for row in registered}
    counted = {each: Count(registered=expected.get(each, 0)) for each in session_ids}
    for session_id, present, waiting in seen:
        counted[session_id] = replace(counted[session_id], checked_in=present, parked=waiting)
    for session_id, by_file in _by_file_only(conn, institution_id, session_ids):
        there = counted[session_id]
        counted[session_id] = replace(there, checked_in=there.checked_in + by_file, imported=by_file)
    for session_id, inside in _inside(conn, institution_id, session_ids).items():
        counted[session_id] = replace(counted[session_id], inside=inside)
    return counted


def _by_file_only(conn: Connection, institution_id: UUID, session_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """By session, how many are present whom no kiosk saw there."""
    seen = sa.select(facts.c.student_id).where(
        facts.c.institution_id == institution_id,
        facts.c.session_id == imported_attendance.c.session_id,
        facts.c.student_id == imported_attendance.c.student_id,
        facts.c.verdict.in_(COUNTING),
        ~taken_back(institution_id),
    )
    rows = conn.execute(
        sa.select(imported_attendance.c.session_id, sa.func.count(imported_attendance.c.student_id.distinct()))
        .where(
            imported_attendance.c.institution_id == institution_id,
            imported_attendance.c.session_id.in_(session_ids),
            ~seen.exists(),
        )
        .group_by(imported_attendance.c.session_id)
    )
    return [(row[0], row[1]) for row in rows]


def _inside(conn: Connection, institution_id: UUID, session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """For those sessions that ask for check-out: whose latest check-in is later than their latest check-out."""
    asking = conn.execute(
        sa.select(sessions.c.id).where(
            sessions.c.institution_id == institution_id, sessions.c.id.in_(session_ids), sessions.c.check_out
        )
    )
    counted = dict.fromkeys(asking.scalars(), 0)
    if not counted:
        return {}
    came = sa.case((facts.c.verdict.in_(COUNTING), facts.c.occurred_at))
    left = sa.case(((facts.c.kind == "check_out") & (facts.c.verdict == "applied"), facts.c.occurred_at))
    last = (
        sa.select(
            facts.c.session_id, facts.c.student_id, sa.func.max(came).label("came"), sa.func.max(left).label("left")
        )
        .where(
            facts.c.institution_id == institution_id,
            facts.c.session_id.in_(list(counted)),
            ~taken_back(institution_id),
        )
        .group_by(facts.c.session_id, facts.c.student_id)
        .cte("last")
    )
    # An applied check-out that names nobody is everyone's.
    all_left = last.alias("all_left")
    rows = conn.execute(
        sa.select(last.c.session_id, sa.func.count())
        .outerjoin_from(last, all_left, (all_left.c.session_id == last.c.session_id) & all_left.c.student_id.is_(None))
        .where(
            last.c.student_id.is_not(None),
            last.c.came.is_not(None),
            last.c.left.is_(None) | (last.c.came > last.c.left),
            all_left.c.left.is_(None) | (last.c.came > all_left.c.left),
        )
        .group_by(last.c.session_id)
    )
    for session_id, inside in rows:
        counted[session_id] = inside
    return counted


def stamp(conn: Connection, institution_id: UUID) -> tuple[object, ...]:
    """Changes whenever a count or a kiosk's state may have changed; costs the same however many facts there are."""
    heads = sa.select(
        sa.func.count(), sa.func.coalesce(sa.func.sum(streams.c.acked_seq), 0), sa.func.sum(streams.c.head_seq)
    ).where(streams.c.institution_id == institution_id)
    known = sa.select(sa.func.count(), sa.func.count(kiosks.c.revoked_at), sa.func.max(kiosks.c.last_seen_at)).where(
        kiosks.c.institution_id == institution_id
    )
    applied = sa.func.count(sa.case((imports.c.state == "applied", 1)))
    files = sa.select(applied, sa.func.max(imports.c.changed_at)).where(imports.c.institution_id == institution_id)
    feed = sa.select(institutions.c.feed_position, institutions.c.epoch).where(institutions.c.id == institution_id)
    return tuple(part for each in (heads, known, files, feed) for part in conn.execute(each).one())


def out_of_place(conn: Connection, institution_id: UUID) -> int:
    """How many facts are kept but belong to no session's page: unreadable ones, unknown sessions, id conflicts. What
    came twice, by another way or under another name, is one."""
    statement = sa.select(sa.func.count(facts.c.body.distinct())).where(
        facts.c.institution_id == institution_id, OUT_OF_PLACE
    )
    return int(conn.execute(statement).scalar_one())
