"""The commands scripts rely on: their JSON, their exit codes and what they say when something is wrong."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from hub.actions import kiosks
from hub.cli import main
from hub.database import connect
from tests.hub.desk import enrolled

Run = Callable[..., Result]

INIT = ["init", "--institution", "Example University", "--domain", "example.edu", "--admin", "ada@example.edu"]


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str | None]:
    return {
        "HUB_DATA_DIR": str(tmp_path / "data"),
        "HUB_DATABASE_URL": database_url,
        "HUB_SECRET_KEY": None,
        "HUB_URL": "https://hub.example.edu",
        "HUB_TIMEZONE": "Europe/Paris",
        "HUB_LANGUAGE": None,
    }


@pytest.fixture
def run(environment: dict[str, str | None]) -> Run:
    def call(*arguments: str, **changed: str) -> Result:
        return CliRunner().invoke(main, arguments, env=environment | changed, catch_exceptions=False)

    return call


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    return file


@pytest.fixture
def ready(run: Run, password_file: Path) -> Run:
    """A hub that is set up."""
    assert run(*INIT, "--password-file", str(password_file)).exit_code == 0
    return run


@pytest.fixture
def engine(environment: dict[str, str | None], ready: Run) -> Iterator[Engine]:
    engine = connect(str(environment["HUB_DATABASE_URL"]))
    yield engine
    engine.dispose()


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def unwell(result: Result) -> list[str]:
    checks = json.loads(result.stdout)["checks"]
    bad = [check for check in checks if not check["ok"]]
    assert all(check["way_out"] for check in bad)
    assert result.exit_code == (1 if bad else 0)
    return [check["name"] for check in bad]


def test_init_again_changes_nothing_and_names_the_same_institution(run: Run, password_file: Path) -> None:
    arguments = (*INIT, "--password-file", str(password_file), "--json")
    first = told(run(*arguments))
    assert told(run(*arguments)) == first
    assert list(first) == ["institution_id"]


def test_init_makes_everything_from_nothing(run: Run, password_file: Path, blank_database_url: str) -> None:
    arguments = (*INIT, "--password-file", str(password_file))
    assert unwell(run("doctor", "--json", HUB_DATABASE_URL=blank_database_url))[0] == "database"
    assert run(*arguments, HUB_DATABASE_URL=blank_database_url).exit_code == 0
    assert told(run("kiosks", "list", "--json", HUB_DATABASE_URL=blank_database_url)) == {"kiosks": []}
    if blank_database_url.startswith("sqlite:///"):
        file = Path(blank_database_url.removeprefix("sqlite:///"))
        assert file.stat().st_mode & 0o777 == 0o600


def test_the_data_folder_and_the_secret_key_are_readable_by_nobody_else(ready: Run, tmp_path: Path) -> None:
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--domain": "not a domain"}, "no mail domain"),
        ({"--admin": "nobody"}, "not an address"),
        ({"--institution": "  "}, "needs a name"),
    ],
)
def test_init_refuses_nonsense_and_makes_nothing(
    run: Run, password_file: Path, changes: dict[str, str], said: str
) -> None:
    arguments = list(INIT)
    for option, value in changes.items():
        arguments[arguments.index(option) + 1] = value
    result = run(*arguments, "--password-file", str(password_file))
    assert result.exit_code == 1
    assert said in result.stderr
    assert run("kiosks", "list").exit_code == 1


def test_a_short_password_is_refused(run: Run, tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("1234567")
    result = run(*INIT, "--password-file", str(short))
    assert (result.exit_code, "too short" in result.stderr) == (1, True)


def test_a_second_institution_is_possible_and_then_commands_ask_which(ready: Run, password_file: Path) -> None:
    second = ["init", "--institution", "Elsewhere", "--domain", "elsewhere.edu", "--admin", "bo@elsewhere.edu"]
    other = told(ready(*second, "--password-file", str(password_file), "--json"))["institution_id"]
    result = ready("kiosks", "list")
    assert (result.exit_code, "--institution" in result.stderr) == (1, True)
    assert told(ready("kiosks", "list", "--institution", other, "--json")) == {"kiosks": []}


def test_a_domain_belongs_to_one_institution_only(ready: Run, password_file: Path) -> None:
    thief = ["init", "--institution", "Thief", "--domain", "example.edu", "--admin", "bo@thief.edu"]
    result = ready(*thief, "--password-file", str(password_file))
    assert (result.exit_code, "example.edu" in result.stderr) == (1, True)


@pytest.mark.parametrize("secret", ["changeme", "dev", "x7-Kq2", "a" * 40])
def test_a_default_or_short_secret_key_is_refused_before_anything_is_served(ready: Run, secret: str) -> None:
    result = ready("serve", HUB_SECRET_KEY=secret)
    assert result.exit_code == 1
    assert "HUB_SECRET_KEY" in result.stderr
    assert secret not in result.stderr


def test_a_missing_secret_key_is_refused_before_anything_is_served(ready: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "secret_key").unlink()
    result = ready("serve")
    assert result.exit_code == 1
    assert "hub init" in result.stderr
    assert "secret key" in unwell(ready("doctor", "--json"))


def test_a_port_in_use_is_named_with_the_way_out(ready: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = ready("serve", "--port", str(port))
    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr


def test_serving_before_init_says_what_to_do(run: Run) -> None:
    result = run("serve", HUB_SECRET_KEY="0123456789abcdefghijklmnopqrstuvwxyz")
    assert (result.exit_code, "hub init" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HUB_TIMEZONE", "Mars/Olympus"), ("HUB_LANGUAGE", "de"), ("HUB_URL", "hub"), ("HUB_DATABASE_URL", "mysql://x/y")],
)
def test_a_wrong_setting_is_refused_by_name(ready: Run, variable: str, value: str) -> None:
    result = ready("kiosks", "list", **{variable: value})
    assert (result.exit_code, variable in result.stderr) == (1, True)


def test_doctor_finds_only_what_is_unwell(ready: Run, engine: Engine) -> None:
    # The tests' PostgreSQL runs with fsync off, for speed: just what the doctor must not let pass.
    expected = ["durability"] if engine.dialect.name == "postgresql" else []
    assert unwell(ready("doctor", "--json")) == expected


def test_events_are_created_with_their_sessions_and_the_same_external_id_is_the_same_event(ready: Run) -> None:
    fair = ["events", "create", "--kind", "career_fair", "--name", "Autumn fair", "--sessions", "2"]
    fair += ["--starts", "2026-11-21T09:00", "--ends", "2026-11-21T17:00+01:00", "--external-id", "fair-1", "--json"]
    made = told(ready(*fair))
    assert [session["name"] for session in made["sessions"]] == ["Autumn fair · 1", "Autumn fair · 2"]
    assert told(ready(*fair)) == made
    listed = told(ready("events", "list", "--json"))["events"]
    assert [(each["event_id"], each["name"], len(each["sessions"])) for each in listed] == [
        (made["event_id"], "Autumn fair", 2)
    ]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--starts", "tomorrow", "Not a moment"),
        ("--ends", "2026-11-20T09:00", "before it starts"),
        ("--ends", "9999-12-31T23:59:59", "between the years"),
        ("--sessions", "0", "1 to 200 sessions"),
        ("--name", " ", "needs a name"),
        ("--capacity", "-1", "0 or more"),
    ],
)
def test_an_event_that_cannot_be_is_refused_with_its_reason(ready: Run, option: str, value: str, said: str) -> None:
    options = {"--kind": "event", "--name": "A talk", "--starts": "2026-11-21T09:00", "--ends": "2026-11-21T17:00"}
    arguments = [part for pair in (options | {option: value}).items() for part in pair]
    result = ready("events", "create", *arguments)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_a_card_format_that_needs_back_tracking_is_refused_and_nothing_changes(ready: Run) -> None:
    result = ready("card-formats", "--format", r"^(\d+)\1$", "")
    assert (result.exit_code, "Nothing was changed" in result.stderr) == (1, True)
    formats = told(ready("card-formats", "--format", r"^\d{8}$", "", "--json"))["card_formats"]
    assert formats == [{"whole": r"^\d{8}$", "extract": None}]
    assert told(ready("card-formats", "--json"))["card_formats"] == formats
    assert told(ready("card-formats", "--none", "--json"))["card_formats"] == []


def test_a_kiosk_is_invited_listed_and_revoked(ready: Run, engine: Engine) -> None:
    invited = told(ready("kiosks", "invite", "--name", "Front door", "--json"))
    assert invited["url"] == "https://hub.example.edu"
    assert len(bytes.fromhex(invited["code"])) == 16
    for_people = ready("kiosks", "invite")
    assert "kiosk enrol https://hub.example.edu" in for_people.stderr
    assert "█" in for_people.stderr
    institution_id = UUID(told(ready(*INIT, "--password-file", __file__, "--json"))["institution_id"])
    desk = enrolled(engine, institution_id, datetime.now(UTC))
    listed = told(ready("kiosks", "list", "--json"))["kiosks"]
    assert [(each["id"], each["waiting"], each["revoked_at"]) for each in listed] == [(str(desk.kiosk_id), 0, None)]
    assert told(ready("kiosks", "revoke", str(desk.kiosk_id), "--json"))["revoked_at"]
    assert kiosks.everyone(engine, institution_id)[0].revoked_at is not None
    assert ready("kiosks", "revoke", str(institution_id)).exit_code == 1


def test_count_has_the_numbers_scripts_rely_on(ready: Run) -> None:
    made = told(
        ready("events", "create", "--kind", "event", "--name", "A talk", "--starts", "2026-11-21T09:00",
              "--ends", "2026-11-21T17:00", "--json")
    )  # fmt: skip
    session_id = made["sessions"][0]["id"]
    assert told(ready("count", session_id, "--json")) == {
        "checked_in": 0,
        "registered": 0,
        "parked": 0,
        "imported": 0,
        "inside": None,
        "kiosks": [],
    }
    assert "wait at 0 kiosks" in ready("count", session_id).stderr
    assert ready("count", made["event_id"]).exit_code == 1
    assert ready("count", "nonsense").exit_code == 2
