"""CSV files as RFC 4180 describes them: lines end with CR LF, and a cell is quoted where it has to be."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from hub.rules.formulas import harmless

DELIMITERS = {"comma": ",", "semicolon": ";"}
"""What people may choose from: where a comma is in every price, Excel expects the other."""
WITH_MARK, WITHOUT_MARK = "utf-8-sig", "utf-8"


def write_for_people(path: Path, headers: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",") -> int:
    """For a spreadsheet: with the mark by which Excel knows UTF-8, and nothing in it that runs as a formula.

    Returns how many rows there were, as all of these do.
    """
    return _write(path, headers, ([harmless(cell) for cell in row] for row in rows), delimiter, WITH_MARK)


def write_exactly(path: Path, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """For a program: cells as they are, and no mark, which a strict reader takes for a part of the first header."""
    return _write(path, headers, rows, ",", WITHOUT_MARK)


def _write(path: Path, headers: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str, encoding: str) -> int:
    number = 0
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(headers)
        for number, row in enumerate(rows, 1):  # noqa: B007  (the last one is how many there were)
            writer.writerow(row)
    return number
