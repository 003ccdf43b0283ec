"""The commands as scripts see them: one JSON object on stdout, people's text on stderr, exit codes."""

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from hub.cli import main
from hub.database import writing
from hub.schema import hubs
from tests.hub.students.desk import ADA, BO, Office, as_csv, on_sqlite


class Desk:
    """A terminal at the office."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    def file(self, text: str) -> str:
        path = self.office.folder / "20261121_users.csv"
        path.write_text(text)
        return str(path)


@pytest.fixture
def desk(office: Office, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    with writing(office.engine) as conn:
        if conn.execute(sa.select(hubs.c.id)).scalar() is None:
            conn.execute(sa.insert(hubs), {"id": uuid4(), "made_at": office.now})
    monkeypatch.setenv("HUB_DATA_DIR", str(office.folder))
    monkeypatch.setenv("HUB_DATABASE_URL", database_url)
    return Desk(office)


def test_an_import_answers_with_the_keys_of_the_contract(desk: Desk) -> None:
    file = desk.file(as_csv([ADA, {**BO, "first_name": ""}]))
    result = desk.run("import", "students", file, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    failed_rows = Path(answer.pop("failed_rows_file"))
    assert failed_rows.parents[1] == desk.office.folder / "imports"
    assert failed_rows.is_file()
    assert answer == {
        "rows": 2,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "skipped": 0,
        "failed": 1,
        "warnings": [],
    }


def test_rows_that_a_trial_could_not_read_are_let_go_of_after_thirty_days(desk: Desk) -> None:
    file = desk.file(as_csv([{**BO, "first_name": ""}]))
    desk.run("import", "students", file, "--dry-run")
    (earlier,) = desk.office.failed_dir.iterdir()
    long_ago = time.time() - timedelta(days=31).total_seconds()
    os.utime(earlier, (long_ago, long_ago))
    desk.run("import", "students", file, "--dry-run")
    (left,) = desk.office.failed_dir.iterdir()
    assert left != earlier


@on_sqlite
def test_an_undoing_that_did_not_happen_is_no_success(desk: Desk) -> None:
    desk.run("import", "students", desk.file(as_csv([ADA])))
    import_id = json.loads(desk.run("imports", "list", "--json").stdout)["imports"][0]["import_id"]
    with writing(desk.office.engine) as conn:
        conn.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(FAIL, 'full'); END")
    result = desk.run("imports", "undo", import_id, "--yes")
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr


@on_sqlite
def test_a_file_whose_name_is_no_text_is_imported_all_the_same(desk: Desk) -> None:
    # As old French disks have them.
    file = os.fsencode(desk.office.folder) + b"/\xe9tudiants.csv"
    with open(file, "w") as there:
        there.write(as_csv([ADA]))
    assert desk.run("import", "students", os.fsdecode(file)).exit_code == 0
    assert "tudiants.csv" in desk.run("imports", "list").stderr


@on_sqlite
def test_a_sheet_whose_name_is_no_text_is_wrong_usage(desk: Desk) -> None:
    result = desk.run("import", "students", desk.file(as_csv([ADA])), "--sheet", "\udce9t\xe9")
    assert result.exit_code == 2
    assert "no name of a sheet" in result.stderr


def test_people_read_the_same_on_stderr(desk: Desk) -> None:
    file = desk.file(as_csv([{**ADA, "Last name": "Lovelace", "campus_nam": "North"}, ADA]))
    result = desk.run("import", "students", file, "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Nothing was changed" in result.stderr
    assert "1 created" in result.stderr
    assert "Column 'campus_nam' is not known and was ignored. Did you mean campus_name?" in result.stderr
    assert "Column 'Last name' was taken for last_name." in result.stderr
    assert "they repeat an earlier row of the file" in result.stderr


@pytest.mark.parametrize("text", ["", "ada,Ada,ada@example.edu\n", "username,first_name\nada,Ada\n"])
def test_a_file_that_cannot_be_read_exits_with_2_and_one_line(desk: Desk, text: str) -> None:
    result = desk.run("import", "students", desk.file(text), "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_exits_with_2(desk: Desk) -> None:
    result = desk.run("import", "students", "nothing.csv", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no such file" in result.stderr


def test_a_nightly_file_never_changes_identifiers(desk: Desk) -> None:
    result = desk.run("import", "students", desk.file(as_csv([ADA])), "--sync", "--identifier-changes")
    assert result.exit_code == 2


@on_sqlite
def test_a_username_changes_by_hand_in_a_file_matched_by_address(desk: Desk) -> None:
    desk.office.rows(ADA)
    file = desk.file(as_csv([{**ADA, "username": "countess", "first_name": "Zoé"}]))
    Path(file).write_bytes(Path(file).read_text().replace(",", ";").encode("mac_roman"))
    words = ("import", "students", file, "--match-by", "email_address", "--encoding", "mac_roman")
    assert json.loads(desk.run(*words, "--delimiter", "semicolon", "--json").stdout)["failed"] == 1
    result = desk.run(*words, "--identifier-changes", "--json")
    assert (json.loads(result.stdout)["updated"], json.loads(result.stdout)["warnings"]) == (1, [])
    assert desk.office.field("countess", "first_name") == "Zoé"
    assert desk.run(*words, "--sync").exit_code == 2


@on_sqlite
def test_a_student_is_excluded_from_syncs_and_included_again(desk: Desk) -> None:
    desk.office.rows(ADA)
    excluded = desk.run("students", "exclude-from-sync", "ada", "--json")
    assert json.loads(excluded.stdout)["excluded_from_sync"]
    assert "EXCLUDED FROM SYNC" in desk.run("students", "show", "ada").stderr
    file = desk.file(as_csv([{**ADA, "first_name": "Augusta"}]))
    assert json.loads(desk.run("import", "students", file, "--sync", "--json").stdout)["skipped"] == 1
    desk.run("students", "exclude-from-sync", "ada", "--no")
    assert json.loads(desk.run("import", "students", file, "--sync", "--json").stdout)["updated"] == 1


def test_a_student_is_shown_and_gains_and_loses_an_address(desk: Desk) -> None:
    desk.office.rows({**ADA, "additional_email_addresses": "a@example.edu"})
    shown = json.loads(desk.run("students", "show", "ada", "--json").stdout)
    assert list(shown) == ["username", "disabled", "excluded_from_sync", "preferred_email", "emails"]
    added = json.loads(desk.run("students", "add-email", "ada", "ada@gmail.com", "--confirmed", "--json").stdout)
    assert added["emails"][2] == {
        "address": "ada@gmail.com",
        "kind": "additional",
        "state": "confirmed",
        "main": False,
    }
    removed = desk.run("students", "remove-email", "ada", "ada@gmail.com", "--json")
    assert json.loads(removed.stdout) == {**shown, "warnings": []}
    removed = desk.run("students", "remove-email", "ada", "a@example.edu", "--json")
    assert json.loads(removed.stdout)["warnings"] == ["still_in_the_sync_file"]
    assert "Correct the sync file" in removed.stderr
    assert "hub students exclude-from-sync ada" in removed.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nobody"),
        ("exclude-from-sync", "nobody"),
        ("add-email", "ada", "no address"),
        ("add-email", "ada", "bo@example.edu"),
        ("remove-email", "ada", "ada@example.edu"),
        ("remove-email", "ada", "bo@example.edu"),
    ],
)
def test_what_is_refused_exits_with_1_and_says_why(desk: Desk, words: tuple[str, ...]) -> None:
    desk.office.rows(ADA, BO)
    result = desk.run("students", *words, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("hub: ")


def test_the_text_of_a_student_names_what_each_address_is(desk: Desk) -> None:
    desk.office.rows({**ADA, "disabled": "TRUE"})
    result = desk.run("students", "show", "ada")
    assert result.stderr == "ada  ARCHIVED\n  ada@example.edu  (school, confirmed, main, preferred)\n"
