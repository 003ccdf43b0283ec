"""What is stored, as far as the rows at hand are concerned with it, and what the file said so far."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from hub.rules import directory
from hub.rules.addresses import Address, Domains
from hub.rules.student_file.columns import CLEAR, EMAIL, Problem, Problems, add
from hub.rules.student_file.rows import FileRow
from sync.directory import Line


@dataclass(slots=True)
class Student:
    """A student as stored.

    `attributes["card_id"]` is the card that came by file, among all `cards` of the student.
    """

    id: UUID
    username: str
    auth_identifier: str | None = None
    first_name: str = ""
    last_name: str | None = None
    middle_name: str | None = None
    preferred_name: str | None = None
    school_year_name: str | None = None
    disabled: bool = False
    preferred_address_id: UUID | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)

    @property
    def main(self) -> Address | None:
        """The main school address (RULE-1)."""
        return next((each for each in self.addresses.values() if each.main), None)

    def on_screen(self) -> tuple[object, ...]:
        """What kiosks know of this student: when it changes, they must be told."""
        return (
            self.preferred_name or self.first_name,
            self._line(),
            self.disabled,
            {each.key for each in self.addresses.values() if each.state == "confirmed"},
            set(self.cards),
        )

    def _line(self) -> Line:
        main = self.main
        return directory.line(
            self.first_name,
            self.last_name,
            self.middle_name,
            self.preferred_name,
            self.school_year_name,
            None if main is None else main.key,
        )


@dataclass(slots=True)
class Seen:
    """Identifying values of the file so far, and the line each came on first (RULE-101)."""

    lines: dict[str, dict[str, int]] = field(default_factory=dict)

    def repeats(self, row: FileRow) -> Problems:
        """Which values an earlier row had. Whatever becomes of this row, later ones may not repeat it."""
        problems: Problems = {}
        for column, value in _identifying(row):
            line = self.lines.setdefault(column, {}).setdefault(value, row.number)
            if line != row.number:
                add(problems, column, Problem("repeated_in_file", f"repeats line {line}"))
        return problems


def _identifying(row: FileRow) -> Iterator[tuple[str, str]]:
    if row.email is not None:
        yield EMAIL, row.email.key
    for column in ("username", "auth_identifier", "card_id"):
        value = row.values.get(column, CLEAR)
        if value != CLEAR:
            yield column, value


@dataclass(slots=True)
class Known:
    """What is stored, as far as the rows at hand are concerned with it.

    `student_id` is the id of a new student with that username. `students` by username; whose every address key, card
    and SSO id mentioned is. Addresses are known across all institutions (RULE-10), the rest within this one.
    """

    domains: Domains
    seen: Seen
    new_id: Callable[[], UUID]
    student_id: Callable[[str], UUID]
    students: dict[str, Student] = field(default_factory=dict)
    addresses: dict[str, UUID] = field(default_factory=dict)
    cards: dict[str, UUID] = field(default_factory=dict)
    auth_identifiers: dict[str, UUID] = field(default_factory=dict)
