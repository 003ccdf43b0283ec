"""Take a file through: all of its good rows in one transaction, and its bad ones into a file."""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from hub.actions.imports import (
    MOST_SHOWN,
    Became,
    BeforeCommit,
    Done,
    ImportResult,
    Job,
    Outcome,
    Report,
    ReportedRow,
    Warned,
)
from hub.database import rehearsing, writing_much
from hub.errors import UnreadableFile
from hub.readers import Format, Row, Table
from hub.readers.failed_rows import FailedRows
from hub.rules.formulas import as_meant
from hub.rules.headers import holds_data
from hub.store import imports

CHUNK = 1_000

T = TypeVar("T")


class Importer(Protocol):
    """What one kind of file means. `alone`: the column that a file of one column holds, whatever its header."""

    @property
    def alone(self) -> str | None: ...

    def columns(self, headers: Sequence[str]) -> tuple[str | None, ...]:
        """For each header the column it is taken for. Raises `UnreadableFile`."""

    def rows(self, conn: Connection, rows: Sequence[Row]) -> list[Outcome]:
        """Store what a chunk of rows comes to, and say so, row by row."""

    def finish(self, conn: Connection) -> None:
        """After the last row: what is to be done once."""

    def warnings(self, table: Table) -> list[Warned]:
        """What there is to say about the whole file."""


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    became: Counter[Became] = field(default_factory=Counter)
    created: list[ReportedRow] = field(default_factory=list)
    updated: list[ReportedRow] = field(default_factory=list)
    rejected: list[ReportedRow] = field(default_factory=list)
    flagged: list[ReportedRow] = field(default_factory=list)

    def add(self, row: Row, outcome: Outcome) -> None:
        self.rows += 1
        self.became[outcome.became] += 1
        shown = [self.flagged] if outcome.flags else []
        match outcome.became:
            case "created":
                shown.append(self.created)
            case "updated":
                shown.append(self.updated)
            case "skipped" | "failed":
                shown.append(self.rejected)
        for each in shown:
            if len(each) < MOST_SHOWN:
                each.append(ReportedRow(row.number, outcome))


def run(job: Job, importer: Importer, before_commit: BeforeCommit | None = None) -> Done:
    """Take a file through, or say what would happen (`Job.dry_run`), which changes nothing.

    All or nothing: a file that turns out unreadable half-way (`UnreadableFile`) leaves no trace. The failed-rows file
    appears whole or not at all. `before_commit` is called in the transaction, after the last row.
    """
    failed = FailedRows(job.folder, job.name, uuid7(), job.now)
    try:
        with job.opens(job.path, job.name, job.how) as table:
            table = with_header(table, importer.alone)
            columns = importer.columns(table.headers)
            with (rehearsing if job.dry_run else writing_much)(job.engine) as conn:
                imports.take_turns(conn, job.institution_id)
                with seldom_collecting():
                    tally = _rows(job, importer, conn, table, failed)
                importer.finish(conn)
                failed.sync()
                result = _result(tally, failed, importer.warnings(table))
                if before_commit is not None:
                    before_commit(conn, result)
        kept = failed.keep()
        result = msgspec.structs.replace(result, failed_rows_file=None if kept is None else str(kept))
        return Done(result, _report(tally, table, columns))
    finally:
        failed.discard()


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Rows and what becomes of them are no cycles: to look for some as often as usual takes a fifth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(20_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _rows(job: Job, importer: Importer, conn: Connection, table: Table, failed: FailedRows) -> _Tally:
    tally = _Tally()
    for rows in chunks(table.rows):
        for row, outcome in zip(rows, importer.rows(conn, meant(rows, table.format)), strict=True):
            tally.add(row, outcome)
            if outcome.became in ("skipped", "failed"):
                failed.add(table, row.cells, outcome.code, outcome.message, row.inexact)
        if job.progress is not None:
            job.progress(tally.rows, table.done())
    return tally


def with_header(table: Table, alone: str | None) -> Table:
    """The table, with a header row if it has none and needs none: one column of addresses.

    Raises `UnreadableFile` with reason `header_missing`: whoever is in the first row would be lost in silence.
    """
    if not holds_data(table.headers):
        return table
    if alone is None or len(table.headers) > 1:
        raise UnreadableFile(
            "header_missing",
            "The first row holds an address, so the column names are missing. Put a row with them above it.",
        )
    first = Row(1, list(table.headers))
    return replace(table, headers=[alone], rows=chain([first], table.rows))


def meant(rows: list[Row], format: Format) -> list[Row]:
    """The rows without the apostrophes that our own CSV files have before what might run as a formula."""
    if format.kind != "csv":
        return rows
    return [row._replace(cells=[*map(as_meant, row.cells)]) if "'" in "".join(row.cells) else row for row in rows]


def chunks(items: Iterator[T]) -> Iterator[list[T]]:
    """`CHUNK` of them at a time."""
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def _result(tally: _Tally, failed: FailedRows, warnings: Sequence[Warned]) -> ImportResult:
    return ImportResult(
        rows=tally.rows,
        created=tally.became["created"],
        updated=tally.became["updated"],
        unchanged=tally.became["unchanged"],
        skipped=tally.became["skipped"],
        failed=tally.became["failed"],
        failed_rows_file=None if failed.path is None else str(failed.path),
        warnings=tuple(warnings),
    )


def _report(tally: _Tally, table: Table, columns: tuple[str | None, ...]) -> Report:
    return Report(
        format=table.format,
        headers=tuple(table.headers),
        columns=columns,
        created=tuple(tally.created),
        updated=tuple(tally.updated),
        rejected=tuple(tally.rejected),
        flagged=tuple(tally.flagged),
    )
