"""Who is in the files, and looking into files that came out."""

import csv
import io
from pathlib import Path
from zipfile import ZipFile

import pytest

from hub.actions import registrations
from hub.store.events import Session
from tests.hub.attendees.office import Office

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""
PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def register(office: Office, session: Session, *usernames: str) -> None:
    done = registrations.register(office.engine, office.institution_id, session.id, usernames, office.now)
    assert not done.failed


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    """A CSV file as a spreadsheet opens it, the apostrophes still there."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def records(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file, by header."""
    headers, *rows = table(path, delimiter)
    return [dict(zip(headers, row, strict=True)) for row in rows]


def sheet_xml(path: Path) -> str:
    """The only sheet of a workbook, as it is inside."""
    with ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()
