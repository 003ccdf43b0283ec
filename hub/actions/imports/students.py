"""Import a student file: create and update students, and put that back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar, Literal
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.actions.imports import (
    MOST_SHOWN,
    BeforeCommit,
    Difference,
    Done,
    Job,
    Outcome,
    Warned,
    Wrong,
    remarks,
)
from hub.actions.imports.running import chunks, run
from hub.actions.student_slices import Stored
from hub.actions.student_writes import Writes
from hub.readers import Row, Table
from hub.rules.headers import Understood
from hub.rules.student_file.codes import Problem, Problems
from hub.rules.student_file.columns import COLUMNS
from hub.rules.student_file.differences import Changed, differences, told
from hub.rules.student_file.headers import ALIASES, Header, read_header, understood
from hub.rules.student_file.known import Known, MatchBy
from hub.rules.student_file.plan import (
    Create,
    Failed,
    Options,
    Plan,
    Skipped,
    Unchanged,
    Update,
    moves_email,
    plan_row,
)
from hub.rules.student_file.rows import FileRow, read_row
from hub.store import facts, feed
from hub.store import students as store

NEWLY_FREED = timedelta(days=180)
"""For how long an address that left a student is looked at twice when another gets it."""
_STOCK_TAKING = (4, 16, 64, 256)
"""After which chunks: each time there may be four times as much as before."""
_MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class StudentFile:
    """What is said of a file beside what it says itself.

    `sync`: it comes every night and nobody looks at it, so it is UTF-8 (RULE-83), identifiers stay (RULE-98), addresses
    are guarded (RULE-99) and excluded students left alone (RULE-18). `match_by`: what tells whom a row is about.
    """

    identifier_changes: bool = False
    sync: bool = False
    match_by: MatchBy = "username"


class _TooManyEmailChanges(Exception):
    def __init__(self, rows: int) -> None:
        self.rows = rows


def import_students(job: Job, options: StudentFile, before_commit: BeforeCommit | None = None) -> Done:
    """Create and update students; skip or fail what cannot be applied.

    No mail is sent (RULE-107); students the file does not name stay as they are (RULE-106). What is changed can be put
    back (`undoing_students`). Raises `UnreadableFile` with one of `codes.REASONS` or a reason of `hub.readers.reading`.
    """
    asked = Options(options.match_by, options.identifier_changes and not options.sync, options.sync)
    if options.sync:
        job = replace(job, how=msgspec.structs.replace(job.how, encoding="utf-8"))
    try:
        return run(job, _Importer(job, asked), before_commit)
    except _TooManyEmailChanges as many:
        return run(job, _Importer(job, replace(asked, hold_emails=True), held=many.rows), before_commit)


@dataclass(slots=True)
class _Importer:
    """One attempt. `held`: how many changes of main addresses it leaves out; when 0, it applies them."""

    alone: ClassVar[str | None] = None
    job: Job
    options: Options
    held: int = 0
    found: Understood = field(init=False)
    header: Header = field(init=False)
    stored: Stored | None = None
    chunks: int = 0
    lines: int = 0
    email_changes: int = 0
    created: set[str] = field(default_factory=set)
    touched: list[UUID] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    recently_freed: list[int] = field(default_factory=list)
    updated: int = 0

    def columns(self, headers: Sequence[str]) -> tuple[str | None, ...]:
        self.found = understood(headers, self.job.columns)
        self.header = read_header(self.found)
        return tuple(self.found.columns.get(index) for index in range(len(headers)))

    def rows(self, conn: Connection, rows: Sequence[Row]) -> list[Outcome]:
        read = [read_row(self.header, row.number, row.cells, row.inexact) for row in rows]
        known = self._known(conn, [row for row in read if isinstance(row, FileRow)])
        writes = Writes(self.job.institution_id, self.job.now, None if self.job.dry_run else self.job.import_id)
        outcomes = [self._row(row, known, writes) for row in read]
        writes.flush(conn)
        self.chunks += 1
        if self.chunks in _STOCK_TAKING:
            store.take_stock(conn)
        return outcomes

    def finish(self, conn: Connection) -> None:
        if self.options.sync and not self.held and 10 * self.email_changes >= max(self.lines, 1):
            raise _TooManyEmailChanges(self.email_changes)
        if self.job.dry_run:
            # Nobody hears of it, so kiosks that write meanwhile need not wait.
            return
        # Last, because from here on other writers of the institution wait for this transaction.
        for ids in chunks(iter(self.touched)):
            feed.touch(conn, self.job.institution_id, "person", ids)
        facts.settle_claims(conn, self.job.institution_id, store.claims_found(conn, self.job.institution_id))

    def warnings(self, table: Table) -> list[Warned]:
        said = [*remarks.of_headers(self.found, COLUMNS, ALIASES), *remarks.of_format(table.format)]
        said += [Warned(code="foreign_domain", domain=each, rows=rows) for each, rows in sorted(self.foreign.items())]
        said += [
            Warned(code=code, rows=self.skipped[code])
            for code in ("repeated_in_file", "excluded_from_sync")
            if self.skipped[code]
        ]
        if self.held:
            said.append(Warned(code="emails_held", rows=self.held))
        if self.recently_freed:
            lines = tuple(self.recently_freed[:_MOST_LINES])
            said.append(Warned(code="recently_freed", rows=len(self.recently_freed), lines=lines))
        return said

    def _known(self, conn: Connection, rows: Sequence[FileRow]) -> Known:
        if self.stored is None:
            job = self.job
            self.stored = Stored(conn, job.institution_id, self.options.match_by, job.now - NEWLY_FREED)
        return self.stored.known(rows)

    def _row(self, row: FileRow | Problems, known: Known, writes: Writes) -> Outcome:
        self.lines += 1
        if not isinstance(row, FileRow):
            return self._refused("failed", "", row)
        if self.options.sync:
            # Whatever becomes of the row: a file that moves everybody is wrong even where its rows fail.
            self.email_changes += row.values.get("username") not in self.created and moves_email(
                row, known, self.options
            )
        plan = plan_row(row, known, self.options)
        if isinstance(plan, Create | Update):
            writes.add(plan, _who(row))
            self._note(plan, row.number)
        return self._outcome(row, plan)

    def _note(self, plan: Create | Update, number: int) -> None:
        if isinstance(plan, Create) and self.options.sync:
            self.created.add(plan.student.username)
        if plan.changes.on_screen:
            self.touched.append(plan.student.id)
        if plan.changes.recently_freed:
            self.recently_freed.append(number)

    def _outcome(self, row: FileRow, plan: Plan) -> Outcome:
        match plan:
            case Unchanged():
                return _UNCHANGED
            case Create():
                return Outcome(became="created", who=_who(row), flags=_flags(plan))
            case Update():
                self.updated += 1
                # Nobody is shown more of them, and comparing takes as long as updating.
                shown = self.updated <= MOST_SHOWN or plan.changes.recently_freed
                changed = self._changed(row, plan) if shown else ()
                return Outcome(
                    became="updated",
                    who=_who(row),
                    differences=tuple(Difference(*each) for each in changed),
                    flags=_flags(plan),
                )
            case Skipped():
                if plan.domain is not None:
                    self.foreign[plan.domain] += 1
                else:
                    self.skipped[next(iter(plan.problems.values()))[0].code] += 1
                return self._refused("skipped", _who(row), plan.problems)
            case Failed():
                return self._refused("failed", _who(row), plan.problems)

    def _changed(self, row: FileRow, plan: Update) -> Iterator[Changed]:
        if self.job.sees_students:
            return differences(plan.before, plan.student)
        return told(row, plan.before, plan.student)

    def _refused(self, became: Literal["skipped", "failed"], who: str, problems: Problems) -> Outcome:
        wrong = [self._wrong(column, each) for column, found in problems.items() for each in found]
        return Outcome(became=became, who=who, wrong=tuple(wrong))

    def _wrong(self, column: str, problem: Problem) -> Wrong:
        """A problem, without what is stored of a student where whoever sent the file may not see it."""
        if "old" in problem.about and not self.job.sees_students:
            new = problem.about["new"]
            return Wrong(column, problem.code, f"Attempted to update {column} to {new}", {"new": new})
        return Wrong(column, *problem[:2], dict(problem.about))


_UNCHANGED = Outcome(became="unchanged")


def _flags(plan: Create | Update) -> tuple[str, ...]:
    return ("recently_freed",) if plan.changes.recently_freed else ()


def _who(row: FileRow) -> str:
    """What the file calls the person; what else they are called need not be for everybody to see."""
    email = row.email or row.held
    return row.values.get("username", "") or (email.typed if email is not None else "")
