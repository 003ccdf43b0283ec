"""What these tests share: small files, and looking at what they came to."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.actions import students
from hub.actions.imports import Done, ImportResult, Undone
from hub.actions.imports.students import StudentFile
from hub.actions.imports.undoing_students import undo_students
from hub.actions.students import ShownStudent
from hub.database import reading, writing
from hub.store import feed
from hub.store import students as store
from tests.hub.files import import_file

HEADERS = ("email_address", "username", "first_name")
ADA = {"email_address": "ada@example.edu", "username": "ada", "first_name": "Ada"}
BO = {"email_address": "bo@example.edu", "username": "bo", "first_name": "Bo"}
CEM = {"email_address": "cem@example.edu", "username": "cem", "first_name": "Cem"}
DITA = {"email_address": "dita@example.edu", "username": "dita", "first_name": "Dita"}

Row = Mapping[str, str]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what has nothing to do with the kind of database."""
on_postgresql = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""For what two writers do to each other: SQLite has one."""


def as_csv(rows: Sequence[Row], delimiter: str = ",") -> str:
    """A file of these rows, with every column that any of them has."""
    headers = list(dict.fromkeys([*HEADERS, *(column for row in rows for column in row)]))
    out = io.StringIO()
    writer = csv.DictWriter(out, headers, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass
class Office:
    """Where files are imported."""

    engine: Engine
    institution_id: UUID
    folder: Path
    now: datetime
    progress: list[int] = field(default_factory=list)
    import_ids: list[UUID] = field(default_factory=list)

    @property
    def failed_dir(self) -> Path:
        return self.folder / "failed-rows"

    def take(
        self,
        content: str | bytes,
        options: StudentFile = StudentFile(),  # noqa: B008 - it is frozen
        *,
        dry_run: bool = False,
    ) -> ImportResult:
        """Import a file of this content."""
        return self.do(content, options, dry_run=dry_run).result

    def do(
        self,
        content: str | bytes,
        options: StudentFile = StudentFile(),  # noqa: B008
        *,
        dry_run: bool = False,
        sees_students: bool = True,
        columns: Mapping[int, str] | None = None,
    ) -> Done:
        """The same, and what people look at afterwards."""
        path = self.folder / "students.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.import_ids.append(uuid7())
        return import_file(
            self.engine,
            self.institution_id,
            path,
            self.now,
            options,
            import_id=self.import_ids[-1],
            dry_run=dry_run,
            sees_students=sees_students,
            columns=columns,
            progress=self.progress.append,
        )

    def rows(self, *rows: Row, options: StudentFile = StudentFile(), dry_run: bool = False) -> ImportResult:  # noqa: B008
        """Import a file of these rows."""
        return self.take(as_csv(rows), options, dry_run=dry_run)

    def undo(self) -> Undone:
        """Take the last import back."""
        with writing(self.engine) as conn:
            return undo_students(conn, self.institution_id, self.import_ids[-1], self.now)

    def why(self, result: ImportResult) -> list[tuple[str, dict[str, list[str]]]]:
        """The failed-rows file: code and errors of each row."""
        rows = self.failed_rows(result)
        assert rows[0][-2:] == ["error_code", "error_message"]
        messages = [(row[-2], json.loads(row[-1])) for row in rows[1:]]
        assert all(list(message) == ["success", "errors"] and not message["success"] for _, message in messages)
        return [(code, message["errors"]) for code, message in messages]

    def failed_rows(self, result: ImportResult) -> list[list[str]]:
        assert result.failed_rows_file is not None
        with Path(result.failed_rows_file).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))

    def show(self, username: str) -> ShownStudent:
        return students.show(self.engine, self.institution_id, username)

    def addresses(self, username: str) -> list[tuple[str, str, str, bool]]:
        return [(each.address, each.kind, each.state, each.main) for each in self.show(username).emails]

    def stored(self, username: str) -> dict[str, object] | None:
        with reading(self.engine) as conn:
            row = store.one(conn, self.institution_id, username)
            if row is None:
                return None
            cards = {card.card_id for card in store.cards_of(conn, self.institution_id, [row.id])}
            return {**row._mapping, "cards": cards}

    def field(self, username: str, name: str) -> object:
        stored = self.stored(username)
        assert stored is not None
        return stored[name]

    def position(self) -> int:
        with reading(self.engine) as conn:
            return feed.position(conn, self.institution_id)


def counts(result: ImportResult) -> tuple[int, int, int, int, int]:
    """Created, updated, unchanged, skipped, failed."""
    parts = (result.created, result.updated, result.unchanged, result.skipped, result.failed)
    assert sum(parts) == result.rows
    return parts
