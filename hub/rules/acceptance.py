"""What a fact means to the hub. Pure: everything it needs to know is given.

Every fact is kept; the verdict says what it counts for. Nothing here looks at a clock (RULE-66, wire.md), nor at a
session's opening times: those are judged at the desk alone (ADR 22).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sync.messages import CheckIn, CheckOut, Fact

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
    """Whom a sealed identifier points to: nobody (`student_id` None), or somebody, confirmed or not."""

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
    """By fact id, for facts about a person the kiosk did not know."""
    present: set[tuple[UUID, UUID]]
    """(session, student) already in before this batch; the caller adds who comes in with it."""
    merged: Mapping[UUID, UUID]
    """Students who were found to be others: under which id they are known now."""


def judge(fact: Fact, known: Known) -> Judgement:
    """What one fact means, given what is known. Order does not change a count: it only tells first from repeated."""
    match fact:
        case CheckIn():
            return _judge_check_in(fact, known)
        case CheckOut():
            return _judge_check_out(fact, known)
    return Judgement("applied")


def _judge_check_in(fact: CheckIn, known: Known) -> Judgement:
    who = _who(fact, known)
    if who.verdict != "applied" or who.student_id is None:
        return who
    if known.disabled[who.student_id]:
        return Judgement("parked:disabled", who.student_id)
    if (fact.session_id, who.student_id) in known.present:
        return Judgement("already_present", who.student_id)
    return Judgement("counted", who.student_id)


def _judge_check_out(fact: CheckOut, known: Known) -> Judgement:
    """Leaving is open to everybody, archived students too."""
    if fact.everyone and fact.session_id in known.sessions:
        return Judgement("applied")
    return _who(fact, known)


def _who(fact: CheckIn | CheckOut, known: Known) -> Judgement:
    """Whose fact it is: `applied` and the student, or why that cannot be said yet."""
    claimed = known.claimed.get(fact.id, Claimed(None, False))
    student_id = claimed.student_id if fact.ref is None else known.merged.get(fact.ref, fact.ref)
    if fact.session_id not in known.sessions:
        return Judgement("parked:unknown_session", student_id if student_id in known.disabled else None)
    if student_id is None or student_id not in known.disabled:
        return Judgement("parked:unknown_address")
    if fact.ref is None and not claimed.confirmed:
        return Judgement("parked:unconfirmed_address", student_id)
    return Judgement("applied", student_id)
