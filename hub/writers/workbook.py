"""XLSX workbooks of one sheet: a header that stays in sight, and under it texts and moments. No formulas, ever."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from hub.errors import HubRefused

Cell = str | datetime | None
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767
"""Characters, as UTF-16 counts them. Both are limits of the format."""
_NARROWEST, _WIDEST = 10, 40
_AS_CSV = "Export it as CSV."


def write(path: Path, sheet: str, headers: Sequence[str], rows: Iterable[Sequence[Cell]], scratch: Path) -> int:
    """Write a workbook, in as little memory as one row takes, and say how many rows it has.

    `scratch` is a folder that nobody else can read. Moments are written as they are read off a clock, without their
    zone. Raises `HubRefused` for what a sheet cannot hold, and `OSError`.
    """
    with _book(path, scratch) as book:
        bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        page = book.add_worksheet(sheet)
        page.freeze_panes(1, 0)
        for column, header in enumerate(headers):
            page.set_column(column, column, min(max(len(header) + 3, _NARROWEST), _WIDEST))
            page.write_string(0, column, header, bold)
        last = 0
        for last, row in enumerate(rows, 1):
            if last == MOST_ROWS:
                raise HubRefused(f"A sheet holds {MOST_ROWS:,} rows, and there are more. {_AS_CSV}")
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    page.write_datetime(last, column, cell.replace(tzinfo=None, microsecond=0), moment)
                elif cell:
                    _write_text(page, last, column, cell, headers[column])
        page.autofilter(0, 0, last, len(headers) - 1)
    return last


@contextmanager
def _book(path: Path, scratch: Path) -> Iterator[Workbook]:
    book = Workbook(str(path), {"constant_memory": True, "tmpdir": str(scratch)})
    try:
        yield book
        book.close()
    except FileCreateError as error:
        raise error.args[0] from error
    finally:
        # Left open when something went wrong on the way.
        for page in book.worksheets():
            page.row_data_fh.close()


def _write_text(page: Worksheet, row: int, column: int, text: str, header: str) -> None:
    # As a string and nothing else: an id keeps its zeros, and =1+1 is what somebody is called.
    if page.write_string(row, column, text):
        raise HubRefused(
            f"Row {row + 1} holds more in “{header}” than the {LONGEST_CELL:,} characters of a cell. {_AS_CSV}"
        )
