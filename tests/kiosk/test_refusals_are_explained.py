"""Why somebody was refused: two digits for them, words for staff, and no trace of who it was."""

from pathlib import Path
from typing import get_args, get_type_hints
from uuid import uuid4

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk.actions import arrivals
from kiosk.actions.arrivals import Stores
from kiosk.rules.codes import CODES
from kiosk.rules.verdicts import SeeStaff
from kiosk.store.journal import Journal
from kiosk.store.misses import Misses
from kiosk.store.refusals import Refusal, Refusals
from kiosk.store.roster import Roster
from tests.kiosk import builders as b
from tests.kiosk.conftest import Post

LISTED = msgspec.structs.replace(b.session(b.FAIR, 500), listed=True)
SIBLING = msgspec.structs.replace(b.session(b.WORKSHOP, 501), event_id=LISTED.event_id)


@pytest.fixture
def stores(journal: Journal, roster: Roster) -> Stores:
    """A desk at a session of the fair that Bo is registered for another session of."""
    journal.enrolled(b.standing())
    bo = b.Student("Bo", (b.BO,), registered=(b.WORKSHOP,))
    b.load(roster, [b.ADA, bo, b.CEMS])
    roster.apply(b.page([LISTED, SIBLING]))
    return Stores(journal, roster, Refusals())


def noted(stores: Stores) -> list[Refusal]:
    assert stores.refusals is not None
    return stores.refusals.latest()


@pytest.mark.parametrize(
    ("who", "reason", "method"),
    [
        (b.ADA_SWIPE, "not_on_list", "card"),
        (b.DITA, "not_on_list", "email"),
        (b.BO, "wrong_session", "email"),
        (b.CEM, "disabled", "email"),
        (b.UNKNOWN_SWIPE, "unknown_card", "card"),
        ("CHK1:" + "9" * 32, "unknown_pass", "pass"),
        ("ada", "not_an_address", None),
        ("", "empty", None),
    ],
)
def test_a_refusal_is_remembered_without_who_it_was(stores: Stores, who: str, reason: str, method: str | None) -> None:
    arrivals.check_in(stores, b.FAIR, b.arrival(who, 7))
    (refusal,) = noted(stores)
    assert refusal == Refusal(b.moment(7).wall, reason, b.FAIR, method)  # type: ignore[arg-type]


def test_who_is_let_in_is_not_among_them(stores: Stores) -> None:
    arrivals.check_in(stores, b.WORKSHOP, b.arrival(b.ADA_SCHOOL))
    arrivals.check_in(stores, b.WORKSHOP, b.arrival(b.ADA_SCHOOL))
    assert noted(stores) == []


def test_too_many_misses_are_among_them(stores: Stores) -> None:
    misses = Misses(1, 60_000)
    arrivals.check_in(stores, b.FAIR, b.arrival(b.UNKNOWN_SWIPE), misses)
    arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_SCHOOL), misses)
    assert [each.reason for each in noted(stores)] == ["too_many_misses", "unknown_card"]


def test_only_the_newest_fifty_are_remembered(stores: Stores) -> None:
    for minutes in range(60):
        arrivals.check_in(stores, b.FAIR, b.arrival("ada", minutes))
    latest = noted(stores)
    assert (len(latest), latest[0].at, latest[-1].at) == (50, b.moment(59).wall, b.moment(10).wall)


def test_staff_see_apart_what_reads_the_same_to_the_person(app: Flask, folder: Path, as_program: Post) -> None:
    roster = Roster(folder, b.BOOT)
    roster.apply(
        b.page([LISTED, SIBLING, b.person(b.Student("Zoe", ("zoe@example.edu",), registered=(b.WORKSHOP,)), 502)])
    )
    roster.close()
    told = [as_program(each).json["verdict"] for each in (b.DITA, "zoe@example.edu")]
    assert told == ["see_staff", "see_staff"]
    page = app.test_client().get("/staff/refusals").text.partition("<table")[0]
    assert "Not on the list of this session" in page
    assert "Registered for another session of this event" in page
    assert page.index("Registered for another session") < page.index("Not on the list of this session")
    for trace in (b.DITA, "zoe", "Zoe"):
        assert trace not in page


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_code_is_explained_with_a_way_out(client: FlaskClient, lang: str) -> None:
    page = client.get(f"/staff/refusals?lang={lang}").text.partition("<tbody")[2]
    rows = page.split("<tr>")[1:]
    assert len(rows) == len(CODES)
    for row, code in zip(rows, CODES.values(), strict=True):
        cells = [cell.partition("</td>")[0].strip() for cell in row.split("<td>")[1:]]
        assert f">{code}<" in row
        assert all(len(cell) > 10 for cell in cells)
        assert len(cells) == 2


def test_the_words_follow_the_language_of_each_who_asks(client: FlaskClient) -> None:
    english, french = (client.get(f"/staff/refusals?lang={lang}").text for lang in ("en", "fr"))
    assert "Check-in has closed" in english
    assert "Check-in has closed" not in french
    assert "Check-in has closed" in client.get("/staff/refusals?lang=en").text


def test_every_reason_for_staff_has_a_code_of_its_own() -> None:
    reasons = get_args(get_type_hints(SeeStaff)["reason"])
    assert set(reasons) <= set(CODES)
    assert len(set(CODES.values())) == len(CODES)


def test_a_reason_nobody_has_words_for_is_shown_all_the_same(app: Flask, client: FlaskClient) -> None:
    app.extensions["desk"].refusals.note(Refusal(b.NOON, "something_new", uuid4(), None))
    page = client.get("/staff/refusals").text
    assert "Another reason" in page
    assert "</span> 99</span>" in page
