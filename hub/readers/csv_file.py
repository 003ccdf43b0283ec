"""CSV files: UTF-8 with or without a byte order mark, separated by commas, semicolons or tabs.

Read as a stream: never more than a block of the file is in memory. One pass over the bytes comes first, so that a file
in another encoding is refused with the line it happens on, before anything is read from it.
"""

import codecs
import csv
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from hub.errors import UnreadableFile
from hub.readers import Row, Table

MAX_BYTES = 50_000_000
"""RULE-82. A file of exactly this size is still read."""
MAX_LINE = 1_000_000
"""Characters in one line; the longest believable row is a thousandth of it."""
DELIMITERS = ",;\t"

_BLOCK = 1 << 20
_SAVE_AS = "Save it again as “CSV UTF-8” and import that file."


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The table in a CSV file, open for the length of the block.

    Raises `UnreadableFile`, here or while the rows are read, with reason `not_found`, `not_a_file`, `no_permission`,
    `cannot_read`, `too_large` (RULE-82), `empty`, `not_csv`, `not_utf8` (RULE-83), `nul`, `line_too_long`,
    `cell_too_long`, `broken_quotes` or `unclosed_quote`.
    """
    try:
        encoding = _examined(path)
        text = path.open(encoding=encoding, newline="")
    except OSError as error:
        raise _cannot_open(error) from error
    with text:
        yield _table(text, encoding)


def _cannot_open(error: OSError) -> UnreadableFile:
    match error:
        case FileNotFoundError():
            return UnreadableFile("not_found", "There is no such file. Check its name and folder.")
        case PermissionError():
            return UnreadableFile("no_permission", "The file may not be read by this user. Change its permissions.")
    return UnreadableFile("cannot_read", f"The file cannot be read: {error.strerror}. Copy it elsewhere and try again.")


def _examined(path: Path) -> str:
    """The encoding to read the file with, once it is sure that all of it can be read so."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableFile("not_a_file", "This is a folder. Name the file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFile("not_a_file", "This is not a regular file. Name a CSV file.")
    if status.st_size > MAX_BYTES:
        raise UnreadableFile("too_large", "The file is larger than 50 MB. Split it and import the parts.")
    with path.open("rb") as raw:
        start = raw.read(4)
        if start.startswith(b"PK\x03\x04"):
            raise UnreadableFile("not_csv", f"This is a workbook or an archive, whatever its name says. {_SAVE_AS}")
        raw.seek(0)
        _check_bytes(raw)
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"


def _check_bytes(raw: BinaryIO) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, written = 1, False
    while True:
        block = raw.read(_BLOCK)
        held = len(decoder.getstate()[0])
        try:
            written = bool(decoder.decode(block, final=not block).strip("\ufeff \t\r\n")) or written
        except UnicodeDecodeError as error:
            at = line + _line_ends(block[: max(error.start - held, 0)])
            raise UnreadableFile("not_utf8", f"Line {at} is not UTF-8 text. {_SAVE_AS}") from error
        if b"\0" in block:
            at = line + _line_ends(block[: block.index(b"\0")])
            raise UnreadableFile("nul", f"Line {at} holds a NUL byte: this is not a text file. {_SAVE_AS}")
        if not block:
            break
        line += _line_ends(block)
    if not written:
        raise UnreadableFile("empty", "The file is empty. Export it again with a header row.")


def _line_ends(block: bytes) -> int:
    # A file uses one or the other; a carriage return before a line feed ends no line of its own.
    return block.count(b"\n") or block.count(b"\r")


def _table(text: TextIO, encoding: str) -> Table:
    lines = _lines(text)
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=first.count)
    rows = _rows(_again(first, lines), delimiter)
    return Table(headers=next(rows, Row(1, [])).cells, rows=rows, delimiter=delimiter, encoding=encoding)


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _lines(text: TextIO) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise UnreadableFile(
                "line_too_long", f"Line {number} does not end within {MAX_LINE:,} characters. Is this a CSV file?"
            )
        yield line


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(str(error), number) from error
        if number == 1 or any(cell and not cell.isspace() for cell in cells):
            yield Row(number, cells)


def _broken(error: str, number: int) -> UnreadableFile:
    if "field limit" in error:
        return UnreadableFile(
            "cell_too_long",
            f"A cell in the row that starts on line {number} is too long. A quotation mark may never be closed there.",
        )
    if "unexpected end" in error:
        return UnreadableFile(
            "unclosed_quote",
            f"A quotation mark opened in the row that starts on line {number} is never closed. "
            'Close it, or write it twice ("") if it belongs to the text.',
        )
    return UnreadableFile(
        "broken_quotes",
        f"A quotation mark in the row that starts on line {number} is in the wrong place. "
        'Write it twice ("") if it belongs to the text; an earlier row may have left one open.',
    )
