"""Which column each cell of a file belongs to, by what its header row says. Pure; the same for every file."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sync.errors import Unreadable
from sync.identifiers import BLANKS, read_email

REPORT_COLUMNS = ("error_code", "error_message")
"""What the failed-rows file adds at the right, the message last (RULE-102). Corrected, it may be imported as it is."""
IGNORED = ""
"""Chosen for a column that is to be left out."""
WRONG_WIDTH = "wrong_number_of_columns"
"""The code of a row whose cells may stand in wrong columns."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a header row says. `columns`: by index, the known column it holds; each of them at most once.

    `taken_for`: headers that are no column's exact name, and the column each was taken for. `unknown`: headers that are
    left out (RULE-84). `repeated`: known columns that several headers claim; `columns` has the first.
    """

    columns: dict[int, str]
    width: int
    taken_for: dict[str, str]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]
    reported: bool


def understand(
    headers: Sequence[str], known: Collection[str], aliases: Mapping[str, str], chosen: Mapping[int, str]
) -> Understood:
    """Exact names first, then other spellings of them and `aliases` (by `folded` header). `chosen`, by index, is what
    somebody said a column holds, and decides.

    A header that only resembles a column which another header names better is unknown.
    """
    meant = {folded(name): name for name in known} | dict(aliases)
    left = [index for index in range(len(headers)) if index not in chosen]
    exact = {index: headers[index] for index in left if headers[index] in known}
    spelt = {index: meant[folded(headers[index])] for index in left if folded(headers[index]) in meant}
    said = {index: name for index, name in sorted(chosen.items()) if name in known and index < len(headers)}
    columns: dict[int, str] = {}
    repeated: list[str] = []
    for claims in (said, exact, {index: name for index, name in spelt.items() if index not in exact}):
        taken = set(columns.values())
        for index, name in claims.items():
            if name not in taken and name in columns.values():
                repeated.append(name)
            elif name not in taken:
                columns[index] = name
    columns = dict(sorted(columns.items()))
    return Understood(
        columns=columns,
        width=len(headers),
        taken_for={headers[index]: name for index, name in columns.items() if headers[index] != name},
        unknown=tuple(
            header
            for index, header in enumerate(headers)
            if index in left and index not in columns and header.strip()
            if header not in REPORT_COLUMNS and spelt.get(index) not in repeated
        ),
        repeated=tuple(dict.fromkeys(repeated)),
        reported=REPORT_COLUMNS[0] in headers,
    )


def resembled(header: str, known: Collection[str], aliases: Mapping[str, str]) -> str | None:
    """The column that somebody who wrote an unknown header may have meant."""
    # Without what stands before its colon a name may be that of several columns, so nothing is taken for it.
    spellings = {name.rpartition(":")[2]: name for name in known}
    spellings |= {folded(name): name for name in known} | dict(aliases)
    close = get_close_matches(folded(header), spellings, n=1, cutoff=0.8)
    return spellings[close[0]] if close else None


def holds_data(headers: Sequence[str]) -> bool:
    """Whether the first row is somebody's already: an address is no column's name."""
    return any(_is_address(header) for header in headers)


def _is_address(text: str) -> bool:
    try:
        read_email(text)
    except Unreadable:
        return False
    return True


def misplaced(cells: Sequence[str], width: int, *, reported: bool) -> str | None:
    """Why the cells of a row may not stand in their columns, if so. `reported`: it is a row of a failed-rows file."""
    if len(cells) != width:
        return f"has {len(cells)} cells where the header has {width}"
    # Blank cells made it as wide as the header, but its own may stand in wrong columns. A spreadsheet may have moved
    # the code, too: a row wider than the header has it further to the right.
    if reported and any(cell.strip(BLANKS) == WRONG_WIDTH for cell in cells):
        return f"had too few or too many cells: move each to its column, then blank {REPORT_COLUMNS[0]}"
    return None


def folded(header: str) -> str:
    """A header without case, accents and punctuation, but for the colon inside `primary_education:end_date`."""
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", header.casefold()) if not unicodedata.combining(char)
    )
    return re.sub(r"[^\w:]+|_+", "_", plain.strip()).strip("_")
