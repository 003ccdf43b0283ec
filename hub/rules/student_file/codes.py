"""What may be wrong with a student file, as codes that never change, and what a sentence about each may name."""

from collections.abc import Mapping
from typing import NamedTuple

CODES: dict[str, tuple[str, ...]] = {
    # A cell by itself.
    "blank": (),
    "too_long": ("most",),
    "control_characters": (),
    "not_an_address": ("address",),
    "not_clearable": (),
    "not_a_boolean": (),
    "not_a_date": (),
    "wrong_case": ("meant",),
    "not_in_list": ("allowed",),
    "contradiction": ("column",),
    "inexact_number": (),
    "wrong_number_of_columns": ("cells", "width"),
    # Beside what is stored.
    "email_taken": ("address",),
    "card_taken": (),
    "auth_identifier_taken": (),
    "username_taken": (),
    "foreign_address": ("address",),
    "identifier_change": ("old", "new"),
    "username_and_email_change": (),
    "end_before_start": (),
    # Rows that are skipped.
    "foreign_domain": ("domain",),
    "repeated_in_file": ("line",),
    "excluded_from_sync": (),
}
"""For each code of a row what `Problem.about` holds."""

FLAGS = ("recently_freed",)
"""What staff should look at though nothing is wrong: an address that was somebody else's until lately."""

WARNINGS = (
    "unknown_header",
    "header_taken_for",
    "encoding_guessed",
    "foreign_domain",
    "repeated_in_file",
    "excluded_from_sync",
    "emails_held",
    "recently_freed",
)
"""Of the whole file. `header_taken_for` says in `did_you_mean` which column a header was taken for."""

REASONS: dict[str, tuple[str, ...]] = {
    "no_header": (),
    "header_missing": (),
    "missing_columns": ("columns",),
    "repeated_column": ("columns",),
}
"""Why a header row is refused: the reasons of `UnreadableFile`, with what its `about` holds."""

KEPT = ("changed_since", "gone", "in_use", "identifier_taken")
"""Why undoing an import leaves a student as they are: changed since; not there any more, merged perhaps; the import
made them, and something hangs on them now; what they had before is somebody else's now."""


class Problem(NamedTuple):
    """What is wrong with one cell: a stable code, the text for people, and what a sentence in their language names."""

    code: str
    text: str
    about: Mapping[str, str | int] = {}


Problems = dict[str, list[Problem]]
"""By column, in the order they were found."""


def add(problems: Problems, column: str, problem: Problem) -> None:
    """Note a problem of a column."""
    problems.setdefault(column, []).append(problem)


class Wrong(Exception):
    """A cell that cannot be read."""

    def __init__(self, code: str, text: str, about: Mapping[str, str | int] | None = None) -> None:
        self.problem = Problem(code, text, about or {})
