"""What a bad file is made from, and how it is written."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import xlsxwriter

DOMAIN = "example.edu"
STUDENTS = ("username", "email_address", "first_name", "last_name", "card_id", "school_year_name")
ATTENDEES = ("student_email_address", "registered", "checked_in", "identifiable_type", "identifiable_id")

Row: TypeAlias = Sequence[str]
Part: TypeAlias = bytes | Iterable[bytes]
"""What an archive holds under a name, in pieces where it is long."""


@dataclass(frozen=True, slots=True)
class BadFile:
    """An upload. `good`: the addresses of students in it against whom nothing speaks: they have to be in afterwards.

    `refused`: it may not be read at all; `place`: what the refusal has to name (`line`, `cell`, …).
    """

    family: str
    name: str
    data: bytes
    attendees: bool = False
    good: tuple[str, ...] = ()
    refused: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Making:
    """What a family makes a file from. `number` is like no other file's."""

    family: str
    chance: Random
    number: int

    def address(self, index: int) -> str:
        return f"good-{self.number}-{index}@{DOMAIN}"

    def student(self, index: int) -> tuple[str, ...]:
        return (
            f"good-{self.number}-{index}",
            self.address(index),
            "Ada",
            "Byron",
            f"{self.number:06}{index}",
            "Junior",
        )

    def students(self, count: int = 3) -> list[Row]:
        return [STUDENTS, *(self.student(index) for index in range(count))]

    def good(self, count: int = 3) -> tuple[str, ...]:
        return tuple(self.address(index) for index in range(count))


Family: TypeAlias = Callable[[Making], BadFile]


def collected(families: dict[str, Family]) -> Callable[[Family], Family]:
    """Puts each function among these, under its name."""

    def add(make: Family) -> Family:
        families[make.__name__] = make
        return make

    return add


def text(rows: Sequence[Row], delimiter: str = ",", end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def workbook(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for index, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, index, cell[:32_000])
                else:
                    sheet.write(number, index, cell)
    return out.getvalue()


def repacked(data: bytes, parts: Mapping[str, Part | None], more: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """An archive with other parts; None: without it. `more` comes at the end, whatever is there already."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            part = parts[entry.filename] if entry.filename in parts else old.read(entry)
            if part is None:
                continue
            with new.open(entry.filename, "w") as place:
                place.writelines([part] if isinstance(part, bytes) else part)
        for name, another in more:
            new.writestr(name, another)
    return out.getvalue()


def csv_file(make: Making, data: bytes | str, **more: object) -> BadFile:
    raw = data.encode() if isinstance(data, str) else data
    return BadFile(make.family, f"{make.family}-{make.number}.csv", raw, **more)  # type: ignore[arg-type]


def xlsx_file(make: Making, data: bytes, **more: object) -> BadFile:
    return BadFile(make.family, f"{make.family}-{make.number}.xlsx", data, **more)  # type: ignore[arg-type]


def among(make: Making, row: Row, at: int) -> list[Row]:
    """Three good students and this row, where `at` says."""
    rows = make.students()
    rows.insert(1 + at % 4, row)
    return rows
