"""Files in: bytes become rows with the line they came from. Knows nothing of students.

Every kind of file comes out as the same `Table`; what cannot be read at all is an `UnreadableFile`. `open_table` in
`hub.readers.reading` is the one way in: it reads in a child process with limits (ADR 11).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

Kind = Literal["csv", "xlsx", "ods"]
DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-16", "cp1252", "mac_roman")
"""What staff may choose from, the likeliest first."""


class Row(NamedTuple):
    """One record: `number` is the line of the file, or the row of the sheet, it starts on.

    `inexact`: the indexes of cells that held a number with more digits than a workbook keeps.
    """

    number: int
    cells: list[str]
    inexact: tuple[int, ...] = ()


class How(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to read a file, as far as somebody said so; the rest is found out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """What a file turned out to be. `guessed`: nothing in it says that the encoding is right.

    `encoding` (one of `ENCODINGS`), `marked` (it begins with a byte order mark) and `delimiter` are a CSV file's,
    `sheet` and `sheets` a workbook's.
    """

    kind: Kind
    encoding: str | None = None
    marked: bool = False
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A header row and the rows under it, read as they are asked for, each once. Blank rows are left out.

    `done`: how much of the file has been read, from 0 to 1.
    """

    headers: list[str]
    rows: Iterator[Row]
    format: Format
    done: Callable[[], float]
