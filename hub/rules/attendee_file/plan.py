"""A row beside what is known: whose its address is, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from hub.rules.attendee_file.codes import REPEATED, Problem
from hub.rules.attendee_file.columns import ADDRESS, ID, IDENTIFIER, TYPE
from hub.rules.attendee_file.occasions import Occasions, session_of
from hub.rules.attendee_file.rows import FileRow
from hub.rules.headers import WRONG_WIDTH
from sync.identifiers import Email


class Holder(NamedTuple):
    """Whose an address is, and of what kind. `main`: their main school address."""

    student_id: UUID
    archived: bool
    kind: str
    confirmed: bool
    main: str | None


class Record(NamedTuple):
    """What is stored of a student and a session."""

    registered: bool = False
    present: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a row comes to: what is to be stored beside `before`, and what staff should look at (`codes.FLAGS`)."""

    before: Record
    registers: bool
    attends: bool
    flags: tuple[str, ...]


@dataclass(slots=True)
class Seen:
    """Who was in the file for which session so far, and on which line first."""

    lines: dict[UUID, dict[UUID, int]] = field(default_factory=dict)

    def repeats(self, session_id: UUID, student_id: UUID, number: int) -> Problem | None:
        """Whether an earlier row was about the same person at the same session (RULE-101)."""
        line = self.lines.setdefault(session_id, {}).setdefault(student_id, number)
        if line == number:
            return None
        return Problem(ADDRESS, REPEATED, f"is the same person at the same session as line {line}", {"line": line})


def holder_of(email: Email, holders: Mapping[str, Holder], *, sees_students: bool) -> Holder | Problem:
    """Whose school address this is (RULE-74, RULE-78). `sees_students`: whose another one is may be said."""
    holder = holders.get(email.key)
    if holder is None:
        return Problem(ADDRESS, "unknown_address", "is no student's address here")
    if not holder.confirmed:
        # Whoever added it may not be who it belongs to, so nothing more is said of them.
        return Problem(ADDRESS, "unconfirmed", "is not confirmed: use the school address")
    if holder.kind == "school":
        return holder
    said = "is an additional address, and only school addresses count here"
    if not sees_students or holder.main is None:
        return Problem(ADDRESS, "not_a_school_address", said)
    return Problem(ADDRESS, "not_a_school_address", f"{said}: use {holder.main}", {"use": holder.main})


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be read, with whom and which session it means."""

    row: FileRow
    session_id: UUID
    holder: Holder

    @property
    def pair(self) -> tuple[UUID, UUID]:
        """The session and the student."""
        return self.session_id, self.holder.student_id


@dataclass(slots=True)
class Known:
    """What rows are set beside. `here`: the session the file was uploaded for; `holders`: by address key, as far as the
    rows at hand name them.
    """

    occasions: Occasions
    here: UUID | None
    sees_students: bool
    seen: Seen = field(default_factory=Seen)
    holders: Mapping[str, Holder] = field(default_factory=dict)


def entry_of(row: FileRow, known: Known) -> Entry | None:
    """What a row means. None: nothing, and `row.problems` says why, all of it at once."""
    if any(each.code == WRONG_WIDTH for each in row.problems):
        return None
    placed = not any(each.column in (TYPE, ID, IDENTIFIER) for each in row.problems)
    session = session_of(row, known.occasions, known.here) if placed else None
    holder = None if row.email is None else holder_of(row.email, known.holders, sees_students=known.sees_students)
    row.problems += [each for each in (holder, session) if isinstance(each, Problem)]
    if row.problems or not isinstance(holder, Holder) or not isinstance(session, UUID):
        return None
    # Only now: a row that cannot be imported is in no other's way.
    repeats = known.seen.repeats(session, holder.student_id, row.number)
    if repeats is not None:
        row.problems.append(repeats)
        return None
    return Entry(row, session, holder)


def plan(entry: Entry, record: Record) -> Change:
    """What a row changes. Each value stands for itself, and FALSE takes nothing away."""
    row = entry.row
    flags = []
    if not row.registered and not row.checked_in:
        flags.append("says_nothing")
    if (row.registered is False and record.registered) or (row.checked_in is False and record.present):
        flags.append("not_taken_away")
    if entry.holder.archived:
        flags.append("archived")
    return Change(
        before=record,
        registers=bool(row.registered) and not record.registered,
        attends=bool(row.checked_in) and not record.present,
        flags=tuple(flags),
    )
