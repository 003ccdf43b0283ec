"""Searching the staff directory: the rule, the opened directory, and the pages."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk.rules.names import AT_MOST, Index, asked, fold, words
from kiosk.store.directory import OpenDirectory
from kiosk.store.roster import Roster
from kiosk.views import Desk
from sync.directory import Line
from sync.messages import CheckIn, CheckOut, Gone
from tests.kiosk import builders as b
from tests.kiosk.staff import facts, post, token, try_pin


def found(names: Sequence[str | Line], query: str) -> list[str]:
    """The names that a query finds, the best first."""
    lines = [each if isinstance(each, Line) else Line(each) for each in names]
    return [lines[place].name for place in Index(lines).find(query).places]


# --- the rule


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Émile Zola", "emile"),
        ("Emile Zola", "ÉMILE"),
        ("Zoë Groß", "gross zoe"),
        ("Søren Ørsted", "soren orsted"),
        ("Łukasz Żak", "lukasz zak"),
        ("Cœline Æbelø", "coeline aebelo"),
        ("Jean-Luc Ponty", "jean luc"),
        ("Jean-Luc Ponty", "jeanluc"),
        ("Jean Luc Ponty", "jean-luc"),
        ("Anne O’Brien", "o'brien"),
        ("Anne O’Brien", "obrien"),
        ("Anne O'Brien", "brien"),
        ("Ada Lovelace", "lovelace, ada"),
        ("Ada Lovelace", "LOV AD"),
        ("Iñaki Žižek", "inaki zizek"),
        ("İpek Işık", "ipek isik"),
        ("山田 花子", "山"),
        ("محمد علي", "علي"),
        ("कुमार राज", "राज"),
        ("Cafe\u0301 Noir", "café"),
    ],
)
def test_accents_case_order_and_joints_are_forgiven(name: str, query: str) -> None:
    assert found(["Somebody Else", name], query) == [name]


def test_every_word_of_the_query_must_begin_one_of_the_name() -> None:
    names = ["Ada Lovelace", "Ada Byron", "Bo Lovelace"]
    assert found(names, "ada love") == ["Ada Lovelace"]
    assert found(names, "ada ovelace") == []


def test_other_names_are_found_too() -> None:
    assert found([Line("Ada Lovelace", "Augusta")], "augusta") == ["Ada Lovelace"]


@pytest.mark.parametrize("query", ["", "   ", "-", "'", ",;", "\u0301"])
def test_an_empty_query_finds_nobody(query: str) -> None:
    assert found(["Ada Lovelace", "Bo-Bo O'Bo"], query) == []


def test_whole_words_come_first_then_beginnings_of_the_name_then_the_alphabet() -> None:
    names = ["Lina Ray", "Bo Linden", "Zoe Li", "Li Wei", "Abe Lincoln"]
    assert found(names, "li") == ["Li Wei", "Zoe Li", "Lina Ray", "Abe Lincoln", "Bo Linden"]


def test_twenty_are_shown_and_the_rest_is_counted() -> None:
    hits = Index([Line(f"Al Martin{number:02}") for number in range(45)]).find("al mar")
    assert (len(hits.places), hits.more) == (AT_MOST, 25)


def test_people_of_one_name_are_all_there_in_the_order_of_their_years() -> None:
    lines = [
        Line("Ada Li", "", "Senior", "b…@x"),
        Line("Ada Li", "", "Junior", "z…@x"),
        Line("Ada Li", "", "Junior", "a…@x"),
    ]
    assert Index(lines).find("ada li").places == [2, 1, 0]


def test_folding_is_for_search_and_the_query_has_an_end() -> None:
    assert fold("Straße") == "strasse"
    assert words(fold("Anne-Marie")) == ("anne", "marie", "annemarie")
    assert len(" ".join(asked("ab " * 10_000))) <= 100


@pytest.mark.parametrize(
    "query", ["\0", "\U0010ffff", "\ud800", "'; DROP TABLE people;--", "<script>", "🤖", "a" * 10_000]
)
def test_a_query_that_is_no_name_finds_nobody(query: str) -> None:
    assert found(["Ada Lovelace"], query) == []


# --- the opened directory


def test_the_names_are_in_memory_only_while_the_door_is_open(roster: Roster) -> None:
    b.load(roster)
    door = threading.Event()
    opened = OpenDirectory(roster, Index)
    assert opened.reading() is None
    opened.open(b.DIRECTORY_KEY, lambda: not door.is_set())
    reading = opened.reading(10)
    assert reading is not None
    assert reading.whole
    assert (len(reading.listings), reading.total) == (3, 3)
    assert opened.find(b.ADA.ref) is not None
    door.set()
    opened.close()
    assert opened.reading() is None
    assert opened.find(b.ADA.ref) is None


def test_the_names_go_without_anybody_asking_once_the_door_has_locked_itself(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.store.directory._LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr("kiosk.store.directory._RENEW_EVERY", 1)
    b.load(roster)
    answers = iter([True, False])
    opened = OpenDirectory(roster, Index)
    opened.open(b.DIRECTORY_KEY, lambda: next(answers))
    thread = opened._thread
    assert thread is not None
    thread.join(10)
    assert opened.reading() is None


def test_another_key_opens_nobody_and_says_how_many_there_are(roster: Roster) -> None:
    b.load(roster)
    opened = OpenDirectory(roster, Index)
    opened.open(bytes(32), lambda: True)
    reading = opened.reading(10)
    opened.close()
    assert reading is not None
    assert (len(reading.listings), reading.total, reading.whole) == (0, 3, True)


def test_a_large_directory_can_be_asked_before_all_of_it_is_open(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.store.directory._FIRST_PORTION", 1)
    b.load(roster)
    seen: list[int] = []
    opened = OpenDirectory(roster, lambda lines: seen.append(len(lines)))
    opened.open(b.DIRECTORY_KEY, lambda: True)
    opened.reading(10)
    opened.close()
    assert seen == [1, 3]


@pytest.mark.parametrize(
    ("name", "query"),
    [("Юлия Смирнова", "smirn yul"), ("Γιώργος Παπάς", "papas"), ("김민준", "gim"), ("Юлия Смирнова", "смирн")],
)
def test_a_name_in_another_script_is_found_with_the_keys_at_hand(name: str, query: str) -> None:
    assert Index([Line("Ada Lovelace"), Line(name)]).find(query).places == [1]


def test_whoever_comes_on_or_leaves_the_list_does_so_in_the_open_directory(
    roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.store.directory._LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr("kiosk.store.directory._RENEW_EVERY", 1)
    b.load(roster)
    opened = OpenDirectory(roster, Index)
    looked = threading.Semaphore(0)

    def is_door_open() -> bool:
        looked.release()
        return True

    opened.open(b.DIRECTORY_KEY, is_door_open)
    before = opened.reading(10)
    eve = b.Student("Eve", ("eve@example.edu",), line=Line("Eve Nova", "", "Senior", "e…@example.edu"))
    roster.apply(b.page([b.person(eve, 100), Gone(position=101, what="person", key=b.BOB.ref)]))
    # Asked once before each look: the second from now has seen the change.
    while looked.acquire(blocking=False):
        pass
    for _ in range(2):
        assert looked.acquire(timeout=10)
    after = opened.reading(10)
    opened.close()
    assert before is not None
    assert after is not None
    assert {each.line.name for each in after.listings} == {"Ada Lovelace", "Cem Karaca", "Eve Nova"}
    assert after.by_ref[b.ADA.ref] is before.by_ref[b.ADA.ref]


# --- the pages


@pytest.fixture
def staff(bare_app: Flask, folder: Path) -> FlaskClient:
    """A browser that the PIN has let in."""
    other = b.Student(
        "Ada", ("ada2@example.edu",), line=Line("Ada Lovelace", "", "Masters", "a…2@example.edu"), registered=(b.FAIR,)
    )
    b.set_up(folder, (*b.CAST, other), lock=b.LOCK)
    client = bare_app.test_client()
    try_pin(client)
    return client


def test_nobody_is_listed_until_somebody_is_asked_for(staff: FlaskClient) -> None:
    assert "Lovelace" not in staff.get("/staff/people").text
    assert "Lovelace" not in post(staff, "/staff/people", q=" ").text


def test_people_of_one_name_are_told_apart(staff: FlaskClient) -> None:
    page = post(staff, "/staff/people", q="lovelace").text
    assert page.count("<bdi>Ada Lovelace</bdi>") == 2
    assert "Junior" in page
    assert "Masters" in page
    assert "ad…ce@example.edu" in page
    assert "2 people found" in page


def test_no_name_is_in_an_address(staff: FlaskClient) -> None:
    assert "Lovelace" not in staff.get("/staff/people?q=ada").text
    answer = post(staff, "/staff/people", q="ada")
    assert answer.status_code == 200
    assert "Location" not in answer.headers


def test_htmx_gets_the_people_alone(staff: FlaskClient) -> None:
    form = {"csrf_token": token(staff), "q": "ada"}
    page = staff.post("/staff/people", data=form, headers={"HX-Request": "true"}).text
    assert "Ada Lovelace" in page
    assert "<html" not in page


def test_by_hand_is_recorded_as_such(staff: FlaskClient, bare_app: Flask) -> None:
    answer = post(staff, f"/staff/people/{b.ADA.ref}/check-in", q="ada").text
    assert "Ada Lovelace</bdi>: Checked in" in answer
    assert "Masters" in answer
    (fact,) = facts(bare_app)
    assert isinstance(fact, CheckIn)
    assert (fact.ref, fact.method, fact.session_id, fact.tag) == (b.ADA.ref, "staff", b.FAIR, None)
    assert fact.roster_position == 1_000


def test_somebody_who_is_in_is_shown_as_such_and_not_recorded_again(staff: FlaskClient, bare_app: Flask) -> None:
    path = f"/staff/people/{b.BOB.ref}/check-in"
    post(staff, path)
    assert "Already in since" in post(staff, path).text
    assert len(facts(bare_app)) == 1
    page = post(staff, "/staff/people", q="diddley").text
    assert "in since" in page
    assert path not in page


def test_the_same_form_twice_is_one_check_in(staff: FlaskClient, bare_app: Flask) -> None:
    intent = "0192aaaa-0000-7000-8000-0000000000aa"
    for _ in range(2):
        assert "Checked in" in post(staff, f"/staff/people/{b.ADA.ref}/check-in", intent_id=intent).text
    assert len(facts(bare_app)) == 1


def test_a_disabled_account_is_marked_and_cannot_be_checked_in(staff: FlaskClient, bare_app: Flask) -> None:
    page = post(staff, "/staff/people", q="cem").text
    assert "account disabled" in page
    assert f"/staff/people/{b.CEMS.ref}/check-in" not in page
    assert "Not recorded" in post(staff, f"/staff/people/{b.CEMS.ref}/check-in").text
    assert facts(bare_app) == []


def test_a_list_or_opening_times_do_not_bind_staff(staff: FlaskClient, bare_app: Flask) -> None:
    import msgspec

    desk: Desk = bare_app.extensions["desk"]
    shut = msgspec.structs.replace(b.session(position=2_000), listed=True, closes=b.NOON)
    desk.roster.apply(b.page([shut]))
    page = post(staff, "/staff/people", q="lovelace").text
    assert "not registered" in page
    assert page.count(">registered<") == 1
    assert "Checked in" in post(staff, f"/staff/people/{b.ADA.ref}/check-in").text


def test_where_people_are_leaving_the_button_checks_out(staff: FlaskClient, bare_app: Flask) -> None:
    desk: Desk = bare_app.extensions["desk"]
    post(staff, f"/staff/people/{b.ADA.ref}/check-in")
    desk.roster.apply(b.page([b.session(position=2_000, check_out=True)]))
    desk.journal.choose(b.session(), leaving=True)
    page = post(staff, "/staff/people", q="lovelace").text
    assert page.count('name="leaving" value="yes"') == 2
    # Who is not in here may have come in at another desk.
    assert page.count(">Check out <") == 2
    assert page.count("in since") == 1
    assert "Checked out" in post(staff, f"/staff/people/{b.ADA.ref}/check-in", leaving="yes").text
    assert isinstance(facts(bare_app)[-1], CheckOut)


def test_somebody_who_is_gone_from_the_list_is_not_recorded(staff: FlaskClient, bare_app: Flask) -> None:
    answer = post(staff, f"/staff/people/{b.KIOSK_ID}/check-in")
    assert answer.status_code == 404
    assert "not on the list any more" in answer.text
    assert facts(bare_app) == []


def test_staff_do_not_count_as_misses(staff: FlaskClient, bare_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    desk: Desk = bare_app.extensions["desk"]
    monkeypatch.setattr(desk.misses, "note", lambda at_ms: pytest.fail("a miss"))
    post(staff, "/staff/walk-in", identifier=b.DITA)
    post(staff, "/staff/paste", pasted=f"{b.DITA}\n{b.UNKNOWN_SWIPE}\nnonsense")
    assert len(facts(bare_app)) == 1
