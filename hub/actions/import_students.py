"""Import a student file: all of its good rows in one transaction, and its bad ones into a file."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine
from uuid_utils.compat import uuid7

from hub.actions.student_writes import Writes
from hub.database import one_at_a_time, writing
from hub.readers import Table
from hub.readers.csv_file import open_table
from hub.readers.failed_rows import FailedRows
from hub.rules.addresses import Address, Domains
from hub.rules.identity import student_id
from hub.rules.student_file.columns import Header, Problems, read_header
from hub.rules.student_file.known import Known, Seen, Student
from hub.rules.student_file.plan import (
    Create,
    Failed,
    Options,
    Outcome,
    Skipped,
    Unchanged,
    Update,
    error_map,
    moves_email,
    plan_row,
)
from hub.rules.student_file.rows import FileRow, read_row
from hub.store import domains, facts, feed, institutions, merges
from hub.store import students as store

CHUNK = 1_000
_STOCK_TAKING = (4, 16, 64, 256)
"""After which chunks: each time there may be four times as much as before."""

T = TypeVar("T")
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """`sync`: the file comes every night, so identifiers stay (RULE-98) and addresses are guarded (RULE-99)."""

    dry_run: bool = False
    identifier_changes: bool = False
    sync: bool = False


class Warned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something about the whole file. `code`: `unknown_header`, `foreign_domain`, `repeated_in_file`, `emails_held`."""

    code: str
    header: str | None = None
    did_you_mean: str | None = None
    domain: str | None = None
    rows: int | None = None


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a file came to: every row is counted once."""

    rows: int
    created: int
    updated: int
    unchanged: int
    skipped: int
    failed: int
    failed_rows_file: str | None
    warnings: tuple[Warned, ...]


class _TooManyEmailChanges(Exception):
    def __init__(self, rows: int) -> None:
        self.rows = rows


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    email_changes: int = 0
    created: set[str] = field(default_factory=set)
    outcomes: Counter[type[Outcome]] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    touched: list[UUID] = field(default_factory=list)


def import_students(
    engine: Engine,
    institution_id: UUID,
    path: Path,
    options: ImportOptions,
    now: datetime,
    failed_dir: Path,
    progress: Progress | None = None,
) -> ImportResult:
    """Create and update students by `username` from a CSV file; skip or fail what cannot be applied.

    All or nothing: a file that turns out unreadable half-way (`UnreadableFile`) leaves no trace. The failed-rows file
    appears whole or not at all. No mail is sent (RULE-107); students the file does not name stay as
    they are (RULE-106). A dry run says the same and changes nothing.
    """
    job = _Import(engine, institution_id, path, options, now, failed_dir, progress)
    try:
        return job.run()
    except _TooManyEmailChanges as many:
        return job.run(held=many.rows)


@dataclass(frozen=True, slots=True)
class _Import:
    engine: Engine
    institution_id: UUID
    path: Path
    options: ImportOptions
    now: datetime
    failed_dir: Path
    progress: Progress | None

    def run(self, held: int = 0) -> ImportResult:
        """One attempt. `held`: how many changes of main addresses it leaves out; when 0, it applies them."""
        failed = FailedRows(self.failed_dir, self.path, uuid7(), self.now)
        rules = Options(self.options.identifier_changes and not self.options.sync, held > 0)
        try:
            with open_table(self.path) as table:
                header = read_header(table.headers)
                with writing(self.engine) as conn:
                    # Two files lock the same students chunk by chunk, each in its own order.
                    one_at_a_time(conn, f"import students of {self.institution_id}")
                    tally = self._rows(conn, table, header, rules, failed)
                    if self.options.sync and not held and 10 * tally.email_changes >= max(tally.rows, 1):
                        raise _TooManyEmailChanges(tally.email_changes)
                    self._tell_kiosks(conn, tally)
                    failed.sync()
                    if self.options.dry_run:
                        conn.rollback()
            return _result(tally, header, failed.keep(), held)
        finally:
            failed.discard()

    def _rows(self, conn: Connection, table: Table, header: Header, rules: Options, failed: FailedRows) -> _Tally:
        tally, seen = _Tally(), Seen()
        around = Domains(self.institution_id, domains.owners(conn))
        for number, lines in enumerate(_chunks(table.rows), 1):
            rows = [read_row(header, line.number, line.cells) for line in lines]
            known = self._known(conn, [row for row in rows if isinstance(row, FileRow)], around, seen)
            writes = Writes(self.institution_id, self.now)
            for line, row in zip(lines, rows, strict=True):
                tally.email_changes += isinstance(row, FileRow) and _moves(row, known, tally)
                outcome = plan_row(row, known, rules) if isinstance(row, FileRow) else Failed(row)
                self._note(tally, outcome)
                if isinstance(outcome, Create | Update):
                    writes.add(outcome)
                elif isinstance(outcome, Skipped | Failed):
                    failed.add(table, line.cells, outcome.code, _message(outcome.problems))
            writes.flush(conn)
            if number in _STOCK_TAKING:
                store.take_stock(conn)
            if self.progress is not None:
                self.progress(tally.rows)
        return tally

    def _known(self, conn: Connection, rows: Sequence[FileRow], around: Domains, seen: Seen) -> Known:
        """What is stored about the people, addresses, cards and SSO ids these rows mention."""
        institution_id = self.institution_id
        found = store.named(conn, institution_id, _mentioned(rows, "username"))
        students = {row.id: Student(**{**row._mapping, "attributes": dict(row.attributes)}) for row in found}
        for row in store.addresses_of(conn, institution_id, students):
            students[row.student_id].addresses[row.key] = Address(
                row.id, row.key, row.typed, row.kind, row.main, row.state, row.origin
            )
        for row in store.cards_of(conn, institution_id, students):
            students[row.student_id].cards.add(row.card_id)
        keys = {email.key for row in rows for email in row.more} | {row.email.key for row in rows if row.email}
        return Known(
            domains=around,
            seen=seen,
            new_id=uuid7,
            student_id=partial(student_id, institutions.of(conn, institution_id).private_key),
            students={student.username: student for student in students.values()},
            addresses=store.address_owners(conn, keys),
            cards=store.card_owners(conn, institution_id, _mentioned(rows, "card_id")),
            auth_identifiers=store.auth_identifier_owners(conn, institution_id, _mentioned(rows, "auth_identifier")),
        )

    def _note(self, tally: _Tally, outcome: Outcome) -> None:
        tally.rows += 1
        tally.outcomes[type(outcome)] += 1
        if isinstance(outcome, Create):
            tally.created.add(outcome.student.username)
        if isinstance(outcome, Create | Update):
            if outcome.changes.on_screen:
                tally.touched.append(outcome.student.id)
        elif isinstance(outcome, Skipped):
            if outcome.domain is None:
                tally.repeated += 1
            else:
                tally.foreign[outcome.domain] += 1

    def _tell_kiosks(self, conn: Connection, tally: _Tally) -> None:
        # Last, because from here on other writers of the institution wait for this transaction.
        for ids in _chunks(iter(tally.touched)):
            merges.forget(conn, self.institution_id, ids)
            feed.touch(conn, self.institution_id, "person", ids)
        facts.settle_claims(conn, self.institution_id, store.claims_found(conn, self.institution_id))


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def _moves(row: FileRow, known: Known, tally: _Tally) -> bool:
    # Whatever becomes of the row: a file that moves everybody is wrong even where its rows fail.
    return row.values.get("username") not in tally.created and moves_email(row, known)


def _mentioned(rows: Collection[FileRow], column: str) -> set[str]:
    return {row.values[column] for row in rows if column in row.values}


def _message(problems: Problems) -> str:
    return msgspec.json.encode(error_map(problems)).decode()


def _result(tally: _Tally, header: Header, file: Path | None, held: int) -> ImportResult:
    return ImportResult(
        rows=tally.rows,
        created=tally.outcomes[Create],
        updated=tally.outcomes[Update],
        unchanged=tally.outcomes[Unchanged],
        skipped=tally.outcomes[Skipped],
        failed=tally.outcomes[Failed],
        failed_rows_file=None if file is None else str(file),
        warnings=tuple(_warnings(tally, header, held)),
    )


def _warnings(tally: _Tally, header: Header, held: int) -> Iterator[Warned]:
    for each in header.unknown:
        yield Warned(code="unknown_header", header=each.header, did_you_mean=each.did_you_mean)
    for domain, rows in sorted(tally.foreign.items()):
        yield Warned(code="foreign_domain", domain=domain, rows=rows)
    if tally.repeated:
        yield Warned(code="repeated_in_file", rows=tally.repeated)
    if held:
        yield Warned(code="emails_held", rows=held)
