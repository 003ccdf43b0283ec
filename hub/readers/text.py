"""Text files: lines of cells, separated by one of four characters. Read as a stream: only a block is in memory."""

import csv
import os
import re
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO, TextIO

from hub.errors import UnreadableFile
from hub.readers import DELIMITERS, Format, How, Row, Table
from hub.readers.encodings import encoding_of
from hub.readers.limits import MAX_CELL, MAX_RECORD, cell_too_long
from hub.readers.table import table_of

_JUDGED = 50
"""How many lines decide on the delimiter."""
_ANNOUNCED = re.compile(r'"?sep=([,;\t|])"?[\r\n]*', re.IGNORECASE)
"""How Excel is told the delimiter, in a line before the headers."""


def read_text(raw: BinaryIO, how: How) -> Table:
    """The table in a text file.

    Raises `UnreadableFile`, here or while rows are read: what `encoding_of` and `table_of` raise, and reason
    `unknown_delimiter`, `line_too_long`, `cell_too_long`, `broken_quotes` or `unclosed_quote` (each with `line`).
    """
    if how.delimiter is not None and how.delimiter not in DELIMITERS:
        raise UnreadableFile(
            "unknown_delimiter", "Cells are separated by a comma, a semicolon, a tab or a bar. Choose one of them."
        )
    csv.field_size_limit(MAX_CELL)
    size = os.fstat(raw.fileno()).st_size
    encoding = encoding_of(raw, how.encoding)
    raw.seek(0)
    text = TextIOWrapper(raw, encoding.codec, newline="")
    lines = _lines(text)
    head = _head(lines)
    announced = _ANNOUNCED.fullmatch(head[0])
    if announced:
        del head[0]
    delimiter = how.delimiter or (announced and announced[1]) or delimiter_of(head)
    format = Format(
        kind="csv", encoding=encoding.name, marked=encoding.marked, delimiter=delimiter, guessed=encoding.guessed
    )
    records = _records(chain(head, lines), delimiter, skipped=1 if announced else 0)
    return table_of(records, format, lambda: min(text.buffer.tell() / size, 1.0))


def delimiter_of(lines: list[str]) -> str:
    """What makes records as wide as the first; of several the one with most columns. A single column has commas.

    “Lovelace, Ada;ada@example.edu” is as wide either way: a blank follows punctuation rather than a delimiter.
    """
    return max(DELIMITERS, key=lambda each: _consistency(lines, each))


def _consistency(lines: list[str], delimiter: str) -> tuple[float, int, int]:
    widths: list[int] = []
    try:
        for cells in csv.reader(lines, delimiter=delimiter, strict=True):
            if any(map(str.strip, cells)):
                widths.append(len(cells))
    except csv.Error:
        pass  # The last record goes on beyond the lines judged, or is broken: the others count.
    if not widths or widths[0] < 2:
        return 0.0, 0, 0
    return widths.count(widths[0]) / len(widths), widths[0], -sum(line.count(delimiter + " ") for line in lines)


def _lines(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_RECORD):
        number += 1
        if len(line) == MAX_RECORD and line[-1] not in "\r\n":
            raise _too_long(number)
        yield line


def _head(lines: Iterator[str]) -> list[str]:
    """The first lines: there is at least one."""
    head, size = [next(lines)], 0
    while len(head) < _JUDGED and size < MAX_RECORD:
        line = next(lines, None)
        if line is None:
            break
        head.append(line)
        size += len(line)
    return head


def _records(lines: Iterator[str], delimiter: str, skipped: int) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(str(error), number) from error
        if len(cells) > MAX_RECORD:  # With line ends in quotation marks, over many lines.
            raise _too_long(number)
        yield Row(number, cells)


def _too_long(line: int) -> UnreadableFile:
    return UnreadableFile(
        "line_too_long",
        f"Line {line} does not end within {MAX_RECORD:,} characters. Is this a CSV file?",
        line=line,
    )


def _broken(error: str, number: int) -> UnreadableFile:
    if "field limit" in error:
        return cell_too_long(number)
    if "unexpected end" in error:
        return UnreadableFile(
            "unclosed_quote",
            f"A quotation mark opened in the row that starts on line {number} is never closed. "
            'Close it, or write it twice ("") if it belongs to the text.',
            line=number,
        )
    return UnreadableFile(
        "broken_quotes",
        f"A quotation mark in the row that starts on line {number} is in the wrong place. "
        'Write it twice ("") if it belongs to the text; an earlier row may have left one open.',
        line=number,
    )
