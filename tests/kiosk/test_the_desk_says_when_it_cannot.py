"""Full, damaged and too-new files at the desk: said in words, with a way out, and never a success."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import create_app
from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange
from tests.kiosk import builders as b
from tests.kiosk.conftest import AS_PROGRAM, Post, token
from tests.kiosk.disks import no_room


def test_a_full_disk_is_never_shown_as_success(client: FlaskClient, as_program: Post, folder: Path) -> None:
    page_token = token(client)
    answers = []
    with no_room(folder):
        for n in range(60):
            answers.append(as_program(f"guest{n}@nowhere.example"))
        page = client.post(
            f"/sessions/{b.FAIR}/check-ins",
            data={"identifier": "late@nowhere.example", "csrf_token": page_token},
        )
    refused = [each for each in answers if each.status_code == 503]
    assert refused
    for each in refused:
        assert each.json["verdict"] == "not_recorded"
        assert each.json["check_in_id"] is None
    assert page.status_code == 503
    assert "Not recorded" in page.text
    journal = Journal(folder / "journal.sqlite")
    kept = journal.marks().head_seq
    journal.close()
    assert kept == len(answers) - len(refused)
    assert as_program("late@nowhere.example").json["verdict"] == "noted"


def garbage(path: Path) -> None:
    path.write_bytes(b"This is not a database. " * 400)


def newer(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


@pytest.mark.parametrize(("spoil", "code"), [(garbage, "store_damaged"), (newer, "store_too_new")])
@pytest.mark.parametrize("when", ["before the start", "while it runs"])
def test_a_journal_that_cannot_be_used_is_said_on_the_screen(
    folder: Path, spoil: Callable[[Path], None], code: str, when: str
) -> None:
    b.set_up(folder)
    path = folder / "journal.sqlite"
    if when == "before the start":
        spoil(path)
    app = create_app(Config(data_dir=folder))
    if when == "while it runs":
        app.extensions["desk"].journal.close()
        spoil(path)
    client = app.test_client()
    page = client.get("/")
    assert page.status_code == 503
    assert code in page.text
    answer = client.post(f"/sessions/{b.FAIR}/check-ins", data={"identifier": b.BO}, headers=AS_PROGRAM)
    assert answer.status_code == 503
    assert answer.json is not None
    assert (answer.json["verdict"], answer.json["reason"]) == ("not_recorded", code)
    assert client.get("/readyz").json == {"status": "not_ready", "problem": code}
    app.extensions["desk"].close()


@pytest.mark.parametrize(
    ("text", "headers", "says"),
    [(b.ADA_SCHOOL, {}, "This kiosk is out of order"), ("a" * 100_000, {"HX-Request": "true"}, "")],
)
def test_a_form_that_cannot_be_taken_is_answered_when_the_journal_is_lost_too(
    client: FlaskClient, folder: Path, text: str, headers: dict[str, str], says: str
) -> None:
    garbage(folder / "journal.sqlite")
    answer = client.post(f"/sessions/{b.FAIR}/check-ins", data={"identifier": text}, headers=headers)
    assert answer.status_code == 503
    assert says in answer.text


def test_a_damaged_roster_turns_nobody_away(as_program: Post, folder: Path) -> None:
    (path,) = [each for each in folder.iterdir() if each.name.startswith("roster-")]
    garbage(path)
    answer = as_program(b.ADA_SCHOOL)
    assert (answer.status_code, answer.json["verdict"]) == (200, "noted")
    assert not path.exists()


def test_without_a_list_the_page_says_it_waits_for_one(bare_app: Flask, folder: Path) -> None:
    journal = Journal(folder / "journal.sqlite")
    journal.enrolled(b.standing())
    journal.close()
    assert "Waiting for the list from the hub" in bare_app.test_client().get("/").text


def test_a_session_is_chosen_once_and_kept(bare_app: Flask, folder: Path) -> None:
    b.set_up(folder)
    client = bare_app.test_client()
    chooser = client.get("/sessions")
    assert "CV workshop" in chooser.text
    chosen = client.post("/sessions", data={"session_id": str(b.WORKSHOP), "csrf_token": token(client)})
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/")
    assert f"/sessions/{b.WORKSHOP}/check-ins" in client.get("/").text
    again = create_app(Config(data_dir=folder))
    assert f"/sessions/{b.WORKSHOP}/check-ins" in again.test_client().get("/").text
    again.extensions["desk"].close()


@pytest.mark.parametrize(("wish", "status"), [(str(b.HUB_ID), 404), ("nonsense", 400), ("", 400)])
def test_a_session_that_is_not_there_cannot_be_chosen(client: FlaskClient, wish: str, status: int) -> None:
    data = {"session_id": wish, "csrf_token": token(client)}
    assert client.post("/sessions", data=data).status_code == status
    assert f"/sessions/{b.FAIR}/check-ins" in client.get("/").text


def test_the_operators_line_counts_what_waits(client: FlaskClient, as_program: Post) -> None:
    assert "all sent" in client.get("/status").text
    as_program(b.BO)
    as_program(b.DITA)
    assert "2 waiting<" in client.get("/status").text
    assert "2 en attente<" in client.get("/status?lang=fr").text


@pytest.mark.parametrize("code", ["hub_unreachable", "hub_not_trusted", "hub_busy", "not_our_hub"])
def test_without_the_hub_the_operators_line_says_offline(client: FlaskClient, folder: Path, code: str) -> None:
    went(folder, code)
    assert "working offline" in client.get("/status").text
    assert "fonctionne hors ligne" in client.get("/status?lang=fr").text


@pytest.mark.parametrize(
    "code", ["fork", "foreign_stream", "too_large", "hub_mismatch", "proto_too_old", "device_unknown"]
)
def test_a_hub_that_refuses_is_told_to_the_operator_with_its_code(
    client: FlaskClient, as_program: Post, folder: Path, code: str
) -> None:
    went(folder, code)
    idle = client.get("/status").text
    assert f"the hub says {code}, call the office" in idle
    assert "not sent" not in idle
    as_program(b.BO)
    waiting = client.get("/status").text
    assert f"not sent: the hub says {code}, call the office" in waiting
    assert "offline" not in waiting
    in_french = client.get("/status?lang=fr").text
    assert f"non envoyé\u202f: le serveur central répond {code}, appelez le bureau" in in_french


def test_a_list_this_device_cannot_store_is_not_the_hubs_doing(client: FlaskClient, folder: Path) -> None:
    went(folder, "not_recorded")
    text = client.get("/status").text
    assert "the list could not be stored: not_recorded" in text
    assert "hub" not in text.replace("hx-", "")


def test_a_list_of_another_day_is_shown_with_its_day(client: FlaskClient, folder: Path) -> None:
    now = datetime.now(UTC)
    went(folder, None, now)
    assert f"list from {now.astimezone():%H:%M}<" in client.get("/status").text
    went(folder, None, datetime(2026, 3, 4, 12, 0, tzinfo=UTC))
    hour = datetime(2026, 3, 4, 12, 0, tzinfo=UTC).astimezone().strftime("%H:%M")
    assert f"list from Wed 4 Mar, {hour}<" in client.get("/status").text
    assert f"liste du mer. 4 mars à {hour}<" in client.get("/status?lang=fr").text


def went(folder: Path, problem: str | None, at: datetime = b.NOON) -> None:
    """The postman's last exchange."""
    journal = Journal(folder / "journal.sqlite")
    journal.note(Exchange(at=at, well_at=at, problem=problem))
    journal.close()
