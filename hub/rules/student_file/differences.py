"""What an update changes, value by value, by the columns of the file. Pure."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from hub.rules.student_file.columns import COLUMNS, EMAIL, MORE
from hub.rules.student_file.known import Student


class Changed(NamedTuple):
    """A value before and after; None where there is none."""

    column: str
    old: str | None
    new: str | None


def differences(before: Student, after: Student) -> Iterator[Changed]:
    """Everything that is not as it was, in the order of the columns."""
    for name, column in COLUMNS.items():
        old, new = _value(before, name, column.place), _value(after, name, column.place)
        if old != new and not column.target:
            yield Changed(name, old, new)


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
