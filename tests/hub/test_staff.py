"""Who may sign in: let somebody in, show everybody, let somebody in no more."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from click.testing import Result
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, event

from hub.actions import staff
from hub.config import Config
from hub.errors import HubRefused
from hub.rules.roles import ADMIN
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.exports.files import ON_SQLITE
from tests.hub.test_pages import sign_in

Admit = Callable[..., None]
PASSWORD, OTHER = "correct horse", "battery staple"


@pytest.fixture
def password(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Passwords are salted with it.
    monkeypatch.setenv("HUB_SECRET_KEY", str(config.secret))
    file = tmp_path / "password.txt"
    file.write_text(f"{PASSWORD}\n")
    return file


def add(command: Command, email: str, role: str, password: Path) -> Result:
    return command.run("staff", "add", email, "--role", role, "--password-file", password)


@pytest.fixture
def admit(engine: Engine, institution: Institution, now: datetime) -> Admit:
    """Lets name@example.edu in with a role, without a password: hashing one is slow by design."""

    def add(name: str, role: str = ADMIN) -> None:
        staff.add(engine, institution.id, f"{name}@example.edu", "x", role, "test", now)

    return add


def everyone(command: Command) -> dict[str, tuple[str, bool]]:
    return {each["email"]: (each["role"], each["active"]) for each in command.ask("staff", "list")["staff"]}


def admins(engine: Engine, institution: Institution) -> list[str]:
    return [each.email for each in staff.everyone(engine, institution.id) if each.active and each.role == ADMIN]


@ON_SQLITE
def test_who_is_let_in_may_sign_in_until_they_are_not(command: Command, password: Path, client: FlaskClient) -> None:
    assert add(command, "ada@example.edu", "admin", password).exit_code == 0
    assert add(command, "Bo@Example.edu", "event_staff", password).exit_code == 0
    assert everyone(command) == {"ada@example.edu": ("admin", True), "Bo@Example.edu": ("event_staff", True)}
    assert sign_in(client, "bo@example.edu", PASSWORD).status_code == 302
    assert client.get("/").status_code == 200

    assert command.ask("staff", "remove", "bo@example.edu", "--yes") == {"removed": "bo@example.edu"}
    assert client.get("/").headers["Location"].startswith("/login")
    assert sign_in(client, "bo@example.edu", PASSWORD).status_code == 200
    assert everyone(command)["Bo@Example.edu"] == ("event_staff", False)
    assert "REMOVED" in command.run("staff", "list").stderr

    # Let in again, it is with what is said now.
    password.write_text(OTHER)
    assert add(command, "bo@example.edu", "career_centre", password).exit_code == 0
    assert everyone(command)["bo@example.edu"] == ("career_centre", True)
    assert len(everyone(command)) == 2
    assert sign_in(client, "bo@example.edu", PASSWORD).status_code == 200
    assert sign_in(client, "bo@example.edu", OTHER).status_code == 302
    done = [(each["what"], each["about"]) for each in command.ask("audit", "list")["entries"]]
    assert done == [
        ("add_staff", {"email": "bo@example.edu", "role": "career_centre"}),
        ("remove_staff", {"email": "Bo@Example.edu"}),
        ("add_staff", {"email": "Bo@Example.edu", "role": "event_staff"}),
        ("add_staff", {"email": "ada@example.edu", "role": "admin"}),
    ]


@ON_SQLITE
def test_the_last_admin_stays(command: Command, admit: Admit) -> None:
    admit("ada")
    admit("bo", "career_centre")
    refused = command.run("staff", "remove", "ada@example.edu", "--yes")
    assert refused.exit_code == 1
    assert "only admin left" in refused.stderr
    admit("cem")
    assert command.run("staff", "remove", "ada@example.edu", "--yes").exit_code == 0
    assert command.run("staff", "remove", "cem@example.edu", "--yes").exit_code == 1
    assert everyone(command)["cem@example.edu"] == ("admin", True)


def test_two_admins_who_remove_each_other_at_once_leave_one(
    engine: Engine, institution: Institution, admit: Admit, now: datetime
) -> None:
    admit("ada")
    admit("bo")
    start, both = Barrier(2), Barrier(2)
    with engine.connect(), engine.connect():
        pass  # Neither has to be opened first.

    @event.listens_for(engine, "commit")
    def see_whether_the_other_got_as_far(conn: Connection) -> None:
        with suppress(BrokenBarrierError):
            both.wait(0.3)

    def remove(email: str) -> bool:
        start.wait()
        try:
            staff.remove(engine, institution.id, email, "test", now)
        except HubRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(remove, admins(engine, institution)))
    assert sorted(done) == [False, True]
    event.remove(engine, "commit", see_whether_the_other_got_as_far)
    (left,) = admins(engine, institution)
    back = ({"ada@example.edu", "bo@example.edu"} - {left}).pop()
    admit(back.partition("@")[0])
    assert admins(engine, institution) == ["ada@example.edu", "bo@example.edu"]


@ON_SQLITE
def test_removing_asks_first(command: Command, admit: Admit) -> None:
    admit("ada")
    admit("bo")
    assert command.run("staff", "remove", "bo@example.edu", typed="n\n").exit_code == 1
    assert everyone(command)["bo@example.edu"] == ("admin", True)
    assert command.run("staff", "remove", "bo@example.edu", typed="y\n").exit_code == 0
    assert everyone(command)["bo@example.edu"] == ("admin", False)


@ON_SQLITE
@pytest.mark.parametrize(
    ("email", "role", "text", "status", "said"),
    [
        ("Ada@example.edu", "event_staff", PASSWORD, 1, "signs in with Ada@example.edu already"),
        ("nobody", "event_staff", PASSWORD, 1, "not an address"),
        ("bo@example.edu", "chief", PASSWORD, 2, "'event_staff'"),
        ("bo@example.edu", "event_staff", "short", 1, "8 characters or more"),
    ],
)
def test_who_cannot_be_let_in_is_said_with_the_reason(
    command: Command, password: Path, admit: Admit, email: str, role: str, text: str, status: int, said: str
) -> None:
    admit("ada")
    password.write_text(text)
    refused = add(command, email, role, password)
    assert (refused.exit_code, len(everyone(command))) == (status, 1)
    assert said in refused.stderr


@ON_SQLITE
def test_those_of_another_institution_are_not_ours_to_let_in_or_to_remove(
    engine: Engine, institution: Institution, other_institution: Institution, now: datetime
) -> None:
    staff.add(engine, other_institution.id, "dita@elsewhere.edu", "x", "event_staff", "test", now)
    with pytest.raises(HubRefused, match="Nobody here"):
        staff.remove(engine, institution.id, "dita@elsewhere.edu", "test", now)
    with pytest.raises(HubRefused, match="already"):
        staff.add(engine, institution.id, "dita@elsewhere.edu", "x", ADMIN, "test", now)
    assert staff.everyone(engine, institution.id) == []
