"""A row of the student file by itself: its cells become values, or problems."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.rules.addresses import UNREADABLE
from hub.rules.student_file.columns import (
    CLEAR,
    EMAIL,
    REPORT_COLUMNS,
    WRONG_WIDTH,
    Column,
    Header,
    Problem,
    Problems,
    Wrong,
    add,
    flag,
)
from sync.errors import Unreadable
from sync.identifiers import BLANKS, Email, read_email


@dataclass(slots=True)
class FileRow:
    """One row, read. `values` holds what is not blank; addresses and erasures of them are taken apart already.

    `held`: the main address it asks for in vain (RULE-99).
    """

    number: int
    values: dict[str, str]
    email: Email | None = None
    held: Email | None = None
    more: list[Email] = field(default_factory=list)
    problems: Problems = field(default_factory=dict)


def read_row(header: Header, number: int, cells: Sequence[str]) -> FileRow | Problems:
    """What a row says, or why nothing in it can be trusted.

    Cells lose surrounding blanks; a blank one says nothing (RULE-85).
    """
    if len(cells) != header.width:
        text = f"has {len(cells)} cells where the header has {header.width}"
        return {"row": [Problem(WRONG_WIDTH, text)]}
    # Blank cells made it as wide as the header, but its own may stand in wrong columns. A spreadsheet may have moved
    # the code, too: a row wider than the header has it further to the right.
    if header.reported and any(cell.strip(BLANKS) == WRONG_WIDTH for cell in cells):
        text = f"had too few or too many cells: move each to its column, then blank {REPORT_COLUMNS[0]}"
        return {"row": [Problem(WRONG_WIDTH, text)]}
    row = FileRow(number, {})
    for index, column in header.columns:
        text = cells[index].strip(BLANKS) or (CLEAR if column.blank_clears else "")
        if text:
            _read_cell(row, column, text)
    return row


def _read_cell(row: FileRow, column: Column, text: str) -> None:
    try:
        if text == CLEAR and not column.clearable:
            raise Wrong("blank", UNREADABLE["empty"])
        if column.place == "emails":
            _read_emails(row, column, text)
            return
        value = text if text == CLEAR and column.read is not flag else column.read(text)
        target = column.target or column.name
        if row.values.setdefault(target, value) != value:
            raise Wrong("contradiction", f"says something else than {target}")
    except Wrong as wrong:
        add(row.problems, column.name, wrong.problem)


def _read_emails(row: FileRow, column: Column, text: str) -> None:
    if column.name == EMAIL:
        row.email = _email(text)
    elif text == CLEAR:
        row.values[column.name] = CLEAR
    else:
        row.more = [_email(part, part.strip(BLANKS)) for part in text.split(";") if part.strip(BLANKS)]


def _email(text: str, named: str = "") -> Email:
    try:
        return read_email(text)
    except Unreadable as error:
        # An address as long as a page, or with control characters in it, is not repeated.
        shown = f"{named} " if named and error.reason == "not_an_address" else ""
        raise Wrong(error.reason, shown + UNREADABLE[error.reason]) from error
