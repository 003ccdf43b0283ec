"""`hub import attendees`, as scripts call it."""

from pathlib import Path

import pytest

from tests.hub.attendees.office import Office, as_csv, row, said
from tests.hub.command import Command
from tests.hub.conftest import Institution

KEYS = {"rows", "created", "updated", "unchanged", "skipped", "failed", "failed_rows_file", "warnings"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "addresses.csv"
    path.write_text(as_csv([{"E-mail": "ada@example.edu"}, {"E-mail": "ada@home.example"}]))
    return path


def test_just_addresses_are_imported_into_a_session_listed_and_undone(
    office: Office, institution: Institution, command: Command, file: Path
) -> None:
    office.student("Ada", additional=["ada@home.example"])
    talk = office.event(external_id="EV-1")[0]
    import_it = ("import", "attendees", file, "--event", "EV-1", "--as", "checked_in")
    tried = command.ask(*import_it, "--dry-run")
    assert office.stored() == (set(), set())
    done = command.ask(*import_it)
    assert set(done) == KEYS
    assert {name: done[name] for name in KEYS - {"failed_rows_file"}} == {
        name: tried[name] for name in KEYS - {"failed_rows_file"}
    }
    assert (done["created"], done["failed"]) == (1, 1)
    assert "use ada@example.edu" in Path(done["failed_rows_file"]).read_text()
    counted = command.ask("count", talk.id)
    assert (counted["checked_in"], counted["imported"], counted["registered"]) == (1, 1, 0)
    assert "(1 of them by file)" in command.run("count", talk.id).stderr

    listed = command.ask("imports", "list")["imports"]
    assert [(each["kind"], each["state"], each["file_name"]) for each in listed] == [
        ("attendees", "applied", "addresses.csv")
    ]
    undone = command.ask("imports", "undo", listed[0]["import_id"], "--yes")
    assert undone["result"]["undone"]["undone"] == 1
    assert office.count(talk) == (0, 0, 0)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--session", "CF-9"), 1, "There is no session CF-9"),
        (("--event", "CF-9"), 1, "There is no event CF-9"),
        (("--event", "FAIR"), 1, "This event has 2 sessions. Name one: CF-1, "),
        (("--session", "CF-1"), 2, "--as registered or --as checked_in"),
        (("--as", "checked_in"), 2, "with --session"),
        (("--session", "CF-1", "--event", "FAIR"), 2, "exclude each other"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(
    small: Office, file: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], status: int, said: str
) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(small.folder / "data"))
    monkeypatch.setenv("HUB_DATABASE_URL", str(small.engine.url))
    fair = small.event("career_fair", sessions=2, external_id="FAIR")
    small.call(fair[0], "CF-1")
    done = Command().run("import", "attendees", file, *words)
    assert (done.exit_code, done.stdout) == (status, "")
    assert said in done.stderr
    assert small.stored() == (set(), set())


def test_people_are_told_what_it_came_to(small: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUB_DATABASE_URL", str(small.engine.url))
    small.student("Ada")
    fair = small.event("career_fair")[0]
    path = tmp_path / "participants.csv"
    rows = [said("ada@example.edu", "TRUE", "TRUE", "CareerFairSession", fair.id), row("ada@example.edu")]
    path.write_bytes(as_csv([{"Année": "1", **rows[0]}, {"Année": "2", **rows[0]}]).replace(",", ";").encode("cp1252"))
    done = Command().run("import", "attendees", path)
    assert done.exit_code == 0
    assert "2 rows: 1 created, 0 updated, 0 unchanged, 1 skipped, 0 failed" in done.stderr
    assert "Column 'Année' is not known and was ignored." in done.stderr
    assert "1 rows skipped: they repeat an earlier row of the file." in done.stderr
    assert "read as cp1252, which is a guess" in done.stderr
