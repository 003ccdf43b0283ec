"""A whole event as a folder of files, or as one file with that folder in it."""

import io
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from hub.actions import attendance
from hub.actions.exports import Export, whole_event
from hub.store.events import Session
from tests.hub.attendees.office import Office
from tests.hub.desk import Desk
from tests.hub.exports.files import ON_SQLITE, records, register, table

pytestmark = ON_SQLITE


@pytest.fixture
def fair(office: Office, desk: Desk, client: FlaskClient) -> list[Session]:
    """Ada was registered for the first session and came, Bo just came; nobody was at the second; Dita was at the last,
    and so was somebody nobody knows."""
    first, _, last = its = office.event("career_fair", sessions=3)
    ada, bo, dita = (office.student(name) for name in ("Ada", "Bo", "Dita"))
    register(office, first, "ada")
    desk.check_in(first.id, ada)
    desk.check_in(first.id, bo)
    desk.check_in(last.id, dita)
    desk.note(last.id, "nobody@example.edu")
    desk.hand_over(client)
    return its


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def sheet(path: Path) -> list[list[object]]:
    return [list(row) for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()]


def test_the_folder_has_a_file_for_each_thing_there_is_to_know(
    export: Export, fair: list[Session], folder: Path
) -> None:
    written = whole_event.write_folder(export, fair[0].event_id, folder)
    assert (written.name, written.rows, written.waiting) == ("2026-11-20_a-day_event.zip", 3, 1)
    found = {each.name for each in folder.iterdir()}
    assert found == {
        "README.txt",
        "counts.csv",
        "handshake.csv",
        "sessions.csv",
        *(f"attendees_{number}.{kind}" for number in (1, 2, 3) for kind in ("csv", "xlsx")),
    }
    usernames = [[row["Username"] for row in records(folder / f"attendees_{number}.csv")] for number in (1, 2, 3)]
    assert usernames == [["ada", "bo"], [], ["dita"]]
    assert [[row[1] for row in sheet(folder / f"attendees_{number}.xlsx")[1:]] for number in (1, 2, 3)] == usernames
    assert table(folder / "counts.csv")[1:] == [
        ["A day · 1", "1", "2", "1", "1", "0"],
        ["A day · 2", "0", "0", "0", "0", "0"],
        ["A day · 3", "0", "1", "0", "1", "1"],
    ]
    told = [attendance.count(export.engine, export.institution_id, each.id).count for each in fair]
    assert [row[1:3] for row in table(folder / "counts.csv")[1:]] == [
        [str(each.registered), str(each.checked_in)] for each in told
    ]
    assert [row["Id"] for row in records(folder / "sessions.csv")] == [str(each.id) for each in fair]
    assert len(table(folder / "handshake.csv")) == 4
    readme = (folder / "README.txt").read_text("utf-8-sig")
    assert "A day" in readme
    assert "1 check-in waits for a decision and is not in here." in readme


def test_it_speaks_french_and_has_semicolons_where_these_are_wanted(
    export: Export, fair: list[Session], tmp_path: Path
) -> None:
    whole_event.write_zip(replace(export, language="fr"), fair[0].event_id, tmp_path / "out.zip", ";")
    with ZipFile(tmp_path / "out.zip") as archive:
        names = archive.namelist()
        readme = archive.read("2026-11-20_a-day_evenement/LISEZMOI.txt").decode("utf-8-sig")
        people = archive.read("2026-11-20_a-day_evenement/participants_1.csv").decode("utf-8-sig")
    assert len(names) == 10
    assert {Path(name).parent.name for name in names} == {"2026-11-20_a-day_evenement"}
    assert "1 enregistrement attend une décision" in readme
    for file in ("seances.csv", "comptes.csv", "handshake.csv"):
        assert f"\n{file}\r\n" in io.StringIO(readme, newline="").read()
    assert people.startswith("Séance;Nom d’utilisateur;Prénom;")
    assert ";oui;oui;" in people


def test_a_single_session_needs_no_number(export: Export, session: Session, folder: Path) -> None:
    whole_event.write_folder(export, session.event_id, folder)
    assert {each.name for each in folder.glob("attendees*")} == {"attendees.csv", "attendees.xlsx"}
    assert len(table(folder / "attendees.csv")) == 1
