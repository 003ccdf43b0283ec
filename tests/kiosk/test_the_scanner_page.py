"""Staff teach the desk what its scanner types, on a page of their own."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk.rules.scanner import CODE
from kiosk.store.journal import Journal
from kiosk.views import Desk
from tests.kiosk import builders as b
from tests.kiosk.conftest import token
from tests.kiosk.layouts import AZERTY, BELGIAN, QWERTZ, typed


@pytest.fixture
def desk(app: Flask) -> Desk:
    found: Desk = app.extensions["desk"]
    return found


def scan(client: FlaskClient, text: str, **form: str) -> tuple[int, str]:
    answer = client.post("/staff/scanner", data={"csrf_token": token(client), "heard": text, **form})
    if answer.status_code == 303:
        return 303, unescape(client.get(answer.headers["Location"]).text)
    return answer.status_code, unescape(answer.text)


def on_the_desk(client: FlaskClient) -> object:
    """What the desk's page is told of the scanner."""
    found = re.search(r'data-scanner="([^"]*)"', client.get("/").text)
    assert found is not None
    return json.loads(unescape(found.group(1)))


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (AZERTY, "Your scanner types AZERTY: corrected."),
        (BELGIAN, "Your scanner types AZERTY: corrected."),
        (QWERTZ, "These characters never arrive: =+"),
    ],
)
def test_a_scanner_is_learned_and_its_layout_shown(client: FlaskClient, layout: tuple[str, str], said: str) -> None:
    status, page = scan(client, typed(CODE, layout))
    assert (status, said in page) == (303, True)


def test_the_desk_s_page_gets_what_was_learned(client: FlaskClient) -> None:
    scan(client, typed(CODE, AZERTY))
    told = on_the_desk(client)
    assert isinstance(told, dict)
    assert (told["map"]["q"], told["map"]["à"], told["map"]["?"]) == ("a", "0", "M")


def test_what_was_learned_outlives_a_restart_and_can_be_forgotten(
    client: FlaskClient, desk: Desk, folder: Path
) -> None:
    scan(client, typed(CODE, AZERTY))
    again = Journal(folder / "journal.sqlite")
    kept = again.remembered().scanner
    again.close()
    assert kept is not None
    assert (kept.layout, kept.changes["q"]) == ("AZERTY", "a")
    scan(client, "", forget="yes")
    assert desk.journal.remembered().scanner is None
    assert on_the_desk(client) is None


def test_a_scanner_that_needs_no_correction_is_told_so(client: FlaskClient) -> None:
    status, page = scan(client, CODE)
    assert (status, "types as this device reads" in page) == (303, True)


@pytest.mark.parametrize(
    ("received", "said"),
    [
        ("", "Nothing came in."),
        (CODE[:90], "Some of the code is missing"),
        ("]Q1" + CODE, "sends “]Q1” before the code"),
        (CODE + "#", "sends “#” after the code"),
        (CODE.replace("@", ""), "never arrive: @"),
        (CODE.upper(), "Capital and small letters arrive alike"),
        (CODE.replace("!", "?"), "arrive alike: !?"),
        (CODE.swapcase(), "Caps Lock is on"),
        ("<script>alert(1)</script>" + CODE, "before the code"),
        ("\x00" * 300, "Some of the code is missing"),
    ],
)
def test_what_teaches_nothing_says_why_and_changes_nothing(
    client: FlaskClient, desk: Desk, received: str, said: str
) -> None:
    scan(client, typed(CODE, AZERTY))
    before = desk.journal.remembered().scanner
    answer = client.post("/staff/scanner", data={"csrf_token": token(client), "heard": received})
    assert answer.status_code == 422
    assert said in unescape(answer.text)
    assert "<script>alert" not in answer.text
    assert desk.journal.remembered().scanner == before


def test_nothing_is_learned_or_forgotten_without_the_page_s_token(client: FlaskClient, desk: Desk) -> None:
    scan(client, typed(CODE, AZERTY))
    assert client.post("/staff/scanner", data={"forget": "yes"}).status_code == 400
    assert desk.journal.remembered().scanner is not None


def test_the_page_draws_the_code_itself(client: FlaskClient) -> None:
    page = client.get("/staff/scanner").text
    assert "<svg" in page
    assert "http" not in page[page.index("<svg") : page.index("</svg>")].replace("http://www.w3.org/2000/svg", "")


def test_a_locked_desk_shows_and_changes_nothing(bare_app: Flask, folder: Path) -> None:
    b.set_up(folder, lock=b.LOCK)
    locked = bare_app.test_client()
    for page in ("/staff/scanner", "/staff/preflight", "/staff/status"):
        answer = locked.get(page)
        assert answer.status_code == 403
        assert "svg width" not in answer.text
        assert "5,012" not in answer.text
    for page in ("/staff/scanner", "/staff/preflight"):
        data = {"csrf_token": token(locked), "heard": CODE}
        assert locked.post(page, data=data).status_code == 403
    desk: Desk = bare_app.extensions["desk"]
    assert desk.journal.remembered().scanner is None
    assert desk.journal.marks().head_seq == 0
