"""What a fact means to the hub. Pure: everything it needs to know is given.

Every fact is kept; the verdict says what it counts for. Nothing here looks at a clock (RULE-66, wire.md).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sync.messages import CheckIn, Fact, Undo

Verdict = Literal[
    "counted",
    "already_present",
    "applied",
    "parked:unknown_address",
    "parked:unconfirmed_address",
    "parked:disabled",
    "parked:unknown_session",
]


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whom a check-in's sealed identifier points to: nobody (`student_id` None), or somebody, confirmed or not."""

    student_id: UUID | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and the student it is about as far as the hub knows one."""

    verdict: Verdict
    student_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub knows that bears on a batch of facts."""

    sessions: Collection[UUID]
    disabled: Mapping[UUID, bool]
    """Every student spoken of that exists, and whether they are disabled."""
    claimed: Mapping[UUID, Claimed]
    """By fact id, for check-ins whose person the kiosk did not know."""
    present: set[tuple[UUID, UUID]]
    """(session, student) already in before this batch; the caller adds who comes in with it."""


def judge(fact: Fact, known: Known) -> Judgement:
    """What one fact means, given what is known. Order does not change a count: it only tells first from repeated."""
    if isinstance(fact, Undo):
        return Judgement("applied")
    return _judge_check_in(fact, known)


def _judge_check_in(fact: CheckIn, known: Known) -> Judgement:
    claimed = known.claimed.get(fact.id, Claimed(None, False))
    student_id = fact.ref if fact.ref is not None else claimed.student_id
    if fact.session_id not in known.sessions:
        return Judgement("parked:unknown_session", student_id if student_id in known.disabled else None)
    if student_id is None or student_id not in known.disabled:
        return Judgement("parked:unknown_address")
    if fact.ref is None and not claimed.confirmed:
        return Judgement("parked:unconfirmed_address", student_id)
    if known.disabled[student_id]:
        return Judgement("parked:disabled", student_id)
    if (fact.session_id, student_id) in known.present:
        return Judgement("already_present", student_id)
    return Judgement("counted", student_id)
