"""`hub export` and `hub audit`: whole and private files, or none; and nothing leaves that is not written down."""

from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from hub.database import writing
from hub.schema import audit_log, students
from hub.store.events import Session
from hub.writers.workbook import LONGEST_CELL
from tests.hub.attendees.office import Office
from tests.hub.command import Command
from tests.hub.desk import Desk
from tests.hub.exports.files import ON_SQLITE, register, table

pytestmark = ON_SQLITE


@pytest.fixture
def talk(office: Office, session: Session) -> Session:
    """An event that Ada was registered for."""
    office.student("Ada")
    register(office, session, "ada")
    return session


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def forget_the_log(engine: Engine) -> None:
    with writing(engine) as conn:
        audit_log.drop(conn)


def test_a_file_is_readable_by_nobody_else_and_replaces_none_by_itself(
    command: Command, talk: Session, out: Path
) -> None:
    words = ("export", "attendees", talk.event_id, "-o", out / "out.csv")
    assert command.ask(*words)["rows"] == 1
    assert (out / "out.csv").stat().st_mode & 0o777 == 0o600
    (out / "out.csv").write_text("mine")
    refused = command.run(*words)
    assert (refused.exit_code, (out / "out.csv").read_text()) == (1, "mine")
    assert "--force" in refused.stderr
    assert command.ask(*words, "--force")["rows"] == 1
    assert table(out / "out.csv")[1][1] == "ada"
    assert command.run("export", "event", talk.event_id, "-o", out / "all").exit_code == 0
    assert (out / "all").stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o777 for each in (out / "all").iterdir()} == {0o600}
    again = command.run("export", "event", talk.event_id, "-o", out / "all")
    assert (again.exit_code, names(out)) == (1, ["all", "out.csv"])
    assert "is there already" in again.stderr


def test_without_a_file_it_goes_to_stdout_and_everything_else_to_stderr(
    command: Command, talk: Session, out: Path
) -> None:
    shown = command.run("export", "attendees", talk.event_id, "--delimiter", "semicolon", "--language", "fr")
    assert shown.stdout_bytes.startswith("\ufeffSéance;Nom d’utilisateur;".encode())
    assert shown.stdout.splitlines()[1].startswith("A talk;ada;Ada;")
    assert "1 rows" in shown.stderr
    for words in (("--format", "xlsx"), ("--json",)):
        refused = command.run("export", "attendees", talk.event_id, *words)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "-o FILE" in refused.stderr


def test_a_file_is_what_its_name_says(command: Command, talk: Session, out: Path) -> None:
    for words in (("attendees", talk.event_id), ("students",)):
        command.ask("export", *words, "-o", out / f"{words[0]}.xlsx")
        assert (out / f"{words[0]}.xlsx").read_bytes().startswith(b"PK")


@pytest.mark.parametrize("what", ["attendees", "event"])
def test_an_event_that_is_not_there_leaves_nothing(command: Command, out: Path, what: str) -> None:
    refused = command.run("export", what, uuid4(), "-o", out / "out")
    assert (refused.exit_code, names(out)) == (1, [])
    assert "hub events list" in refused.stderr


def test_a_folder_is_complete_or_not_there(
    engine: Engine, command: Command, talk: Session, out: Path, tmp_path: Path
) -> None:
    with writing(engine) as conn:
        conn.execute(update(students).values(preferred_name="A" * (LONGEST_CELL + 1)))
    refused = command.run("export", "event", talk.event_id, "-o", out / "all")
    assert (refused.exit_code, names(out)) == (1, [])
    assert "Row 2" in refused.stderr
    assert "Preferred name" in refused.stderr
    assert not list((tmp_path / "data").glob(".export-*"))
    # A CSV file holds it.
    assert command.run("export", "attendees", talk.event_id, "-o", out / "out.csv").exit_code == 0


@pytest.mark.parametrize("what", ["attendees", "students", "event"])
def test_what_cannot_be_written_down_does_not_leave(
    engine: Engine, command: Command, talk: Session, out: Path, what: str
) -> None:
    forget_the_log(engine)
    words = ("export", what) if what == "students" else ("export", what, talk.event_id)
    refused = command.run(*words, "-o", out / "out")
    assert (refused.exit_code, names(out)) == (1, [])
    if what != "event":
        assert command.run(*words).stdout == ""


def test_the_log_says_who_took_what(command: Command, talk: Session, out: Path) -> None:
    command.run("export", "students")
    command.run("export", "attendees", talk.event_id, "--format", "handshake")
    command.ask("export", "event", talk.event_id, "-o", out / "all")
    entries = command.ask("audit", "list")["entries"]
    about = {"event_id": str(talk.event_id), "rows": 1}
    assert [(each["what"], each["about"]) for each in entries] == [
        ("export_event", about),
        ("export_attendees", {**about, "format": "handshake"}),
        ("export_students", {"format": "csv", "rows": 1}),
    ]
    assert {each["who"].endswith("(command line)") for each in entries} == {True}
    shown = command.run("audit", "list").stderr.splitlines()
    assert len(shown) == 3
    assert shown[2].endswith("export_students  format csv, rows 1")


def test_what_waits_for_a_decision_is_said_and_what_handshake_does_not_know(
    command: Command, talk: Session, desk: Desk, client: FlaskClient, out: Path
) -> None:
    desk.note(talk.id, "nobody@example.edu")
    desk.hand_over(client)
    words = ("export", "attendees", talk.event_id, "--format", "handshake")
    said = command.run(*words)
    assert len(said.stdout.splitlines()) == 2
    assert "1 check-in waits for a decision and is not in here." in said.stderr
    assert "hub events set" in said.stderr
    command.ask("events", "set", talk.id, "--external-id", "4711")
    assert "hub events set" not in command.run(*words).stderr
    assert command.ask(*words, "-o", out / "out.csv")["waiting"] == 1


@pytest.mark.parametrize("output", [(), ("-o", "out.csv")])
def test_without_a_place_to_write_it_says_which_one_it_needs(
    command: Command, talk: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "a file"))
    refused = command.run("export", "attendees", talk.event_id, *output)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"room in {tmp_path / 'a file'}" in refused.stderr
    assert not (tmp_path / "out.csv").exists()
