"""Files on their way in: what every import is given, and what it comes to.

`running.run` takes any kind of file through; `students` and `attendees` say what each kind means.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from hub.readers import Format, How, Table
from hub.readers.reading import open_table

Progress = Callable[[int, float], None]
"""Hears how many rows are done, and how much of the file that is, from 0 to 1."""
Opens = Callable[[Path, str, How], AbstractContextManager[Table]]
MOST_SHOWN = 500
"""Rows of each kind that a report goes into; all that failed are in the failed-rows file."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way in. `columns`: what somebody said a column holds, by index; "" leaves it out.

    `folder` is where the failed rows go. `name` is what the file is called by those who sent it. `sees_students`: who
    sent it may read addresses of students that are not in the file. `opens`: how to get at the table in it.
    """

    engine: Engine
    institution_id: UUID
    import_id: UUID
    path: Path
    name: str
    folder: Path
    now: datetime
    dry_run: bool = False
    sees_students: bool = True
    how: How = field(default_factory=How)
    columns: Mapping[int, str] = field(default_factory=dict)
    progress: Progress | None = None
    opens: Opens = open_table


class Chosen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody decided about one file; what a kind of file does not know says nothing to it.

    `columns`: what a column holds, by index; "" leaves it out.
    """

    how: How = How()
    columns: dict[int, str] = {}
    sees_students: bool = False
    identifier_changes: bool = False
    sync: bool = False
    match_by: Literal["username", "email_address"] = "username"
    just_addresses: Literal["checked_in", "registered"] | None = None


class Warned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something about the whole file. `code` is stable; what else there is depends on it (docs/imports.md)."""

    code: str
    header: str | None = None
    did_you_mean: str | None = None
    domain: str | None = None
    encoding: str | None = None
    rows: int | None = None
    lines: tuple[int, ...] = ()


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


class Difference(msgspec.Struct, frozen=True):
    """One value before and after; None where there is none. `old` is empty where the sender may not see it."""

    column: str
    old: str | None
    new: str | None


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with one cell: a stable code, the documented text, and what a sentence about it names."""

    column: str
    code: str
    text: str
    about: dict[str, str | int] = {}


Became = Literal["created", "updated", "unchanged", "skipped", "failed"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one row came to. `who`: by what the file names the person; `flags`: codes of what staff should look at."""

    became: Became
    who: str = ""
    differences: tuple[Difference, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Of the first thing wrong; empty when nothing is."""
        return self.wrong[0].code if self.wrong else ""

    @property
    def message(self) -> str:
        """The documented shape: `{"success":false,"errors":{column:[text, ...]}}` (RULE-90)."""
        errors: dict[str, list[str]] = {}
        for each in self.wrong:
            errors.setdefault(each.column, []).append(each.text)
        return msgspec.json.encode({"success": False, "errors": errors}).decode()


class ReportedRow(msgspec.Struct, frozen=True):
    """A row of the report: the line of the file it starts on, and what it came to."""

    line: int
    outcome: Outcome


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What people look at before and after: the first rows of each kind, at most `MOST_SHOWN` (unchanged ones: none).

    `columns`: for each header, in order, the column it was taken for, or None.
    """

    format: Format
    headers: tuple[str, ...]
    columns: tuple[str | None, ...]
    created: tuple[ReportedRow, ...]
    updated: tuple[ReportedRow, ...]
    rejected: tuple[ReportedRow, ...]
    flagged: tuple[ReportedRow, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """How an import ended: the numbers, and what people look at."""

    result: ImportResult
    report: Report


class Kept(msgspec.Struct, frozen=True):
    """Something that was not put back, by what the file names it, and the code of why (docs/imports.md)."""

    who: str
    why: str


class Undone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What undoing an import came to. `told`: the first `MOST_SHOWN` of what was kept."""

    undone: int
    kept: int
    told: tuple[Kept, ...] = ()


BeforeCommit = Callable[[Connection, ImportResult], None]
"""Something that is to be true exactly if the rows are in."""
