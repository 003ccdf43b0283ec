"""Check-ins that wait for somebody at the office to decide whose they are, or whether they count."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from hub.actions.receive import Delivered, claim, read_fact, what_is_known
from hub.database import reading, writing
from hub.errors import HubRefused, UnknownStudent
from hub.rules.acceptance import judge
from hub.store import events, facts, institutions, students
from hub.store import parked as store
from hub.store.facts import PARKED, Parked
from hub.store.institutions import Institution
from sync.messages import FACT, MAX_FACTS, CheckIn, CheckOut
from sync.seals import open_at_hub

UNKNOWN_SESSION = "parked:unknown_session"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A check-in or check-out that waits. `typed` is what somebody gave at the desk, and `name` what staff there wrote
    beside it; None where nothing was sealed or it cannot be opened."""

    id: UUID
    kind: str
    session_id: UUID
    session: str | None
    reason: str
    occurred_at: datetime
    username: str | None
    typed: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """How many check-ins and check-outs were moved: those that take effect now, and those that wait for something
    else."""

    counted: int
    parked: int


def everything(engine: Engine, institution_id: UUID, session_id: UUID | None = None) -> list[Waiting]:
    """What waits, the earliest first; of one session, or of all."""
    with reading(engine) as conn:
        return _told(conn, institution_id, facts.parked(conn, institution_id, session_id))


def settle(engine: Engine, institution_id: UUID, fact_id: UUID, username: str, session_id: UUID | None = None) -> None:
    """Decide that a parked check-in or check-out is this student's, and counts with the moment it was made.

    `session_id` where the hub does not know the session it was made at. An undo takes it back like any other. Raises
    `HubRefused`, `UnknownStudent` or `UnknownSession`.
    """
    with writing(engine) as conn:
        parked = facts.one_parked(conn, institution_id, fact_id)
        if parked is None:
            raise HubRefused(f"Nothing waits under {fact_id}. `hub parked list` shows what does.")
        found = students.named(conn, institution_id, [username])
        if not found:
            raise UnknownStudent(f"There is no student {username!r}. Upper and lower case count.")
        session = events.there(conn, institution_id, session_id or parked.session_id)
        facts.settle(conn, institution_id, fact_id, session.id, found[0].id)


def move(engine: Engine, institution_id: UUID, session_id: UUID, to_id: UUID) -> Moved:
    """What came for a session that the hub does not know is judged as if it came now, for the session `to_id`.

    That counts with the moment it was made, and what was taken back stays so. Again: moves what came since. Raises
    `UnknownSession`.
    """
    with writing(engine) as conn:
        institution = institutions.hold_still(conn, institution_id)
        to = events.there(conn, institution_id, to_id)
        parked = [each for each in facts.parked(conn, institution_id, session_id) if each.verdict == UNKNOWN_SESSION]
        waiting = [_at(to.id, each, institution) for each in parked]
        when = {each.id: each.occurred_at for each in parked}
        verdicts: list[str] = []
        for start in range(0, len(waiting), MAX_FACTS):
            verdicts += _judged_again(conn, institution_id, to.id, waiting[start : start + MAX_FACTS], when)
    still = sum(verdict.startswith(PARKED) for verdict in verdicts)
    return Moved(counted=len(verdicts) - still, parked=still)


def _at(session_id: UUID, parked: Parked, institution: Institution) -> Delivered:
    delivered = read_fact(0, parked.body, b"", institution.private_key)
    fact = delivered.fact and msgspec.structs.replace(delivered.fact, session_id=session_id)
    return replace(delivered, fact=fact)


def _judged_again(
    conn: Connection,
    institution_id: UUID,
    session_id: UUID,
    waiting: Sequence[Delivered],
    when: Mapping[UUID, datetime],
) -> Iterator[str]:
    known = what_is_known(conn, institution_id, waiting, when)
    for each in waiting:
        if each.fact is not None:
            judgement = judge(each.fact, known)
            if judgement.verdict == "counted" and judgement.student_id is not None:
                known.present.add((session_id, judgement.student_id))
            store.judge_again(
                conn,
                institution_id,
                each.fact.id,
                session_id,
                judgement.student_id,
                judgement.verdict,
                claim(each, judgement),
            )
            yield judgement.verdict


def _told(conn: Connection, institution_id: UUID, waiting: list[Parked]) -> list[Waiting]:
    private_key = institutions.of(conn, institution_id).private_key
    sessions = {each.id: each for each in events.some(conn, institution_id, [each.session_id for each in waiting])}
    known = students.usernames(conn, institution_id, {each.student_id for each in waiting if each.student_id})
    return [
        Waiting(
            id=each.id,
            kind=each.kind,
            session_id=each.session_id,
            session=sessions[each.session_id].name if each.session_id in sessions else None,
            reason=each.verdict.removeprefix(PARKED),
            occurred_at=each.occurred_at,
            username=known.get(each.student_id) if each.student_id else None,
            typed=typed,
            name=name,
        )
        for each in waiting
        for typed, name in [_opened(private_key, each.body)]
    ]


def _opened(private_key: bytes, body: bytes) -> tuple[str | None, str | None]:
    fact = FACT.decode(body)
    sealed = fact.sealed_identifier if isinstance(fact, CheckIn | CheckOut) else None
    said = None if sealed is None else open_at_hub(private_key, sealed)
    return (None, None) if said is None else (said.text or None, said.name or None)
