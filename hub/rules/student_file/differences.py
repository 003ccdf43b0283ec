"""What an update changes, value by value, by the columns of the file. Pure."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from hub.rules.student_file.columns import CLEAR, COLUMNS, EMAIL, MORE
from hub.rules.student_file.known import Student
from hub.rules.student_file.rows import FileRow

HIDDEN = ""
"""In place of a value that whoever sent the file may not see. No value is stored like this."""


class Changed(NamedTuple):
    """A value before and after; None where there is none, `HIDDEN` where it is not told."""

    column: str
    old: str | None
    new: str | None


def differences(before: Student, after: Student) -> Iterator[Changed]:
    """Everything that is not as it was, in the order of the columns."""
    for name, column in COLUMNS.items():
        old, new = _value(before, name, column.place), _value(after, name, column.place)
        if old != new and not column.target:
            yield Changed(name, old, new)


def told(row: FileRow, before: Student, after: Student) -> Iterator[Changed]:
    """The same with nothing but what the row says: neither what was there before nor what else is there now."""
    for name, _, new in differences(before, after):
        if name == MORE:
            new = _listed(email.typed for email in row.more)
        elif COLUMNS[name].place == "card":
            new = row.values[name]
        if new is not None or name in row.values:
            yield Changed(name, HIDDEN, None if new == CLEAR else new)


def _value(student: Student, name: str, place: str) -> str | None:
    if name == EMAIL:
        return None if student.main is None else student.main.typed
    if name == MORE:
        return _listed(each.typed for each in student.addresses.values() if each.kind == "school" and not each.main)
    if place == "card":
        return _listed(student.cards)
    if place == "attribute":
        return student.attributes.get(name)
    value = getattr(student, name, None)
    return str(value).upper() if isinstance(value, bool) else value


def _listed(values: Iterator[str] | Collection[str]) -> str | None:
    return "; ".join(sorted(values)) or None
