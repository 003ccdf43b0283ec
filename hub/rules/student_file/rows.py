"""A row of the student file by itself: its cells become values, or problems."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.rules.addresses import UNREADABLE
from hub.rules.headers import WRONG_WIDTH, misplaced
from hub.rules.student_file.codes import Problem, Problems, Wrong, add
from hub.rules.student_file.columns import CLEAR, EMAIL, Column, flag
from hub.rules.student_file.headers import Header
from sync.errors import Unreadable
from sync.identifiers import BLANKS, MAX_EMAIL, Email, read_email


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


def read_row(header: Header, number: int, cells: Sequence[str], inexact: Sequence[int] = ()) -> FileRow | Problems:
    """What a row says, or why nothing in it can be trusted.

    Cells lose surrounding blanks; a blank one says nothing (RULE-85). `inexact`: cells with a number that lost digits.
    """
    moved = misplaced(cells, header.width, reported=header.reported)
    if moved is not None:
        return {"row": [Problem(WRONG_WIDTH, moved, {"cells": len(cells), "width": header.width})]}
    row = FileRow(number, {})
    for index, column in header.columns:
        text = cells[index].strip(BLANKS) or (CLEAR if column.blank_clears else "")
        if index in inexact:
            said = "lost digits: format the column as text, and type the number again"
            add(row.problems, column.name, Problem("inexact_number", said))
        elif text:
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
            raise Wrong("contradiction", f"says something else than {target}", {"column": target})
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
        if error.reason == "not_an_address":
            shown = f"{named} " if named else ""
            raise Wrong(error.reason, shown + UNREADABLE[error.reason], {"address": text.strip(BLANKS)}) from error
        if error.reason == "empty":
            raise Wrong("blank", UNREADABLE[error.reason]) from error
        about = {"most": MAX_EMAIL} if error.reason == "too_long" else {}
        raise Wrong(error.reason, UNREADABLE[error.reason], about) from error
