"""Records become a table, the same way whatever kind of file they come from."""

from collections.abc import Callable, Iterator

from hub.errors import UnreadableFile
from hub.readers import Format, Row, Table
from hub.readers.limits import MAX_COLUMNS, MAX_ROWS
from sync.identifiers import BLANKS


def table_of(records: Iterator[Row], format: Format, done: Callable[[], float]) -> Table:
    """The first record that is not blank is the header row.

    Headers lose the blanks around them. Columns without a header at the right end are dropped, with the blank cells in
    them: Excel writes them for every column somebody once touched. The rows of a workbook are as wide as its headers;
    those of a CSV file may be shorter, and rows that say more than the headers stay longer.

    Raises `UnreadableFile` with reason `empty`, `too_many_columns` (`columns`, `max`) or, while rows are read,
    `too_many_rows` (`max`).
    """
    first = next((record for record in records if not is_blank(record.cells)), None)
    if first is None:
        raise UnreadableFile("empty", "There is nothing in the file. Export it again with a header row.")
    headers = [cell.strip(BLANKS) for cell in first.cells]
    del headers[_length(headers) :]
    if len(headers) > MAX_COLUMNS:
        raise UnreadableFile(
            "too_many_columns",
            f"The header row has {len(headers):,} columns. Keep at most {MAX_COLUMNS}.",
            columns=len(headers),
            max=MAX_COLUMNS,
        )
    return Table(headers, _rows(records, len(headers), padded=format.kind != "csv"), format, done)


def is_blank(cells: list[str]) -> bool:
    return not any(map(str.strip, cells))


def _rows(records: Iterator[Row], width: int, *, padded: bool) -> Iterator[Row]:
    count = 0
    for record in records:
        cells = record.cells
        if is_blank(cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise UnreadableFile(
                "too_many_rows",
                f"The file has more than {MAX_ROWS:,} rows. Split it and import the parts.",
                max=MAX_ROWS,
            )
        if len(cells) > width:
            del cells[max(width, _length(cells)) :]
        elif padded and len(cells) < width:
            cells.extend([""] * (width - len(cells)))
        yield record


def _length(cells: list[str]) -> int:
    """How many cells there are up to the last that is not blank."""
    length = len(cells)
    while length and not cells[length - 1].strip(BLANKS):
        length -= 1
    return length
