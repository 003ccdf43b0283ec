"""Walk-ins and pasted lists: people whom nobody could find at a glance."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from kiosk.actions import paste as pasting_action
from kiosk.actions.people import tidy
from kiosk.rules.pasting import MOST_LINES, Refused, lines_of
from kiosk.store import sqlite
from kiosk.store.journal import Journal, Page
from kiosk.views import Desk
from sync import seals
from sync.messages import CheckIn, CheckOut
from tests.kiosk import builders as b
from tests.kiosk.staff import facts, post, try_pin

NAUGHTY = [
    "\0",
    "a\0b@example.edu",
    "\u202eedu.elpmaxe@oB",
    "😀👩‍👩‍👧",
    "x" * 10_000,
    "'; DROP TABLE facts; --",
    '"><script>alert(1)</script>',
    "%ED%A0%80",
    "\u0000\u0001\u001f\u007f",
    "../../etc/passwd",
    "{{ 7 * 7 }}",
    "${jndi:ldap://x}",
]


@pytest.fixture
def staff(bare_app: Flask, folder: Path) -> FlaskClient:
    """A browser that the PIN has let in."""
    b.set_up(folder, lock=b.LOCK)
    client = bare_app.test_client()
    try_pin(client)
    return client


def rows(page: str) -> list[str]:
    """The rows of the results, as text without marks."""
    import re

    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>")[:-1]]


# --- walk-ins


def test_a_walk_in_by_name_is_sealed_for_the_hub_and_nowhere_readable(
    staff: FlaskClient, bare_app: Flask, folder: Path
) -> None:
    page = post(staff, "/staff/walk-in", name="Ignatius Quarterhouse").text
    assert "Noted" in page
    (fact,) = facts(bare_app)
    assert isinstance(fact, CheckIn)
    assert (fact.method, fact.ref) == ("staff", None)
    assert fact.sealed_identifier is not None
    opened = seals.open_at_hub(b.HUB_PRIVATE, fact.sealed_identifier)
    assert opened == seals.Opened("nothing", "", "Ignatius Quarterhouse")
    for path in folder.rglob("*"):
        assert b"Quarterhouse" not in path.read_bytes(), path


def test_two_walk_ins_of_one_name_are_two_people_and_one_form_is_one(staff: FlaskClient, bare_app: Flask) -> None:
    for intent in ("0192aaaa-0000-7000-8000-0000000000aa", "0192aaaa-0000-7000-8000-0000000000bb"):
        for _ in range(2):
            post(staff, "/staff/walk-in", name="Eva Nova", intent_id=intent)
    tags = [each.tag for each in facts(bare_app) if isinstance(each, CheckIn)]
    assert len(tags) == len(set(tags)) == 2


def test_an_unknown_address_goes_with_the_name(staff: FlaskClient, bare_app: Flask) -> None:
    post(staff, "/staff/walk-in", name=" Dita  Kraus\n", identifier=b.DITA)
    (fact,) = facts(bare_app)
    assert isinstance(fact, CheckIn)
    assert fact.sealed_identifier is not None
    assert seals.open_at_hub(b.HUB_PRIVATE, fact.sealed_identifier) == seals.Opened("email", b.DITA, "Dita Kraus")
    assert "Already in since" in post(staff, "/staff/walk-in", identifier=b.DITA).text


def test_an_address_of_the_list_checks_that_person_in_and_says_who_it_is(staff: FlaskClient, bare_app: Flask) -> None:
    page = post(staff, "/staff/walk-in", name="Countess", identifier=b.ADA_HOME).text
    assert "Ada Lovelace</bdi>: Checked in" in page
    assert "This address is on the list" in page
    (fact,) = facts(bare_app)
    assert isinstance(fact, CheckIn)
    assert (fact.ref, fact.method, fact.sealed_identifier) == (b.ADA.ref, "staff", None)


def test_what_could_not_be_read_stays_in_the_form(staff: FlaskClient, bare_app: Flask) -> None:
    page = post(staff, "/staff/walk-in", name="Eva Nova", identifier="eva@").text
    assert "Please check the email address" in page
    assert 'value="Eva Nova"' in page
    assert 'value="eva@"' in page
    assert "Please fill in" in post(staff, "/staff/walk-in", name=" ", identifier=" ").text
    assert "too long" in post(staff, "/staff/walk-in", name="N" * 81).text
    assert facts(bare_app) == []


def test_nobody_walks_in_where_people_are_leaving(staff: FlaskClient, bare_app: Flask) -> None:
    desk: Desk = bare_app.extensions["desk"]
    desk.journal.choose(b.session(), leaving=True)
    page = staff.get("/staff/walk-in").text
    assert "checks people out" in page
    assert 'name="name"' not in page


def test_a_page_does_what_it_said_though_the_desk_was_switched_since(staff: FlaskClient, bare_app: Flask) -> None:
    desk: Desk = bare_app.extensions["desk"]
    desk.roster.apply(b.page([b.session(position=2_000, check_out=True)]))
    desk.journal.choose(b.session(), leaving=True)
    post(staff, "/staff/walk-in", name="Eva Nova")
    post(staff, "/staff/paste", pasted=b.BO)
    desk.journal.choose(b.session(), leaving=False)
    post(staff, "/staff/paste", pasted=b.BO, leaving="yes")
    assert [type(each) for each in facts(bare_app)] == [CheckIn, CheckIn, CheckOut]


def test_a_desk_without_a_session_records_nobody(staff: FlaskClient, bare_app: Flask) -> None:
    assert "Not recorded" in post(staff, "/staff/walk-in", name="Eva", session_id=str(b.KIOSK_ID)).text
    assert post(staff, "/staff/paste", pasted=b.BO, session_id="nonsense").status_code == 422
    assert facts(bare_app) == []


def test_the_largest_address_and_name_make_a_fact_the_hub_takes(staff: FlaskClient, bare_app: Flask) -> None:
    address = f"{'ü' * 30}@{'.'.join(['sub' * 15] * 3)}.example"
    page = post(staff, "/staff/walk-in", name="漢" * 80, identifier=address).text
    assert "Noted" in page
    assert len(facts(bare_app)) == 1


def test_a_name_is_one_line_and_keeps_what_its_script_needs() -> None:
    assert tidy("  Ada\t \n Lovelace\0 ") == "Ada Lovelace"
    assert tidy("نام\u200cخانوادگی") == "نام\u200cخانوادگی"


@pytest.mark.parametrize("text", NAUGHTY)
def test_no_text_is_too_naughty_for_a_form(staff: FlaskClient, text: str) -> None:
    for path, field in (
        ("/staff/people", "q"),
        ("/staff/walk-in", "name"),
        ("/staff/walk-in", "identifier"),
        ("/staff/paste", "pasted"),
        ("/staff/paste", "session_id"),
        ("/staff/unlock", "pin"),
    ):
        answer = post(staff, path, **{field: text})
        assert answer.status_code < 500, (path, field)
        assert "<script>alert" not in answer.text


def test_bytes_that_are_no_text_are_no_trouble(staff: FlaskClient) -> None:
    from tests.kiosk.staff import token

    for path, field in (("/staff/people", "q"), ("/staff/walk-in", "name"), ("/staff/paste", "pasted")):
        body = f"csrf_token={token(staff)}&session_id={b.FAIR}&{field}=%ED%A0%80%FF%00"
        answer = staff.post(path, data=body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code < 500, path


# --- a pasted list


def test_lines_end_in_every_way_and_blank_ones_are_only_counted() -> None:
    lines = lines_of("a\r\n\r\nb\rc\n  \n\td\t")
    assert not isinstance(lines, Refused)
    assert [(each.number, each.text.strip()) for each in lines] == [(1, "a"), (3, "b"), (4, "c"), (6, "d")]


def test_what_is_no_list_is_refused_with_the_place() -> None:
    assert lines_of(" \n ") == Refused("empty")
    assert lines_of("a\nPK\x03\x04\0\0") == Refused("not_text", line=2)
    assert lines_of("\n".join(["x"] * 501)) == Refused("too_many_lines", line=501, count=501)
    assert lines_of("x" * 65_537) == Refused("too_large", count=65_537)
    assert lines_of("Name\nAda\ta@x.example") == Refused("several_columns", line=2)
    assert lines_of("ada@x.example;Ada") == Refused("several_columns", line=1)
    assert lines_of("Ada <ada@x.example>, bo@x.example") == Refused("several_columns", line=1)


def test_a_swipe_may_hold_what_columns_are_parted_by() -> None:
    assert not isinstance(lines_of(f"{b.ADA_SWIPE}\n;001234123400;:"), Refused)


@given(st.text(max_size=2_000))
def test_any_text_is_a_list_or_refused(text: str) -> None:
    lines = lines_of(text)
    assert isinstance(lines, Refused) or 0 < len(lines) <= MOST_LINES


def test_every_line_gets_its_own_result(staff: FlaskClient, bare_app: Flask) -> None:
    lines = [
        b.ADA_SCHOOL,
        "",
        b.BO,
        b.ADA_SWIPE,
        b.ADA_CARD,
        b.ADA_PASS,
        b.CEM,
        b.DITA,
        "999999",
        b.UNKNOWN_SWIPE,
        "no@address@here",
        b.DITA.upper(),
    ]
    page = post(staff, "/staff/paste", pasted="\r\n".join(lines)).text
    told = rows(page)
    assert "11 lines: 2 checked in, 4 already in, 1 noted, 3 not recognised, 1 not recorded" in " ".join(page.split())
    assert told[0] == "1 ada.lovelace@example.edu Ada Lovelace Checked in"
    assert told[1].startswith("3 bo.diddley@example.edu Bo Diddley Checked in")
    assert all("Ada Lovelace" in row and row.endswith("same as line 1") for row in told[2:5])
    assert "Cem Karaca Not recorded The account is disabled" in told[5]
    assert told[6] == "8 dita@nowhere.example Noted"
    assert told[7].startswith("9 999999 Not recognised Neither an address nor a card")
    assert "Not recognised" in told[8]
    assert "10" in told[8]
    assert told[9].startswith("11 no@address@here Not recognised")
    assert told[10].endswith("same as line 8")
    assert [each.method for each in facts(bare_app) if isinstance(each, CheckIn)] == ["staff"] * 3


def test_a_refused_line_is_explained_in_the_language_of_whoever_reads_it(staff: FlaskClient) -> None:
    for language in ("en", "fr"):
        page = post(staff, "/staff/paste", pasted=f"{b.CEM}\n{b.BO}", lang=language).text
        assert ("The account is disabled at the school" in page) == (language == "en")
        walked_in = post(staff, "/staff/walk-in", name="", identifier=b.CEM, lang=language).text
        assert ("Send them to the office." in walked_in) == (language == "en")
    assert "2 lignes\u202f:" in page


def test_what_is_neither_an_address_nor_a_card_is_said_to_be_neither(staff: FlaskClient) -> None:
    page = post(staff, "/staff/paste", pasted="Ada Lovelace\nada@").text
    assert page.count("Neither an address nor a card we know") == 2
    assert "Undo…" not in page
    assert "Undo…" in post(staff, "/staff/paste", pasted=b.BO).text


def test_the_same_list_again_finds_everybody_in(staff: FlaskClient, bare_app: Flask) -> None:
    for _ in range(2):
        page = post(staff, "/staff/paste", pasted=f"{b.ADA_SCHOOL}\n{b.BO}\n{b.DITA}").text
    assert all("Already in since" in row for row in rows(page))
    assert len(facts(bare_app)) == 3


def test_five_hundred_lines_are_taken_and_one_more_is_not(staff: FlaskClient, bare_app: Flask) -> None:
    many = [f"guest{number}.of.the.autumn.fair@students.nowhere.example" for number in range(501)]
    refused = post(staff, "/staff/paste", pasted="\r\n".join(many))
    assert refused.status_code == 422
    assert "Cut the list before line 501" in refused.text
    assert many[500] in refused.text
    assert facts(bare_app) == []
    assert len(rows(post(staff, "/staff/paste", pasted="\r\n".join(many[:500])).text)) == 500
    assert len(facts(bare_app)) == 500


def test_ten_thousand_lines_come_back_with_a_reason(staff: FlaskClient, bare_app: Flask) -> None:
    many = "\r\n".join(f"guest{number}@nowhere.example" for number in range(10_000))
    refused = post(staff, "/staff/paste", pasted=many)
    assert refused.status_code == 422
    assert "10,000 lines" in refused.text
    assert "guest9999@nowhere.example" in refused.text
    assert facts(bare_app) == []


def test_a_file_as_large_as_a_spreadsheet_is_refused_on_a_page_of_ours(staff: FlaskClient, bare_app: Flask) -> None:
    refused = post(staff, "/staff/paste", pasted="x" * 1_200_000)
    assert refused.status_code == 413
    assert "Nothing was recorded." in refused.text
    assert "Check in a whole group" in refused.text
    assert facts(bare_app) == []


def test_too_large_a_form_tells_a_locked_browser_nothing(staff: FlaskClient, bare_app: Flask) -> None:
    stranger = bare_app.test_client()
    refused = stranger.post("/staff/paste", data={"pasted": "x" * 1_200_000})
    assert refused.status_code == 403
    assert "Check in a whole group" not in refused.text


def test_a_disk_that_fails_in_the_middle_keeps_what_was_kept_and_says_what_was_not(
    staff: FlaskClient, bare_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pasting_action, "CHUNK", 2)
    writing, chunks = Journal.writing, iter((True, False, True))

    @contextmanager
    def fails_once(journal: Journal) -> Iterator[Page]:
        with writing(journal) as page:
            yield page
            if not next(chunks):
                raise sqlite.NotRecorded("disk_full", str(errno.ENOSPC))

    monkeypatch.setattr(Journal, "writing", fails_once)
    told = rows(post(staff, "/staff/paste", pasted="\n".join(f"guest{n}@nowhere.example" for n in range(6))).text)
    assert ["Noted" in row for row in told] == [True, True, False, False, True, True]
    assert "The disk of this device is full" in told[2]
    assert len(facts(bare_app)) == 4


def test_a_list_is_checked_out_where_people_are_leaving(staff: FlaskClient, bare_app: Flask) -> None:
    desk: Desk = bare_app.extensions["desk"]
    post(staff, "/staff/paste", pasted=b.BO)
    desk.roster.apply(b.page([b.session(position=2_000, check_out=True)]))
    desk.journal.choose(b.session(), leaving=True)
    told = rows(post(staff, "/staff/paste", pasted=f"{b.BO}\n{b.ADA_SCHOOL}\n{b.BO}", leaving="yes").text)
    assert all("Checked out" in row for row in told)
    assert told[2].endswith("same as line 1")
    assert [type(each) for each in facts(bare_app)] == [CheckIn, CheckOut, CheckOut]


def test_somebody_is_known_again_however_far_down_the_list(staff: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasting_action, "CHUNK", 2)
    told = rows(post(staff, "/staff/paste", pasted=f"{b.BO}\n{b.DITA}\n{b.ADA_SCHOOL}\n{b.BO}").text)
    assert told[3].endswith("same as line 1")
