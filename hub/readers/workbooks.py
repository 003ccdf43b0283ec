"""Workbooks: .xlsx a few thousand rows at a time, .ods as a whole. The only file that knows calamine."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineSheet, SheetVisibleEnum, load_workbook

from hub.errors import UnreadableFile
from hub.readers import Format, How, Row, Table
from hub.readers.archives import DAMAGE, broken_workbook, encrypted
from hub.readers.cells import Value, is_inexact, text_of
from hub.readers.ooxml import book_of, pieces_of
from hub.readers.table import table_of

_MANIFEST = 1_000_000
_LONGEST = 255
"""Characters in the name of a sheet; Excel allows 31 of them."""


def read_xlsx(archive: ZipFile, how: How) -> Table:
    """The table on the first visible sheet, or on the one asked for. Row numbers are those that Excel shows.

    Raises `UnreadableFile`, here or while rows are read: what `table_of` raises, and reason `no_such_sheet` (`sheet`,
    `sheets`), `broken_workbook` or `far_cell` (`cell`).
    """
    with _whole():
        book = book_of(archive)
    name, shown = _chosen(how.sheet, {sheet.name: sheet.visible for sheet in book.sheets})
    sheet = next(each for each in book.sheets if each.name == name)
    done = 0.0

    def records() -> Iterator[Row]:
        nonlocal done
        with _whole():
            for piece in pieces_of(archive, book, sheet):
                yield from _piece(load_workbook(piece.workbook).get_sheet_by_index(0))
                done = piece.done

    return table_of(records(), Format(kind="xlsx", sheet=name, sheets=shown), lambda: done)


def read_ods(archive: ZipFile, raw: BinaryIO, how: How) -> Table:
    """As `read_xlsx`, but the whole workbook is in memory; also raises with reason `encrypted`."""
    with _whole(), archive.open("META-INF/manifest.xml") as manifest:
        if b"encryption-data" in manifest.read(_MANIFEST):
            raise encrypted()
    raw.seek(0)
    with _whole():
        book = load_workbook(raw)
        sheets = {each.name: each.visible == SheetVisibleEnum.Visible for each in book.sheets_metadata}
        name, shown = _chosen(how.sheet, sheets)
        sheet = book.get_sheet_by_name(name)
    left = sheet.start[1] if sheet.start else 0
    last = 0

    def records() -> Iterator[Row]:
        nonlocal last
        for record in _records(sheet.iter_rows(), 1, left):
            last = record.number
            yield record

    end = max(sheet.total_height + 1, 1)
    return table_of(records(), Format(kind="ods", sheet=name, sheets=shown), lambda: min(last / end, 1.0))


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except (*DAMAGE, CalamineError, KeyError) as error:
        raise broken_workbook() from error


def _chosen(asked: str | None, sheets: dict[str, bool]) -> tuple[str, tuple[str, ...]]:
    """The sheet to read and those to choose from. `sheets`: which there are, and whether they are visible."""
    if not sheets:
        raise UnreadableFile("empty", "There is no sheet with cells in this workbook.")
    shown = tuple(name for name, visible in sheets.items() if visible) or tuple(sheets)
    if asked is None:
        return shown[0], shown
    if asked not in sheets or len(asked) > _LONGEST:
        asked, names = asked[:_LONGEST], ", ".join(shown)
        raise UnreadableFile(
            "no_such_sheet",
            f"There is no sheet “{asked}” in this workbook. Choose one of: {names}.",
            sheet=asked,
            sheets=names,
        )
    return asked, shown


def _piece(sheet: CalamineSheet) -> Iterator[Row]:
    if sheet.start is not None:
        top, left = sheet.start
        yield from _records(sheet.to_python(), top + 1, left)


def _records(values: Iterable[list[Value]], first: int, left: int) -> Iterator[Row]:
    """Rows numbered from `first`, with `left` blank columns before what calamine gives."""
    margin = [""] * left
    for number, row in enumerate(values, first):
        others = [at for at, value in enumerate(row) if type(value) is not str]
        inexact = tuple([left + at for at in others if is_inexact(row[at])])
        for at in others:
            row[at] = text_of(row[at])
        cells = cast(list[str], row)
        yield Row(number, margin + cells if left else cells, inexact)
