"""All students in a file, and the same file in again."""

import io
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from hub.actions.imports import Chosen, jobs
from hub.actions.imports.place import Place
from hub.database import reading
from hub.schema import addresses, cards, merges, students
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.exports.files import records

STUDENTS = """\
username,auth_identifier,card_id,email_address,additional_email_addresses,first_name,last_name,preferred_name,\
mobile_number,school_year_name,primary_education:start_date,primary_education:end_date,disabled,system_label_names,bio
ada,a-1,0001234,ada@example.edu,ada.l@students.example.edu,=1+1,O'Neil,Ada,+33 6 12 34,Senior,2024-09-01,2027-06-30,\
FALSE,vip;honours,"- one
- two"
bo,,12345678901234567,bo@example.edu,,Bo,''-x,,,Masters,,,FALSE,,
cem,,,cem@example.edu,,Cem,,,,Alumni,,2020-06-30,TRUE,,@home
"""


def stored(engine: Engine) -> list[object]:
    with reading(engine) as conn:
        return [sorted(map(repr, conn.execute(select(table)).all())) for table in (students, addresses, cards, merges)]


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_what_came_out_changes_nothing_when_it_comes_in_again(
    engine: Engine, command: Command, tmp_path: Path, name: str
) -> None:
    (tmp_path / "in.csv").write_text(STUDENTS)
    assert command.ask("import", "students", tmp_path / "in.csv")["created"] == 3
    before = stored(engine)
    assert command.ask("export", "students", "-o", tmp_path / name)["rows"] == 3
    came = command.ask("import", "students", tmp_path / name)
    assert (came["unchanged"], came["failed"], came["warnings"]) == (3, 0, [])
    assert stored(engine) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_in_it_runs_when_a_spreadsheet_opens_it(command: Command, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(STUDENTS)
    command.ask("import", "students", tmp_path / "in.csv")
    command.ask("export", "students", "-o", tmp_path / "out.csv")
    ada, bo, cem = records(tmp_path / "out.csv")
    assert (ada["first_name"], ada["last_name"], ada["mobile_number"]) == ("'=1+1", "O'Neil", "'+33 6 12 34")
    assert (bo["last_name"], bo["card_id"], cem["bio"]) == ("''-x", "12345678901234567", "'@home")
    assert (cem["disabled"], ada["additional_email_addresses"]) == ("TRUE", "ada.l@students.example.edu")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_mended_may_keep_its_apostrophe_and_people_see_what_is_meant(
    engine: Engine, institution: Institution, command: Command, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "in.csv"
    file.write_text("username,email_address,first_name\nada,nobody,'=1+1\n")
    failed = Path(command.ask("import", "students", file)["failed_rows_file"])
    assert records(failed)[0]["first_name"] == "'=1+1"
    place = Place(engine, institution.id, tmp_path / "imports")
    upload = jobs.take_in(
        place, "students", None, failed.name, io.BytesIO(failed.read_bytes()), Chosen(), "ada@example.edu", now
    )
    assert jobs.glance(place, upload).rows[0].cells[:3] == ["ada", "nobody", "=1+1"]

    file.write_bytes(failed.read_bytes().replace(b"nobody", b"ada@example.edu"))
    assert command.ask("import", "students", file)["created"] == 1
    command.ask("export", "students", "-o", tmp_path / "out.csv")
    assert records(tmp_path / "out.csv")[0]["first_name"] == "'=1+1"
