"""A row of the attendee file by itself: its cells become values, or problems."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.rules.addresses import UNREADABLE
from hub.rules.attendee_file.codes import Problem
from hub.rules.attendee_file.columns import ADDRESS, CHECKED_IN, ID, IDENTIFIER, REGISTERED, TYPE, Header
from hub.rules.headers import WRONG_WIDTH, misplaced
from sync.errors import Unreadable
from sync.identifiers import BLANKS, MAX_EMAIL, Email, read_email

EVENT = "Event"
FAIR_SESSION = "CareerFairSession"
OLD_FAIR = "careerfair"

_BOOLEANS = {"TRUE": True, "FALSE": False}
_MEANT = dict.fromkeys(("true", "vrai", "yes", "oui", "1", "x"), "TRUE") | dict.fromkeys(
    ("false", "faux", "no", "non", "0"), "FALSE"
)
_TYPES_MEANT = {
    "event": EVENT,
    "evenement": EVENT,
    "événement": EVENT,
    "careerfairsession": FAIR_SESSION,
}


@dataclass(slots=True)
class FileRow:
    """One row, read. `who`: what stands for the address, whatever it is. `registered` and `checked_in` are None where
    the file has no such column (RULE-77); `type`, `id` and `identifier` are empty where nothing is said.
    """

    number: int
    who: str = ""
    email: Email | None = None
    registered: bool | None = None
    checked_in: bool | None = None
    type: str = ""
    id: str = ""
    identifier: str = ""
    problems: list[Problem] = field(default_factory=list)


def read_row(header: Header, number: int, cells: Sequence[str], inexact: Sequence[int]) -> FileRow:
    """What a row says. Cells lose surrounding blanks. `inexact`: cells with a number that lost digits."""
    row = FileRow(number)
    moved = misplaced(cells, header.width, reported=header.reported)
    if moved is not None:
        about: dict[str, str | int] = {"cells": len(cells), "width": header.width}
        row.problems.append(Problem("row", WRONG_WIDTH, moved, about if len(cells) != header.width else {}))
        return row
    said = {name: cells[index].strip(BLANKS) for name, index in header.index.items()}
    row.problems += [
        Problem(name, "inexact_number", "lost digits: format the column as text, and type the number again")
        for name in (ID, IDENTIFIER)
        if header.index.get(name) in inexact
    ]
    row.who = said[ADDRESS][:MAX_EMAIL]
    row.email = _email(said[ADDRESS], row.problems)
    row.registered = _boolean(REGISTERED, said, row.problems, header.implied)
    row.checked_in = _boolean(CHECKED_IN, said, row.problems, header.implied)
    row.type = _type(said.get(TYPE, ""), row.problems)
    row.id, row.identifier = said.get(ID, ""), said.get(IDENTIFIER, "")
    return row


def _email(text: str, problems: list[Problem]) -> Email | None:
    try:
        return read_email(text)
    except Unreadable as error:
        code = "blank" if error.reason == "empty" else error.reason
        about: dict[str, dict[str, str | int]] = {"too_long": {"most": MAX_EMAIL}, "not_an_address": {"address": text}}
        problems.append(Problem(ADDRESS, code, UNREADABLE[error.reason], about.get(code, {})))
        return None


def _boolean(column: str, said: dict[str, str], problems: list[Problem], implied: str | None) -> bool | None:
    """TRUE or FALSE in capital letters (RULE-75)."""
    if column not in said:
        return True if column == implied else None
    text = said[column]
    if text not in _BOOLEANS:
        problems.append(_not_one_of(column, "not_a_boolean", "TRUE or FALSE", _MEANT.get(text.casefold())))
    return _BOOLEANS.get(text)


def _type(text: str, problems: list[Problem]) -> str:
    """`Event` or `CareerFairSession` (RULE-76)."""
    if text in ("", EVENT, FAIR_SESSION):
        return text
    plain = re.sub(r"[\W_]+", "", text.casefold())
    if plain == OLD_FAIR:
        problems.append(by_session(TYPE, None))
    else:
        problems.append(_not_one_of(TYPE, "not_a_type", f"{EVENT} or {FAIR_SESSION}", _TYPES_MEANT.get(plain)))
    return ""


def _not_one_of(column: str, code: str, choice: str, meant: str | None) -> Problem:
    if meant is None:
        return Problem(column, code, f"must be {choice}")
    return Problem(column, code, f"must be {choice}: write {meant}", {"meant": meant})


def by_session(column: str, use: str | None) -> Problem:
    """A fair is meant where one of its sessions has to be (RULE-42)."""
    said = "is a career fair, which is named by one of its sessions"
    text = f"{said}: write {FAIR_SESSION} and {use or 'the id of the session'}"
    return Problem(column, "fair_by_session", text, {} if use is None else {"use": use})
