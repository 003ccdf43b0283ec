"""What these tests share: a school with students and events, small files, and looking at what they came to."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, select
from uuid_utils.compat import uuid7

from hub.actions import attendance, events
from hub.actions.events import NewEvent, SessionChanges
from hub.actions.imports import Done, Job, Undone
from hub.actions.imports.attendees import import_attendees, undo_attendees
from hub.database import reading, writing
from hub.rules.attendee_file.columns import Options
from hub.schema import addresses, imported_attendance, registrations, students
from hub.store import feed, imports
from hub.store.events import Session
from hub.store.imports import Import
from sync.identifiers import read_email

HEADERS = ("student_email_address", "registered", "checked_in", "identifiable_type", "identifiable_id", "identifier")
MADE = datetime(2026, 9, 1, tzinfo=UTC)

Row = Mapping[str, str]


def as_csv(rows: Sequence[Row]) -> str:
    """A file of these rows, with the columns that any of them has."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def said(address: str, registered: str, checked_in: str, kind: str, id: object, identifier: str = "") -> Row:
    """A row of a file with all columns."""
    return dict(zip(HEADERS, (address, registered, checked_in, kind, str(id), identifier), strict=True))


def row(address: str, registered: str = "TRUE", checked_in: str = "TRUE") -> Row:
    """A row of a file that is uploaded for one session."""
    return {"student_email_address": address, "registered": registered, "checked_in": checked_in}


@dataclass
class Office:
    """Where files are imported."""

    engine: Engine
    institution_id: UUID
    folder: Path
    now: datetime
    progress: list[tuple[int, float]] = field(default_factory=list)
    import_ids: list[UUID] = field(default_factory=list)

    def student(
        self,
        name: str,
        *,
        school: Sequence[str] = (),
        additional: Sequence[str] = (),
        pending: Sequence[str] = (),
        archived: bool = False,
    ) -> UUID:
        """A student with the school address name@example.edu and others."""
        student_id = uuid7()
        mine = {"institution_id": self.institution_id, "student_id": student_id, "added_at": MADE}
        told = [(f"{name.lower()}@example.edu", "school", "confirmed", True)]
        told += [(each, "school", "confirmed", False) for each in school]
        told += [(each, "additional", "confirmed", False) for each in additional]
        told += [(each, "additional", "pending", False) for each in pending]
        with writing(self.engine) as conn:
            conn.execute(
                students.insert(),
                {
                    "institution_id": self.institution_id,
                    "id": student_id,
                    "username": name.lower(),
                    "first_name": name,
                    "disabled": archived,
                    "attributes": {},
                    "made_at": MADE,
                    "changed_at": MADE,
                },
            )
            conn.execute(
                addresses.insert(),
                [
                    mine
                    | {"id": uuid7(), "typed": typed, "key": read_email(typed).key, "kind": kind, "state": state}
                    | {"main": main, "origin": "imported" if kind == "school" else "added"}
                    for typed, kind, state, main in told
                ],
            )
            feed.touch(conn, self.institution_id, "person", [student_id])
        return student_id

    def event(self, kind: str = "event", sessions: int = 1, external_id: str | None = None) -> list[Session]:
        """The sessions of an event that was yesterday."""
        start = self.now - timedelta(days=1)
        new = NewEvent(kind, "A day", start, start + timedelta(hours=2), sessions, external_id)
        return events.create(self.engine, self.institution_id, new, self.now).sessions

    def call(self, session: Session, external_id: str) -> None:
        """What another system calls a session of a fair."""
        events.change(self.engine, self.institution_id, session.id, SessionChanges(external_id=external_id))

    def take(
        self,
        content: str | bytes,
        options: Options = Options(),  # noqa: B008 - it is frozen
        *,
        sees_students: bool = True,
        dry_run: bool = False,
        name: str = "attendees.csv",
    ) -> Done:
        """Import a file of this content."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        import_id = uuid7()
        self.import_ids.append(import_id)
        with writing(self.engine) as conn:
            imports.add(conn, self.institution_id, self._listed(import_id))
        job = Job(
            engine=self.engine,
            institution_id=self.institution_id,
            import_id=import_id,
            path=path,
            name=path.name,
            folder=self.folder / "failed-rows",
            now=self.now,
            dry_run=dry_run,
            sees_students=sees_students,
            progress=lambda rows, part: self.progress.append((rows, part)),
        )
        return import_attendees(job, options)

    def rows(self, *rows: Row, session: Session | None = None, sees_students: bool = True) -> Done:
        """Import a file of these rows, for a session or by what they say themselves."""
        options = Options(session_id=None if session is None else session.id)
        return self.take(as_csv(rows), options, sees_students=sees_students)

    def undo(self, import_id: UUID | None = None) -> Undone:
        """Take an import back, or the last one."""
        with writing(self.engine) as conn:
            return undo_attendees(conn, self.institution_id, import_id or self.import_ids[-1], self.now)

    def count(self, session: Session) -> tuple[int, int, int]:
        """Registered, present, and of these only by file."""
        found = attendance.count(self.engine, self.institution_id, session.id).count
        return found.registered, found.checked_in, found.imported

    def stored(self) -> tuple[set[tuple[UUID, UUID]], set[tuple[UUID, UUID]]]:
        """Session and student of every registration, and of all attendance that came by file."""
        with reading(self.engine) as conn:
            registered, attended = (
                conn.execute(select(table.c.session_id, table.c.student_id)).all()
                for table in (registrations, imported_attendance)
            )
        return {(each[0], each[1]) for each in registered}, {(each[0], each[1]) for each in attended}

    def position(self) -> int:
        with reading(self.engine) as conn:
            return feed.position(conn, self.institution_id)

    def _listed(self, import_id: UUID) -> Import:
        return Import(
            id=import_id,
            kind="attendees",
            session_id=None,
            state="applied",
            file_name="attendees.csv",
            fingerprint="0" * 64,
            size=1,
            options={},
            result=None,
            who="ada@example.edu",
            made_at=self.now,
            changed_at=self.now,
            applied_at=self.now,
        )


def counts(done: Done) -> tuple[int, int, int, int, int]:
    """Created, updated, unchanged, skipped, failed."""
    result = done.result
    parts = (result.created, result.updated, result.unchanged, result.skipped, result.failed)
    assert sum(parts) == result.rows
    return parts


def why(done: Done) -> list[tuple[str, str]]:
    """Column and code of everything that was wrong, in the order of the file."""
    return [(wrong.column, wrong.code) for each in done.report.rejected for wrong in each.outcome.wrong]


def texts(done: Done) -> list[str]:
    """What is said of it."""
    return [wrong.text for each in done.report.rejected for wrong in each.outcome.wrong]


def failed_rows(done: Done) -> list[list[str]]:
    """The failed-rows file, without its header."""
    assert done.result.failed_rows_file is not None
    with Path(done.result.failed_rows_file).open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[-2:] == ["error_code", "error_message"]
    assert all(not json.loads(each[-1])["success"] for each in rows)
    return rows
