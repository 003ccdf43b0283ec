"""All students, in the columns of the student file: imported again, it changes nothing."""

from pathlib import Path
from typing import Literal

from hub.actions.exports import Export, words
from hub.actions.exports.attendees import Written
from hub.actions.exports.spool import Spool
from hub.database import Row, reading
from hub.rules.student_file.columns import COLUMNS, EMAIL, MORE, Column
from hub.store import exports
from hub.writers import csv_file, workbook

Format = Literal["csv", "xlsx"]
# One name for each thing: what has a target is another name of that.
_WRITTEN = [column for column in COLUMNS.values() if not column.target]


def write(export: Export, format: Format, file: Path, delimiter: str = ",") -> Written:
    """Write all students into a file, archived ones included. Raises `HubRefused` for what a sheet cannot hold."""
    headers = [column.name for column in _WRITTEN]
    with export.scratch() as scratch:
        with reading(export.engine) as conn:
            found = exports.all_students(conn, export.institution_id)
            lines = Spool(scratch / "students", list[str], (_line(*each) for each in found))
        match format:
            case "csv":
                rows = csv_file.write_for_people(file, headers, lines, delimiter)
            case "xlsx":
                rows = workbook.write(file, words.SHEETS["students"][export.language], headers, lines, scratch)
    export.note("export_students", format=format, rows=rows)
    day = export.now.astimezone(export.zone)
    return Written(f"{day:%Y-%m-%d}_{words.FILES['students'][export.language]}.{format}", rows, waiting=0)


def _line(student: Row, addresses: list[tuple[str, bool]]) -> list[str]:
    main = next((typed for typed, main in addresses if main), "")
    more = ";".join(typed for typed, main in addresses if not main)
    emails = {EMAIL: main, MORE: more}
    return [emails[column.name] if column.place == "emails" else _value(column, student) for column in _WRITTEN]


def _value(column: Column, student: Row) -> str:
    # The card that came by file is among the attributes.
    value = student[column.name] if column.place == "field" else student["attributes"].get(column.name)
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if value is not None else ""
