"""A row beside what is stored: what it comes to, and why."""

from dataclasses import dataclass
from uuid import UUID

from hub.rules.addresses import TAKEN, UNREADABLE
from hub.rules.student_file.apply import Changes, apply
from hub.rules.student_file.columns import CLEAR, EMAIL, END, MANDATORY, MORE, START, Problem, Problems, add
from hub.rules.student_file.known import Known, Student
from hub.rules.student_file.rows import FileRow


@dataclass(frozen=True, slots=True)
class Options:
    """`identifier_changes`: RULE-98. `hold_emails`: main addresses of known students stay as they are (RULE-99)."""

    identifier_changes: bool = False
    hold_emails: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    student: Student
    changes: Changes


@dataclass(frozen=True, slots=True)
class Update:
    student: Student
    changes: Changes


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The row says what is stored."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing was done with the row, for a reason outside it. `domain`: whose it is (RULE-97)."""

    problems: Problems
    domain: str | None = None

    @property
    def code(self) -> str:
        return _first_code(self.problems)


@dataclass(frozen=True, slots=True)
class Failed:
    """The row is wrong."""

    problems: Problems

    @property
    def code(self) -> str:
        return _first_code(self.problems)


Outcome = Create | Update | Unchanged | Skipped | Failed


def _first_code(problems: Problems) -> str:
    return next(iter(problems.values()))[0].code


def error_map(problems: Problems) -> dict[str, object]:
    """The documented shape: `{"success": false, "errors": {column: [text, ...]}}` (RULE-90)."""
    errors = {column: [each.text for each in found] for column, found in problems.items()}
    return {"success": False, "errors": errors}


def moves_email(row: FileRow, known: Known) -> bool:
    """Whether the row names another main address than the one stored for its student. Ask before `plan_row`."""
    student = known.students.get(row.values.get("username", ""))
    main = None if student is None else student.main
    return main is not None and row.email is not None and row.email.key != main.key


def plan_row(row: FileRow, known: Known, options: Options) -> Outcome:
    """What a row comes to, beside what is stored; `known` is brought up to date with it."""
    repeats = known.seen.repeats(row)
    if repeats:
        return Skipped(repeats)
    foreign = known.domains.foreign(row.email) if row.email is not None else None
    if foreign is not None:
        problem = Problem("foreign_domain", f"is on {foreign}, a domain of another institution")
        return Skipped({EMAIL: [problem]}, foreign)
    student = known.students.get(row.values.get("username", ""))
    if student is not None and options.hold_emails:
        row.email, row.held = None, row.email
    problems = _problems(row, student, known, options)
    if problems:
        return Failed(problems)
    return _create(row, known) if student is None else _update(row, student, known)


def _problems(row: FileRow, student: Student | None, known: Known, options: Options) -> Problems:
    problems = row.problems
    if student is None:
        _check_mandatory(row, problems)
    me = None if student is None else student.id
    _check_taken(row, me, known, problems)
    for email in row.more:
        if not known.domains.own(email):
            text = f"{email.typed} is not on a mail domain of this institution"
            add(problems, MORE, Problem("foreign_address", text))
    if student is not None and not options.identifier_changes:
        _check_identifiers(row, student, problems)
    _check_dates(row, student, problems)
    return problems


def _check_mandatory(row: FileRow, problems: Problems) -> None:
    for column in MANDATORY:
        given = row.email is not None if column == EMAIL else column in row.values
        if not given and column not in problems:
            add(problems, column, Problem("blank", UNREADABLE["empty"]))


def _check_taken(row: FileRow, me: UUID | None, known: Known, problems: Problems) -> None:
    if row.email is not None and known.addresses.get(row.email.key, me) != me:
        add(problems, EMAIL, Problem("email_taken", TAKEN))
    for email in row.more:
        if known.addresses.get(email.key, me) != me:
            add(problems, MORE, Problem("email_taken", f"{email.typed} {TAKEN}"))
    if known.cards.get(row.values.get("card_id", CLEAR), me) != me:
        add(problems, "card_id", Problem("card_taken", TAKEN))
    if known.auth_identifiers.get(row.values.get("auth_identifier", CLEAR), me) != me:
        add(problems, "auth_identifier", Problem("auth_identifier_taken", TAKEN))


def _check_identifiers(row: FileRow, student: Student, problems: Problems) -> None:
    # A first value changes nothing that anybody signs in with today.
    old, new = student.auth_identifier, row.values.get("auth_identifier")
    if old is not None and new is not None and new != old:
        text = f"Attempted to update auth_identifier from {old} to {new}"
        add(problems, "auth_identifier", Problem("identifier_change", text))


def _check_dates(row: FileRow, student: Student | None, problems: Problems) -> None:
    """An end on or after the start, whichever of the two is new (RULE-93, RULE-94, RULE-95)."""
    if START not in row.values and END not in row.values:
        return
    stored = {} if student is None else student.attributes
    start, end = (row.values.get(column, stored.get(column, CLEAR)) for column in (START, END))
    if CLEAR not in (start, end) and end[:10] < start[:10]:
        text = f"must be a date on or after {START}"
        add(problems, "primary_education.end_date", Problem("end_before_start", text))


def _create(row: FileRow, known: Known) -> Create:
    student = Student(known.student_id(row.values["username"]), row.values["username"])
    known.students[student.username] = student
    changes = Changes(on_screen=True)
    apply(row, student, known, changes)
    return Create(student, changes)


def _update(row: FileRow, student: Student, known: Known) -> Update | Unchanged:
    before = student.on_screen()
    changes = Changes()
    if not apply(row, student, known, changes):
        return Unchanged()
    changes.on_screen = student.on_screen() != before
    return Update(student, changes)
