"""How the desk is, in words for staff: on their page, on the quiet line, and at the command line."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from kiosk import clock, create_app, words
from kiosk.actions.arrivals import check_in
from kiosk.cli import main
from kiosk.config import Config
from kiosk.store.journal import Journal, Waiting
from kiosk.store.remembered import Exchange
from kiosk.views import Desk
from sync.engine import ClockSample
from sync.messages import Rehearsal, Undo
from tests.kiosk import builders as b


@pytest.fixture
def desk(app: Flask) -> Desk:
    found: Desk = app.extensions["desk"]
    return found


def exchanged(journal: Journal, at: datetime, ahead_s: float = 0, problem: str | None = None) -> None:
    now = clock.now()
    journal.note(
        Exchange(
            at=at,
            well_at=at,
            sent_at=at,
            problem=problem,
            sample=ClockSample(now.wall - timedelta(seconds=ahead_s), now, 12),
        )
    )


def in_words(client: FlaskClient, language: str = "en") -> str:
    page = client.get(f"/staff/status?lang={language}").text
    found = re.search(r'<p class="in-words">(.*?)</p>', page, re.DOTALL)
    assert found is not None
    return unescape(" ".join(found.group(1).split()))


def guest(desk: Desk, number: int) -> None:
    assert check_in(desk.stores, b.FAIR, b.arrival(f"guest{number}@nowhere.example")).code == "noted"


def hour(at: datetime) -> str:
    return clock.local(at, None).strftime("%H:%M")


def test_one_sentence_says_how_the_desk_is(client: FlaskClient, desk: Desk) -> None:
    at = clock.now().wall
    exchanged(desk.journal, at, ahead_s=3)
    for n in range(12):
        guest(desk, n)
    said = in_words(client)
    assert said == f"list from {hour(at)}, 3 people; 12 check-ins waiting, last sent {hour(at)}; clock 3 s ahead"


def test_one_of_each_is_one(client: FlaskClient, desk: Desk, folder: object) -> None:
    exchanged(desk.journal, clock.now().wall, ahead_s=-1)
    guest(desk, 1)
    said = in_words(client)
    assert "1 check-in waiting" in said
    assert said.endswith("clock 1 s behind")


def test_thousands_are_written_as_the_language_writes_them(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        words_of: Callable[[int], str] = app.jinja_env.get_template("staff/checks.html").module.people  # type: ignore[attr-defined]
        assert words_of(5012) == "5,012 people"
        assert words_of(1) == "1 person"


def test_a_new_desk_says_what_it_does_not_know(bare_app: Flask) -> None:
    assert in_words(bare_app.test_client()) == "no list yet; all sent; clock not compared yet"


@pytest.mark.parametrize(("days", "said"), [(1, "list from yesterday, "), (3, "list from ")])
def test_what_is_not_of_today_says_of_which_day_it_is(client: FlaskClient, desk: Desk, days: int, said: str) -> None:
    at = clock.now().wall - timedelta(days=days)
    exchanged(desk.journal, at)
    told = in_words(client)
    assert told.startswith(said)
    assert ("last sent yesterday, " in told) == (days == 1)
    assert (f"{clock.local(at, None).day} " in told) == (days == 3)


def test_a_rehearsal_is_no_check_in_that_waits(client: FlaskClient, desk: Desk) -> None:
    with desk.journal.writing() as page:
        page.append(Rehearsal(id=uuid7(), session_id=b.FAIR, at=b.moment()))
    assert desk.journal.marks().waiting == 1
    assert "all sent" in in_words(client)
    assert "all sent" in client.get("/status").text
    guest(desk, 1)
    assert "1 check-in waiting" in in_words(client)


def test_what_is_no_check_in_is_not_called_one(client: FlaskClient, desk: Desk) -> None:
    guest(desk, 1)
    with desk.journal.writing() as page:
        page.append(Undo(id=uuid7(), session_id=b.FAIR, at=b.moment(), undoes=(uuid7(),)))
    assert desk.journal.waiting() == Waiting(1, 1)
    assert "1 check-in and 1 other entry waiting" in in_words(client)


@pytest.mark.parametrize(
    ("code", "what", "way_out"),
    [
        ("hub_unreachable", "The hub cannot be reached.", "Look at the network cable"),
        ("device_unknown", "The hub does not know this kiosk.", "enrolled again"),
        ("fork", "The hub has other check-ins", "do not copy this kiosk"),
        ("a_code_of_tomorrow", "Something went wrong.", "Call the office."),
    ],
)
def test_a_problem_is_told_in_words_with_its_code_behind_it(
    client: FlaskClient, desk: Desk, code: str, what: str, way_out: str
) -> None:
    exchanged(desk.journal, clock.now().wall, problem=code)
    page = unescape(client.get("/staff/status").text)
    assert what in page
    assert way_out in page
    assert f"({code})" in page


def test_the_sentence_is_french_too(client: FlaskClient, desk: Desk) -> None:
    at = clock.now().wall
    exchanged(desk.journal, at, ahead_s=3)
    for n in range(2):
        guest(desk, n)
    said = in_words(client, "fr")
    assert f"liste de {hour(at)}" in said
    assert "3 personnes" in said
    assert "2 enregistrements en attente" in said
    assert said.endswith("horloge en avance de 3 s")


def test_the_day_is_the_desk_s_own(folder: object, app: Flask, desk: Desk) -> None:
    exchanged(desk.journal, datetime(2026, 1, 1, 12, tzinfo=UTC))
    far = create_app(Config(data_dir=desk.config.data_dir, timezone=ZoneInfo("Pacific/Kiritimati")))
    assert "2 Jan" in in_words(far.test_client())
    far.extensions["desk"].close()


def test_the_command_tells_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(desk.config.data_dir))
    at = clock.now().wall
    exchanged(desk.journal, at, ahead_s=3)
    guest(desk, 1)
    result = CliRunner().invoke(main, ["status"])
    assert "1 check-in waiting to be sent, last sent " in result.stdout
    assert "3 people on the list" in result.stdout
    assert "clock 3 s ahead" in result.stdout
    told = CliRunner().invoke(main, ["status", "--json"]).stdout
    assert '"clock_ahead_s": 3' in told
    assert f'"last_sent": "{at.isoformat().replace("+00:00", "Z")}"' in told


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Waiting(0, 0), "everything sent"),
        (Waiting(1, 0), "1 check-in waiting to be sent"),
        (Waiting(2, 1), "2 check-ins and 1 other entry waiting to be sent"),
        (Waiting(0, 2), "2 other entries waiting to be sent"),
    ],
)
def test_the_command_counts_in_good_english(found: Waiting, said: str) -> None:
    assert words.waiting(found) == said
