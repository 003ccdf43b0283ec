"""A row beside what is stored: what it comes to, and why."""

from dataclasses import dataclass

from hub.rules.addresses import TAKEN, UNREADABLE
from hub.rules.student_file.apply import Changes, apply
from hub.rules.student_file.codes import Problem, Problems, add
from hub.rules.student_file.columns import CLEAR, EMAIL, END, MANDATORY, MORE, START
from hub.rules.student_file.known import Known, MatchBy, Student
from hub.rules.student_file.rows import FileRow


@dataclass(frozen=True, slots=True)
class Options:
    """`match_by`: what tells which student a row is about. `identifier_changes`: RULE-98. `sync`: nobody looks at the
    file, and excluded students stay as they are (RULE-18). `hold_emails`: main addresses of known students stay as they
    are (RULE-99).
    """

    match_by: MatchBy = "username"
    identifier_changes: bool = False
    sync: bool = False
    hold_emails: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    """The row is about somebody new."""

    student: Student
    changes: Changes


@dataclass(frozen=True, slots=True)
class Update:
    """The row says something else than what was stored, which is `before`."""

    before: Student
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


@dataclass(frozen=True, slots=True)
class Failed:
    """The row is wrong."""

    problems: Problems


Plan = Create | Update | Unchanged | Skipped | Failed


def moves_email(row: FileRow, known: Known, options: Options) -> bool:
    """Whether the row names another main address than the one stored for its student. Ask before `plan_row`."""
    student = known.match(row, options.match_by)
    if student is None or _left_alone(student, options):
        return False
    main = student.main
    return main is not None and row.email is not None and row.email.key != main.key


def plan_row(row: FileRow, known: Known, options: Options) -> Plan:
    """What a row comes to, beside what is stored; `known` is brought up to date with it."""
    repeats = known.seen.repeats(row)
    if repeats:
        return Skipped(repeats)
    student = known.match(row, options.match_by)
    if student is not None and _left_alone(student, options):
        return Skipped({"username": [Problem("excluded_from_sync", "is excluded from automatic syncs")]})
    foreign = known.domains.foreign(row.email) if row.email is not None else None
    if foreign is not None:
        text = f"is on {foreign}, a domain of another institution"
        return Skipped({EMAIL: [Problem("foreign_domain", text, {"domain": foreign})]}, foreign)
    if student is not None and options.match_by == EMAIL:
        repeats = known.seen.again(student, row)
        if repeats:
            return Skipped(repeats)
    if student is not None and options.hold_emails:
        row.email, row.held = None, row.email
    problems = _problems(row, student, known, options)
    if problems:
        return Failed(problems)
    if student is not None:
        return _update(row, student, known)
    created = _create(row, known)
    if options.match_by == EMAIL:
        known.seen.again(created.student, row)
    return created


def _left_alone(student: Student, options: Options) -> bool:
    return options.sync and student.excluded_from_sync


def _problems(row: FileRow, student: Student | None, known: Known, options: Options) -> Problems:
    problems = row.problems
    if student is None:
        _check_moved(row, known, problems)
        _check_mandatory(row, problems)
    else:
        _check_identifiers(row, student, known, options, problems)
    _check_taken(row, student, known, problems)
    _check_more(row, student, known, problems)
    _check_dates(row, student, problems)
    return problems


def _check_mandatory(row: FileRow, problems: Problems) -> None:
    for column in MANDATORY:
        given = row.email is not None if column == EMAIL else column in row.values
        if not given and column not in problems:
            add(problems, column, Problem("blank", UNREADABLE["empty"]))


def _check_taken(row: FileRow, student: Student | None, known: Known, problems: Problems) -> None:
    me = None if student is None else student.id
    if row.email is not None and known.addresses.get(row.email.key, me) != me:
        add(problems, EMAIL, Problem("email_taken", TAKEN, {"address": row.email.typed}))
    named = known.students.get(row.values.get("username", ""))
    if named is not None and named.id != me:
        add(problems, "username", Problem("username_taken", TAKEN))
    if known.cards.get(row.values.get("card_id", CLEAR), me) != me:
        add(problems, "card_id", Problem("card_taken", TAKEN))
    if known.auth_identifiers.get(row.values.get("auth_identifier", CLEAR), me) != me:
        add(problems, "auth_identifier", Problem("auth_identifier_taken", TAKEN))


def _check_more(row: FileRow, student: Student | None, known: Known, problems: Problems) -> None:
    me = None if student is None else student.id
    for email in row.more:
        about = {"address": email.typed}
        # Whether such an address is anybody's, perhaps at another institution, is nothing a file may find out.
        if not known.domains.own(email):
            text = f"{email.typed} is not on a mail domain of this institution"
            add(problems, MORE, Problem("foreign_address", text, about))
        elif known.addresses.get(email.key, me) != me:
            add(problems, MORE, Problem("email_taken", f"{email.typed} {TAKEN}", about))


_BOTH = Problem(
    "username_and_email_change",
    "Attempted to update username and email_address of one student in one file: use two files, one for each",
)


def _check_moved(row: FileRow, known: Known, problems: Problems) -> None:
    """Whether a row that seems to be about somebody new is about a known student under two new names (RULE-100)."""
    owners = {
        known.cards.get(row.values.get("card_id", CLEAR)),
        known.auth_identifiers.get(row.values.get("auth_identifier", CLEAR)),
    } - {None}
    for student in (known.by_id[owner] for owner in owners if owner in known.by_id):
        renamed = row.values.get("username", student.username) != student.username
        moved = row.email is not None and row.email.key not in student.addresses
        if renamed and moved and _same_name(row, student):
            add(problems, "username", _BOTH)
            return


def _same_name(row: FileRow, student: Student) -> bool:
    # Whoever has somebody else's card by mistake has another name.
    names = [(row.values.get(name), getattr(student, name)) for name in ("first_name", "last_name")]
    return all(said is None or stored is None or said.casefold() == stored.casefold() for said, stored in names)


def _check_identifiers(row: FileRow, student: Student, known: Known, options: Options, problems: Problems) -> None:
    username = row.values.get("username", student.username)
    main = student.main
    if username != student.username and main is not None and row.email is not None and row.email.key != main.key:
        add(problems, "username", _BOTH)
    elif username != student.username and not options.identifier_changes:
        add(problems, "username", _identifier_change("username", student.username, username))
    # A first value changes nothing that anybody signs in with today.
    old, new = student.auth_identifier, row.values.get("auth_identifier")
    if old is not None and new is not None and new != old and not options.identifier_changes:
        add(problems, "auth_identifier", _identifier_change("auth_identifier", old, new))


def _identifier_change(column: str, old: str, new: str) -> Problem:
    text = f"Attempted to update {column} from {old} to {new}"
    return Problem("identifier_change", text, {"old": old, "new": new})


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
    username = row.values["username"]
    student = Student(known.student_id(username), username)
    changes = Changes(on_screen=True)
    apply(row, student, known, changes)
    known.put(student)
    return Create(student, changes)


def _update(row: FileRow, before: Student, known: Known) -> Update | Unchanged:
    student, changes = before.copy(), Changes()
    if not apply(row, student, known, changes):
        return Unchanged()
    known.put(student)
    changes.on_screen = student.on_screen() != before.on_screen()
    return Update(before, student, changes)
