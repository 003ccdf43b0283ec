"""What still stands on the pages of an SQLite file that SQLite itself refuses: rows of tables, page by page. Pure.

Knows the file format (https://sqlite.org/fileformat2.html) and nothing of what rows mean. Whoever asks must be able to
tell a row from chance, and today's from yesterday's: pages that are free by now are read as well.
"""

from collections.abc import Iterator
from typing import NamedTuple

PAGE = 4096
"""Bytes of a page in every file of ours."""

_FILE_HEADER = 100
_PAGE_HEADER = 8
_LARGEST_LOCAL = PAGE - 35
_LEAST_LOCAL = (PAGE - 12) * 32 // 255 - 23
_LONGEST_ROW = 1024 * 1024
_OTHER_KINDS = (2, 5, 10)
_FIXED = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}

Value = None | int | str | bytes


class Record(NamedTuple):
    """A row: its number, and its values in the order of the table's columns."""

    rowid: int
    values: tuple[Value, ...]


class _Unreadable(Exception):
    """These bytes are no row."""


def records(file: bytes) -> Iterator[Record]:
    """Every row of every table that can be made out, in the order of the pages."""
    for at in range(0, len(file), PAGE):
        page = file[at : at + PAGE]
        begins = _FILE_HEADER if at == 0 else 0
        # A page whose kind was damaged may hold rows all the same.
        if begins < len(page) and page[begins] not in _OTHER_KINDS:
            yield from _rows(file, page, begins)


def frames(log: bytes) -> bytes:
    """The pages that a write-ahead log holds, one after the other."""
    return b"".join(log[at + 24 : at + 24 + PAGE].ljust(PAGE, b"\x00") for at in range(32, len(log), 24 + PAGE))


def _rows(file: bytes, page: bytes, begins: int) -> Iterator[Record]:
    at, cells = begins + _PAGE_HEADER, len(page)
    # As far as the first cell, not as far as the page says: its count may be what was damaged.
    while at + 2 <= cells:
        cell = int.from_bytes(page[at : at + 2], "big")
        at += 2
        if not at <= cell < len(page):
            continue
        try:
            yield _row(file, page, cell)
        except (_Unreadable, IndexError):
            continue
        cells = min(cells, cell)


def _row(file: bytes, page: bytes, at: int) -> Record:
    size, at = _varint(page, at)
    rowid, at = _varint(page, at)
    try:
        # The row's own header says how long it is, and may be whole when this size is not.
        return Record(rowid, _values(page[at:]))
    except _Unreadable:
        return Record(rowid, _values(_payload(file, page, at, size)))


def _payload(file: bytes, page: bytes, at: int, size: int) -> bytes:
    if not _LARGEST_LOCAL < size <= _LONGEST_ROW:
        raise _Unreadable
    fitting = _LEAST_LOCAL + (size - _LEAST_LOCAL) % (PAGE - 4)
    local = fitting if fitting <= _LARGEST_LOCAL else _LEAST_LOCAL
    payload = page[at : at + local]
    following = int.from_bytes(page[at + local : at + local + 4], "big")
    while len(payload) < size and 0 < following <= len(file) // PAGE:
        more = file[(following - 1) * PAGE : following * PAGE]
        payload += more[4 : 4 + size - len(payload)]
        following = int.from_bytes(more[:4], "big")
    if len(payload) < size:
        raise _Unreadable
    return payload


def _values(payload: bytes) -> tuple[Value, ...]:
    length, at = _varint(payload, 0)
    content = length
    values = []
    while at < length:
        kind, at = _varint(payload, at)
        size = _FIXED[kind] if kind in _FIXED else (kind - 12) // 2
        if size < 0 or content + size > len(payload):
            raise _Unreadable
        values.append(_value(kind, payload[content : content + size]))
        content += size
    return tuple(values)


def _value(kind: int, content: bytes) -> Value:
    if kind in (0, 7):
        # No table of ours holds numbers with a point.
        return None
    if kind in (8, 9):
        return kind - 8
    if kind < 12:
        return int.from_bytes(content, "big", signed=True)
    # Text that was damaged stands beside a fact that may be whole, and its bytes can be had again like this.
    return content.decode(errors="surrogateescape") if kind % 2 else content


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at
    return number << 8 | data[at], at + 1
