"""QR passes: one good one for a student at a time, told to nobody but who asked for it."""

import re
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from hub.actions import passes
from hub.errors import UnknownStudent
from sync.identifiers import Pass, read
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk
from tests.hub.roster_view import view
from tests.hub.students.desk import ADA, BO, Office


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    office = Office(engine, institution.id, tmp_path, now)
    office.rows(ADA, BO)
    return office


def opened_by(office: Office, the_pass: Pass) -> list[UUID]:
    told = view(office.engine, office.institution_id).people
    return [ref for ref, seen in told.items() if the_pass in seen.greetings]


def payload(command: Command, *options: str) -> str:
    (only,) = command.ask("passes", "issue", "ada", *options)["passes"]
    assert only["username"] == "ada"
    return str(only["payload"])


def test_a_pass_is_read_at_the_desk_and_finds_its_student(office: Office, desk: Desk, command: Command) -> None:
    said = payload(command)
    assert re.fullmatch(r"CHK1:[0-9A-F]{32}", said)
    the_pass = read(said, ())
    assert isinstance(the_pass, Pass)
    assert opened_by(office, the_pass) == [office.field("ada", "id")]


def test_asked_again_it_is_the_same_and_a_new_one_makes_the_old_one_useless(
    office: Office, desk: Desk, command: Command
) -> None:
    first = payload(command)
    assert payload(command) == first
    second = payload(command, "--reissue")
    assert second != first
    old, new = read(first, ()), read(second, ())
    assert isinstance(old, Pass)
    assert isinstance(new, Pass)
    assert (opened_by(office, old), opened_by(office, new)) == ([], [office.field("ada", "id")])


def test_a_pass_taken_back_finds_nobody(office: Office, desk: Desk, command: Command) -> None:
    the_pass = read(payload(command), ())
    assert isinstance(the_pass, Pass)
    assert command.ask("passes", "revoke", "ada") == {"username": "ada", "revoked": True}
    assert opened_by(office, the_pass) == []
    assert command.ask("passes", "revoke", "ada") == {"username": "ada", "revoked": False}


def test_one_unknown_name_and_nobody_gets_a_pass(office: Office, desk: Desk, command: Command) -> None:
    position = office.position()
    result = command.run("passes", "issue", "ada", "nobody")
    assert (result.exit_code, "'nobody'" in result.stderr) == (1, True)
    assert office.position() == position
    assert command.run("passes", "revoke", "nobody").exit_code == 1


def test_a_student_of_another_institution_gets_none_here(
    office: Office, other_institution: Institution, now: datetime
) -> None:
    with pytest.raises(UnknownStudent):
        passes.issue(office.engine, other_institution.id, ["ada"], now)


def test_each_pass_is_drawn_into_a_file_that_nobody_else_can_read(
    office: Office, command: Command, tmp_path: Path
) -> None:
    office.rows({"username": "../c/em", "email_address": "cem@example.edu", "first_name": "Cem"})
    folder = tmp_path / "passes"
    command.ask("passes", "issue", "ada", "../c/em", "--svg-folder", str(folder))
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["..%2Fc%2Fem.svg", "ada.svg"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert b"<svg" in files[1].read_bytes()
    assert b"<path" in files[1].read_bytes()


def test_nothing_is_written_over_and_then_no_pass_is_made_either(
    office: Office, command: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "passes"
    first = payload(command, "--svg-folder", str(folder))
    drawn = (folder / "ada.svg").read_bytes()
    result = command.run("passes", "issue", "ada", "bo", "--reissue", "--svg-folder", folder)
    assert (result.exit_code, "ada.svg" in result.stderr) == (1, True)
    assert ((folder / "ada.svg").read_bytes(), (folder / "bo.svg").exists()) == (drawn, False)
    assert payload(command) == first


def test_a_folder_that_cannot_be_is_said_so(office: Office, command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = command.run("passes", "issue", "ada", "--svg-folder", tmp_path / "file" / "passes")
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)
