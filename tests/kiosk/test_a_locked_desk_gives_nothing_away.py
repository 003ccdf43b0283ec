"""Every route there is, tried by somebody without the PIN: nothing personal comes out, and nothing is changed."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from kiosk import create_app
from kiosk.actions.arrivals import Stores, check_in
from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from kiosk.views import Desk
from tests.kiosk import builders as b

FOR_EVERYBODY = {
    "static",
    "ui.static",
    "desk.ready",
    "desk.check_in",
    "desk.check_out",
    "scan.page",
    "phone_link.code",
    "status.alive",
    "status.ready",
    "status.line",
}
"""What students and programs may ask of a locked desk. Anything else wants the PIN."""
THE_PIN_ITSELF = {"staff.unlock"}

NAMES = ("Ada", "Lovelace", "Diddley", "Karaca", "Augusta", "Junior", "Senior", "…e@", b.ADA_CARD)
SAMPLES = {"session_id": b.FAIR, "ref": b.ADA.ref, "fact_id": UUID(int=1), "filename": "desk.css", "token": "guess"}


@pytest.fixture
def locked(folder: Path) -> Iterator[Flask]:
    """A desk with a PIN at which Ada and Bo have been."""
    b.set_up(folder, lock=b.LOCK)
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    for who in (b.ADA_SCHOOL, b.BO):
        assert check_in(Stores(journal, roster), b.FAIR, b.arrival(who)).code == "welcome"
    journal.close()
    roster.close()
    app = create_app(Config(data_dir=folder))
    yield app
    desk: Desk = app.extensions["desk"]
    desk.close()


def doors(app: Flask) -> list[tuple[str, str, str]]:
    """Every (method, endpoint, path) this program answers."""
    adapter = app.url_map.bind("localhost")
    return [
        (method, rule.endpoint, adapter.build(rule.endpoint, _sample(rule), method=method))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def _sample(rule: Rule) -> dict[str, object]:
    return {name: SAMPLES[name] for name in rule.arguments}


def kept(folder: Path) -> list[tuple[object, ...]]:
    """Everything the journal holds, but for what a look at its own health writes."""
    with sqlite3.connect(folder / "journal.sqlite") as db:
        facts = db.execute("SELECT seq, body, verdict FROM facts ORDER BY seq").fetchall()
        settings = db.execute("SELECT key, value FROM settings WHERE key <> 'probe' ORDER BY key").fetchall()
    return [*facts, *settings]


def ask(client: FlaskClient, method: str, path: str, **form: str) -> TestResponse:
    return client.open(path, method=method, data=form if method == "POST" else None)


def test_what_is_not_for_everybody_asks_for_the_pin(locked: Flask) -> None:
    others = [each for each in doors(locked) if each[1] not in FOR_EVERYBODY | THE_PIN_ITSELF]
    assert len(others) > 10
    client = locked.test_client()
    token = _token(client)
    for method, endpoint, path in others:
        answer = ask(client, method, path, csrf_token=token, q="a", identifier="a", pasted="a")
        assert answer.status_code == 403, endpoint
        assert 'name="pin"' in answer.text, endpoint


def test_no_route_of_a_locked_desk_says_a_name(locked: Flask) -> None:
    client = locked.test_client()
    token = _token(client)
    for method, endpoint, path in doors(locked):
        if endpoint in ("static", "ui.static"):
            continue
        for form in (
            {},
            {"csrf_token": token},
            {"csrf_token": token, "q": "ada", "pin": "000000", "identifier": "x@y"},
        ):
            text = ask(client, method, path, **form).text
            assert not [name for name in NAMES if name in text], f"{method} {path} {form}"


def test_no_route_changes_anything_without_the_pages_token(locked: Flask, folder: Path) -> None:
    before = kept(folder)
    client = locked.test_client()
    posts = [(endpoint, path) for method, endpoint, path in doors(locked) if method == "POST"]
    assert posts
    for endpoint, path in posts:
        answer = ask(client, "POST", path, identifier=b.CEM, pin=b.PIN, session_id=str(b.WORKSHOP), q="ada")
        assert answer.status_code in (400, 403), endpoint
    assert kept(folder) == before
    assert b"door" not in client.get("/").data


def test_another_sites_page_that_pretends_to_be_a_program_changes_nothing(locked: Flask, folder: Path) -> None:
    before = kept(folder)
    client = locked.test_client()
    for method, _, path in doors(locked):
        if method == "POST":
            client.post(path, data={"identifier": b.BO}, headers={"Accept": "application/json"})
    assert kept(folder) == before


def test_somebody_elses_cookie_opens_nothing(locked: Flask) -> None:
    client = locked.test_client()
    with client.session_transaction() as session:
        session["door"] = "a guess"
    assert client.get("/staff/").status_code == 403


def _token(client: FlaskClient) -> str:
    page = client.get("/").text
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]
