"""Files in: bytes become rows with the line they came from. Knows nothing of students.

Every kind of file comes out as the same `Table`; what cannot be read at all is an `UnreadableFile`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Row(NamedTuple):
    """One record: `number` is the line of the file it starts on."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A header row and the rows under it, read as they are asked for, each once. Blank rows are left out."""

    headers: list[str]
    rows: Iterator[Row]
    delimiter: str
    encoding: str
