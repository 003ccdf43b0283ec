"""The inside of an .xlsx: which part is which sheet, and a long sheet cut into workbooks of some thousand rows.

calamine reads a sheet as a whole, at about a hundred bytes a cell: a university's students would not fit into a child's
memory. So it is given one small workbook after another, each with the same styles and strings and the next rows.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from posixpath import dirname, join, normpath
from shutil import copyfileobj
from typing import IO, NamedTuple
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZipFile

from hub.errors import UnreadableFile
from hub.readers.archives import broken_workbook

PIECE = 16 << 20
"""Bytes of a sheet that are read at once: about 300,000 cells."""
MAX_GAP = 100_000
"""Blank rows between two rows: calamine keeps room for every cell of them."""

_BLOCK = 1 << 20
_MAX_INDEX = 5_000_000
_SHEET_DATA = re.compile(rb"<(\w{1,32}:)?sheetData\s{0,32}(/?)>")
_NUMBER = re.compile(rb"[^>]*? r=[\"']([0-9]{1,7})[\"']")
_FAR_COLUMN = re.compile(rb'<c r="([A-Z]{3}[0-9]+)"[^<>]*[^/<>]>')
_ERROR = re.compile(rb'(<(?:\w+:)?c\b[^<>]*? t=)"e"')
_OPEN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_CLOSE = b"</sheetData></worksheet>"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORKBOOK = """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{office}">
<workbookPr date1904="{from_1904}"/><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>"""
_SHEET = "xl/worksheets/sheet1.xml"


class Sheet(NamedTuple):
    name: str
    part: str
    visible: bool


class Book(NamedTuple):
    """`shared`: the parts its sheets refer to, by kind (`styles`, `sharedStrings`)."""

    sheets: tuple[Sheet, ...]
    shared: dict[str, str]
    from_1904: bool


class Piece(NamedTuple):
    workbook: BytesIO
    done: float


def book_of(archive: ZipFile) -> Book:
    """What is in a workbook. Raises `UnreadableFile` with reason `broken_workbook`."""
    main = next(iter(_relations(archive, "", "officeDocument").values()), None)
    if main is None:
        raise broken_workbook()
    parts = _relations(archive, main, "worksheet")
    sheets = []
    for element in _elements(archive, main, "sheet"):
        part = parts.get(_prefixed(element, "id"))
        if part is not None:
            sheets.append(Sheet(element.get("name", ""), part, element.get("state", "visible") == "visible"))
    return Book(
        sheets=tuple(sheets),
        shared={
            kind: part for kind in ("styles", "sharedStrings") for part in _relations(archive, main, kind).values()
        },
        from_1904=any(each.get("date1904") in ("1", "true") for each in _elements(archive, main, "workbookPr")),
    )


def pieces_of(archive: ZipFile, book: Book, sheet: Sheet) -> Iterator[Piece]:
    """A sheet as workbooks with one sheet each, in the order of its rows; rows keep their numbers.

    Raises `UnreadableFile` with reason `broken_workbook` or `far_cell` (`cell`).
    """
    frame = _frame(archive, book)
    size = max(archive.getinfo(sheet.part).file_size, 1)
    with archive.open(sheet.part) as stream:
        last = 0
        for rows, row_tag in _cut(stream):
            first, last_used = _span(rows, row_tag, last)
            if last_used - first > rows.count(row_tag) + MAX_GAP:
                raise far_cell(f"A{last_used}")
            far = _FAR_COLUMN.search(rows)
            if far is not None:
                raise far_cell(far[1].decode())
            start = b'<row r="%d"></row>' % last if last and _number(rows, 0) is None else b""
            last = max(last_used, last)
            if b't="e"' in rows:
                # As text, or calamine leaves them out.
                rows = _ERROR.sub(rb'\1"str"', rows)
            yield Piece(_workbook(frame, start, rows), min(stream.tell() / size, 1.0))


def far_cell(cell: str) -> UnreadableFile:
    return UnreadableFile(
        "far_cell",
        f"There is something in cell {cell}, far away from the table. Delete what is right of the table and below it, "
        "save the workbook and import it again.",
        cell=cell,
    )


def _cut(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The rows of a sheet as XML, some megabytes at once, cut between rows; and how a row's tag begins."""
    buffer, looked = bytearray(), 0
    while (begins := _SHEET_DATA.search(buffer, looked)) is None:
        looked = max(buffer.rfind(b"<"), 0)
        block = stream.read(_BLOCK)
        if not block or len(buffer) > PIECE:
            raise broken_workbook()
        buffer += block
    prefix = begins[1] or b""
    row, end = b"<" + prefix + b"row", b"</" + prefix + b"sheetData"
    empty = bool(begins[2])
    del buffer[: begins.end()]
    looked = 0
    while not empty:
        finish = buffer.find(end, max(looked - len(end), 0))
        if finish >= 0:
            yield bytes(buffer[:finish]), row
            break
        looked = len(buffer)
        if looked >= PIECE and (cut := buffer.rfind(row)) > 0:
            yield bytes(buffer[:cut]), row
            del buffer[:cut]
            looked -= cut
        block = stream.read(_BLOCK)
        if not block or looked > 2 * PIECE:
            raise broken_workbook()
        buffer += block
    while stream.read(_BLOCK):
        pass  # The checksum is at the end.


def _span(rows: bytes, row_tag: bytes, before: int) -> tuple[int, int]:
    """The numbers of the first row and of the last with cells. Rows without a number follow one on another."""
    first = _number(rows, 0)
    if first is None:
        return before + 1, before + rows.count(row_tag)
    cells = rows.rfind(row_tag[:-3] + b"c ")
    return first, _number(rows, rows.rfind(row_tag, 0, cells)) or first


def _number(rows: bytes, at: int) -> int | None:
    found = _NUMBER.match(rows, max(at, 0))
    return None if found is None else int(found[1])


def _frame(archive: ZipFile, book: Book) -> bytes:
    """A workbook but for its sheet."""
    frame = BytesIO()
    with ZipFile(frame, "w", ZIP_DEFLATED, compresslevel=1) as out:
        relations = [_relation("r1", "worksheet", "worksheets/sheet1.xml")]
        for kind, part in book.shared.items():
            if part in archive.NameToInfo:
                relations.append(_relation(kind, kind, f"{kind}.xml"))
                with archive.open(part) as source, out.open(f"xl/{kind}.xml", "w") as copy:
                    copyfileobj(source, copy, _BLOCK)
        out.writestr("_rels/.rels", _related([_relation("r1", "officeDocument", "xl/workbook.xml")]))
        out.writestr("xl/_rels/workbook.xml.rels", _related(relations))
        out.writestr("xl/workbook.xml", _WORKBOOK.format(office=_OFFICE, from_1904=int(book.from_1904)))
    return frame.getvalue()


def _workbook(frame: bytes, *xml: bytes) -> BytesIO:
    workbook = BytesIO()
    workbook.write(frame)
    with ZipFile(workbook, "a") as out, out.open(_SHEET, "w") as sheet:
        for part in (_OPEN, *xml, _CLOSE):
            sheet.write(part)
    workbook.seek(0)
    return workbook


def _relation(id: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{id}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _related(relations: list[str]) -> str:
    return f'<Relationships xmlns="{_RELATIONS}">{"".join(relations)}</Relationships>'


def _relations(archive: ZipFile, part: str, kind: str) -> dict[str, str]:
    """What a part refers to of one kind, by id. Files of the strict standard name the kinds at another address."""
    folder, name = dirname(part), part.rpartition("/")[2]
    return {
        element.get("Id", ""): normpath(join("/", folder, element.get("Target", ""))).lstrip("/")
        for element in _elements(archive, join(folder, "_rels", f"{name}.rels"), "Relationship")
        if element.get("Type", "").endswith(f"/{kind}")
    }


def _elements(archive: ZipFile, part: str, name: str) -> list[dict[str, str]]:
    """The attributes of each element with this name, whatever its prefix.

    What prefixes stand for is not looked up: written out at every name, one of a megabyte takes forever.
    """
    found: list[dict[str, str]] = []

    def begins(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == name:
            found.append(attributes)

    parser = expat.ParserCreate()
    parser.StartElementHandler = begins
    try:
        if archive.getinfo(part).file_size > _MAX_INDEX:
            raise broken_workbook()
        parser.Parse(archive.read(part), True)
    except (LookupError, ValueError, expat.ExpatError) as error:
        raise broken_workbook() from error
    return found


def _prefixed(attributes: dict[str, str], name: str) -> str:
    """An attribute with whatever prefix."""
    return next((value for key, value in attributes.items() if key.endswith(f":{name}")), "")
