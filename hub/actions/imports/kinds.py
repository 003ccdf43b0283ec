"""The kinds of files, and what each of them is asked for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from hub.actions.imports import BeforeCommit, Chosen, Done, Job, Undone
from hub.actions.imports import attendees as attendee_file
from hub.actions.imports import students as student_file
from hub.actions.imports.undoing_students import undo_students
from hub.rules.attendee_file import columns as attendee_columns
from hub.rules.attendee_file.columns import Options as AttendeeOptions
from hub.rules.headers import Understood
from hub.rules.student_file import headers as student_headers
from hub.store.imports import Kind


@dataclass(frozen=True, slots=True)
class FileKind:
    """What one kind of file means to an import.

    `alone`: the column that a file of one column holds, whatever its header. `known`: every column it may have;
    `missing`: those that one with these columns needs and lacks.
    """

    alone: str | None
    known: tuple[str, ...]
    understood: Callable[[Sequence[str], Mapping[int, str]], Understood]
    missing: Callable[[Collection[str], Chosen, UUID | None], tuple[str, ...]]
    carry: Callable[[Job, Chosen, UUID | None, BeforeCommit | None], Done]
    undo: Callable[[Connection, UUID, UUID, datetime], Undone]


def _import_students(job: Job, chosen: Chosen, session_id: UUID | None, before_commit: BeforeCommit | None) -> Done:
    options = student_file.StudentFile(chosen.identifier_changes, chosen.sync, chosen.match_by)
    return student_file.import_students(job, options, before_commit)


def _import_attendees(job: Job, chosen: Chosen, session_id: UUID | None, before_commit: BeforeCommit | None) -> Done:
    return attendee_file.import_attendees(job, AttendeeOptions(session_id, chosen.just_addresses), before_commit)


def _missing_of_students(columns: Collection[str], chosen: Chosen, session_id: UUID | None) -> tuple[str, ...]:
    return tuple(name for name in student_headers.REQUIRED if name not in columns)


def _missing_of_attendees(columns: Collection[str], chosen: Chosen, session_id: UUID | None) -> tuple[str, ...]:
    return attendee_columns.required(columns, AttendeeOptions(session_id, chosen.just_addresses))


KINDS: dict[Kind, FileKind] = {
    "students": FileKind(
        alone=None,
        known=student_headers.KNOWN,
        understood=student_headers.understood,
        missing=_missing_of_students,
        carry=_import_students,
        undo=undo_students,
    ),
    "attendees": FileKind(
        alone=attendee_columns.ADDRESS,
        known=attendee_columns.COLUMNS,
        understood=attendee_columns.understood,
        missing=_missing_of_attendees,
        carry=_import_attendees,
        undo=attendee_file.undo_attendees,
    ),
}
