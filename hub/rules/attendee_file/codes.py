"""What may be wrong with an attendee file, as codes that never change, and what a sentence about each may name."""

from dataclasses import dataclass, field

REPEATED = "repeated_in_file"
CODES: dict[str, tuple[str, ...]] = {
    # A cell by itself.
    "blank": (),
    "too_long": ("most",),
    "control_characters": (),
    "not_an_address": ("address",),
    "not_a_boolean": ("meant",),
    "not_a_type": ("meant",),
    "inexact_number": (),
    "wrong_number_of_columns": ("cells", "width"),
    # Whose the address is. `use` is their school address.
    "unknown_address": (),
    "unconfirmed": (),
    "not_a_school_address": ("use",),
    # Which session is meant. `use` is the id to write.
    "unknown_event": (),
    "unknown_session": (),
    # An `Event` by the id of its session.
    "not_an_event": ("use",),
    # A `CareerFairSession` by the id of the fair.
    "not_a_session": ("use",),
    # An `Event` that is a fair; use: `CareerFairSession` and that.
    "fair_by_session": ("use",),
    # A `CareerFairSession` that is no fair's; use: `Event` and that.
    "not_a_fair": ("use",),
    "several_sessions": ("sessions",),
    # identifier means another session than `column`.
    "contradiction": ("column",),
    "other_session": (),
    # Beside the rest of the file.
    REPEATED: ("line",),
}
"""For each code of a row what `Problem.about` may hold; `use` and `meant` only when there is something to offer."""

FLAGS = ("says_nothing", "not_taken_away", "archived")
"""What staff should look at though nothing is wrong: both values are FALSE; a FALSE for what is so at the hub, and
stays so; an archived student."""

KEPT = ("seen_at_a_kiosk", "said_elsewhere")
"""Why somebody is still checked in or registered after an import was undone: a kiosk saw them; another file says so as
well, or somebody did by hand."""

WARNINGS = ("unknown_header", "header_taken_for", "encoding_guessed", REPEATED, "not_begun")
"""Of the whole file. `not_begun`: `rows` say that people came to a session that has not begun."""

REASONS: dict[str, tuple[str, ...]] = {
    "no_header": (),
    "header_missing": (),
    "missing_columns": ("columns",),
    "repeated_column": ("columns",),
    "says_no_event": (),
    "says_nothing": (),
}
"""Why a header row is refused: the reasons of `UnreadableFile`, with what its `about` holds."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell: a stable code, the text for people, and what a sentence in their language names."""

    column: str
    code: str
    text: str
    about: dict[str, str | int] = field(default_factory=dict)
