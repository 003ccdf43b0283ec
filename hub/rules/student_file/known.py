"""What is stored, as far as the rows at hand are concerned with it, and what the file said so far."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from hub.rules import directory
from hub.rules.addresses import Address, Domains, vouched
from hub.rules.student_file.codes import Problem, Problems, add
from hub.rules.student_file.columns import CLEAR, EMAIL
from hub.rules.student_file.rows import FileRow
from sync.directory import Line

MatchBy = Literal["username", "email_address"]


@dataclass(slots=True)
class Student:
    """A student as stored.

    `attributes["card_id"]` is the card that came by file, among all `cards` of the student. `excluded_from_sync`: files
    that come every night leave them alone (RULE-18).
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
    excluded_from_sync: bool = False
    addresses: dict[str, Address] = field(default_factory=dict)
    cards: set[str] = field(default_factory=set)

    def copy(self) -> "Student":
        """The same student, to be changed without this one."""
        return Student(
            self.id,
            self.username,
            self.auth_identifier,
            self.first_name,
            self.last_name,
            self.middle_name,
            self.preferred_name,
            self.school_year_name,
            self.disabled,
            self.preferred_address_id,
            dict(self.attributes),
            self.excluded_from_sync,
            dict(self.addresses),
            set(self.cards),
        )

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
    students: dict[UUID, int] = field(default_factory=dict)

    def repeats(self, row: FileRow) -> Problems:
        """Which values an earlier row had. Whatever becomes of this row, later ones may not repeat it."""
        problems: Problems = {}
        for column, value in _identifying(row):
            line = self.lines.setdefault(column, {}).setdefault(value, row.number)
            if line != row.number:
                add(problems, column, _repeated(line))
        return problems

    def again(self, student: Student, row: FileRow) -> Problems:
        """Whether an earlier row was about the same student, by another of their addresses."""
        line = self.students.setdefault(student.id, row.number)
        return {} if line == row.number else {EMAIL: [_repeated(line)]}


def _repeated(line: int) -> Problem:
    return Problem("repeated_in_file", f"repeats line {line}", {"line": line})


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

    `student_id` is the id of a new student with that username. `by_id` holds everybody whom a row names by what
    identifies them, `students` the same by username; then whose every address key, card and SSO id mentioned is.
    Addresses are known across all institutions (RULE-10), the rest within this one. `freed`: whose an address was that
    lately nobody has had, by key.
    """

    domains: Domains
    seen: Seen
    new_id: Callable[[], UUID]
    student_id: Callable[[str], UUID]
    by_id: dict[UUID, Student] = field(default_factory=dict)
    students: dict[str, Student] = field(default_factory=dict)
    addresses: dict[str, UUID] = field(default_factory=dict)
    cards: dict[str, UUID] = field(default_factory=dict)
    auth_identifiers: dict[str, UUID] = field(default_factory=dict)
    freed: dict[str, UUID] = field(default_factory=dict)

    def match(self, row: FileRow, match_by: MatchBy) -> Student | None:
        """The student a row is about: by username, or by an address that the school stands for."""
        if match_by == "username":
            return self.students.get(row.values.get("username", ""))
        email = row.email or row.held
        student = None if email is None else self.by_id.get(self.addresses.get(email.key, _NOBODY))
        if email is None or student is None or not vouched(student.addresses[email.key]):
            return None
        return student

    def put(self, student: Student) -> None:
        """From now on a student is as given."""
        before = self.by_id.get(student.id)
        if before is not None and before.username != student.username:
            del self.students[before.username]
        self.by_id[student.id] = self.students[student.username] = student


_NOBODY = UUID(int=0)
