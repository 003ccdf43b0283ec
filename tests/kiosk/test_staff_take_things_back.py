"""The list of what this desk did last, and the undo."""

import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from kiosk.actions import arrivals, undoing
from kiosk.actions.arrivals import Stores
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from kiosk.store.sqlite import NotRecorded
from sync import chain
from sync.messages import FACT, CheckIn, Receipt, Rehearsal, StreamMark, Undo
from tests.kiosk import builders as b
from tests.kiosk.conftest import token
from tests.kiosk.disks import full_disk

HTMX = {"HX-Request": "true"}


@pytest.fixture
def stores(journal: Journal, roster: Roster) -> Stores:
    journal.enrolled(b.standing())
    b.load(roster)
    return Stores(journal, roster)


def come(stores: Stores, who: str) -> str:
    return arrivals.check_in(stores, b.FAIR, b.arrival(who)).code


def undo(journal: Journal, fact_id: UUID) -> str | None:
    return undoing.undo(journal, fact_id, b.moment(5), uuid7())


def newest(journal: Journal) -> UUID:
    return journal.latest(1)[0].fact.id


def hand_over(journal: Journal, verdict: str = "counted") -> None:
    """The hub has everything and says this of it."""
    seq = journal.marks().head_seq
    hash_there = journal.hash_at(seq) or chain.START
    receipts = [Receipt(seq=nth, id=uuid4(), verdict=verdict) for nth in range(1, seq + 1)]
    journal.settle(StreamMark(acked_seq=seq, acked_hash=hash_there), receipts)


@pytest.mark.parametrize("who", [b.ADA_SWIPE, b.DITA])
@pytest.mark.parametrize("sent", [False, True])
def test_an_undo_is_a_fact_of_its_own_sent_or_not(stores: Stores, who: str, sent: bool) -> None:
    first = come(stores, who)
    mistaken = newest(stores.journal)
    if sent:
        hand_over(stores.journal)
    assert undo(stores.journal, mistaken) == "undone"
    kept = stores.journal.facts_after(0, 10)
    assert len(kept) == 2
    fact = FACT.decode(kept[1])
    assert isinstance(fact, Undo)
    assert (fact.undoes, fact.session_id, fact.at) == ((mistaken,), b.FAIR, b.moment(5))
    assert stores.journal.marks().waiting == (1 if sent else 2)
    # As if they had never been here.
    assert come(stores, who) == first


def test_a_second_undo_changes_nothing(stores: Stores) -> None:
    come(stores, b.BO)
    mistaken = newest(stores.journal)
    assert [undo(stores.journal, mistaken), undo(stores.journal, mistaken)] == ["undone", "was_undone"]
    assert stores.journal.marks().head_seq == 2


def test_an_undo_cannot_be_undone_nor_what_is_not_here(stores: Stores) -> None:
    come(stores, b.BO)
    undo(stores.journal, newest(stores.journal))
    rehearsal = Rehearsal(id=uuid7(), session_id=b.FAIR, at=b.moment())
    with stores.journal.writing() as page:
        page.append(rehearsal)
    for fact_id in (stores.journal.latest(2)[1].fact.id, rehearsal.id, uuid4()):
        assert undo(stores.journal, fact_id) is None
    assert stores.journal.marks().head_seq == 3


def test_checking_in_again_takes_the_undo_back_once(stores: Stores) -> None:
    come(stores, b.DITA)
    mistaken = newest(stores.journal)
    undo(stores.journal, mistaken)
    said = [undoing.again(stores.journal, mistaken, b.moment(6), uuid7()) for _ in range(2)]
    assert said == ["in_again", "already_in"]
    first, _, second = (FACT.decode(each) for each in stores.journal.facts_after(0, 10))
    assert isinstance(first, CheckIn)
    assert isinstance(second, CheckIn)
    assert (second.method, second.at, second.id != first.id) == ("staff", b.moment(6), True)
    assert (second.tag, second.sealed_identifier) == (first.tag, first.sealed_identifier)
    assert come(stores, b.DITA) == "already_in"


def test_an_undo_that_the_disk_refuses_is_not_said_to_be_done(stores: Stores) -> None:
    for nth in range(100):
        come(stores, f"nobody{nth}@nowhere.example")
    everybody = [each.fact.id for each in stores.journal.latest(100)]
    said: list[UUID] = []

    def undo_all() -> None:
        for each in everybody:
            undo(stores.journal, each)
            said.append(each)

    with full_disk(stores.journal), pytest.raises(NotRecorded):
        undo_all()
    assert [each for each in everybody if (kept := stores.journal.kept(each)) and kept.undone] == said


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("counted", "at the hub</span>"),
        ("already_present", "counted this person before"),
        ("parked:unknown_address", "set aside: nobody has this address there yet"),
        ("parked:unconfirmed_address", "the address is not confirmed yet"),
        ("parked:disabled", "the account is disabled"),
        ("parked:unknown_session", "the hub has no such session"),
        ("parked:something_new", "parked:something_new"),
        ("set_aside", "(set_aside)"),
    ],
)
def test_the_list_says_what_the_hub_made_of_it(client: FlaskClient, folder: Path, verdict: str, words: str) -> None:
    post(client, f"/sessions/{b.FAIR}/check-ins", identifier=b.BO)
    assert "waiting to be sent" in client.get("/staff/recent").text
    journal = Journal(folder / "journal.sqlite")
    hand_over(journal, verdict)
    page = client.get("/staff/recent").text
    assert words in page
    assert "waiting to be sent" not in page
    # A hub restored from a backup may have lost it: then it waits again, whatever was said of it before.
    journal.settle(StreamMark(acked_seq=0, acked_hash=chain.START), [])
    journal.close()
    assert "waiting to be sent" in client.get("/staff/recent").text


@pytest.mark.parametrize("form", [{"name": "Eva Nova"}, {"identifier": b.DITA}])
def test_a_walk_in_is_for_the_office_to_find_out(client: FlaskClient, folder: Path, form: dict[str, str]) -> None:
    post(client, "/staff/walk-in", None, session_id=str(b.FAIR), **form)
    journal = Journal(folder / "journal.sqlite")
    hand_over(journal, "parked:unknown_address")
    journal.close()
    page = client.get("/staff/recent").text
    assert "at the hub, set aside: the office has to find out who this is" in page
    assert "this address" not in page


def test_two_who_came_in_the_same_minute_are_told_apart(client: FlaskClient, folder: Path) -> None:
    for who in (b.BO, b.ADA_SWIPE):
        post(client, f"/sessions/{b.FAIR}/check-ins", identifier=who)
    page = client.get("/staff/recent").text
    times = re.findall(r'<time class="at"[^>]*>([^<]*)</time>', page)
    assert len(times) == 2
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", each) for each in times)


def post(client: FlaskClient, path: str, headers: dict[str, str] | None = None, **form: str) -> str:
    data = {"csrf_token": token(client), **form}
    return client.post(path, data=data, headers=headers, follow_redirects=True).text


def last(folder: Path) -> UUID:
    journal = Journal(folder / "journal.sqlite")
    fact_id = newest(journal)
    journal.close()
    return fact_id


@pytest.fixture
def unlocked(bare_app: Flask, folder: Path) -> FlaskClient:
    """A browser in which staff have typed the PIN."""
    b.set_up(folder, lock=b.LOCK)
    client = bare_app.test_client()
    client.post("/staff/unlock", data={"csrf_token": token(client), "pin": b.PIN})
    return client


def test_staff_read_names_and_how_they_came(unlocked: FlaskClient) -> None:
    for who in (b.ADA_SWIPE, b.BO, b.DITA, b.ADA_PASS):
        post(unlocked, f"/sessions/{b.FAIR}/check-ins", identifier=who)
    page = unlocked.get("/staff/recent").text
    for words in ("Ada Lovelace", "Bo Diddley", "Address not on the list", "card", "typed address"):
        assert words in page
    assert page.index("Address not on the list") < page.index("Bo Diddley") < page.index("Ada Lovelace")
    assert b.DITA not in page


def test_without_a_directory_nobody_is_named(client: FlaskClient) -> None:
    post(client, f"/sessions/{b.FAIR}/check-ins", identifier=b.ADA_SWIPE)
    page = client.get("/staff/recent").text
    assert "Somebody on the list" in page
    assert "Ada" not in page


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_one_touch_undoes_and_says_so(unlocked: FlaskClient, folder: Path, lang: str) -> None:
    undone, again = {"en": ("Undone:", "Check in again"), "fr": ("Annulé", "Enregistrer à nouveau")}[lang]
    post(unlocked, f"/sessions/{b.FAIR}/check-ins", identifier=b.ADA_SWIPE)
    path = f"/staff/recent/{last(folder)}"
    page = post(unlocked, f"{path}/undo", lang=lang)
    assert undone in page
    assert again in page
    assert page.count(f"{path}/undo") == 0
    # Said once: not when the page is looked at again.
    assert 'class="notice good"' not in unlocked.get("/staff/recent").text
    assert "this had been undone before" in post(unlocked, f"{path}/undo")
    page = post(unlocked, f"{path}/again")
    assert "Checked in again:" in page
    # Offered once, by whichever entry is that person's latest.
    assert "Check in again" not in page
    assert "is in already" in post(unlocked, f"{path}/again")


def test_htmx_gets_the_rows_and_what_is_said_about_them(unlocked: FlaskClient, folder: Path) -> None:
    post(unlocked, f"/sessions/{b.FAIR}/check-ins", identifier=b.ADA_SWIPE)
    fragment = post(unlocked, f"/staff/recent/{last(folder)}/undo", HTMX)
    assert "<html" not in fragment
    assert '<section id="recent"' in fragment
    assert '<div id="news" hx-swap-oob="innerHTML">' in fragment


def test_what_this_desk_does_not_have_is_not_undone(client: FlaskClient, folder: Path) -> None:
    post(client, f"/sessions/{b.FAIR}/check-ins", identifier=b.BO)
    for what in ("undo", "again"):
        answer = client.post(f"/staff/recent/{uuid4()}/{what}", data={"csrf_token": token(client)})
        assert answer.status_code == 404
        assert "this desk has no such check-in" in answer.text
    assert client.post("/staff/recent/everything/undo", data={"csrf_token": token(client)}).status_code == 404
    journal = Journal(folder / "journal.sqlite")
    assert journal.marks().head_seq == 1
    journal.close()


def test_the_list_is_of_this_session_or_of_all(client: FlaskClient) -> None:
    post(client, f"/sessions/{b.WORKSHOP}/check-ins", identifier=b.BO)
    assert "Nobody has checked in to this session" in client.get("/staff/recent").text
    page = client.get("/staff/recent?all=yes").text
    assert "CV workshop" in page
    assert "Nobody has checked in" not in page


def test_the_list_ends_after_fifty(app: Flask, folder: Path, client: FlaskClient) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    for nth in range(60):
        come(Stores(journal, roster), f"nobody{nth}@nowhere.example")
    journal.close()
    roster.close()
    assert client.get("/staff/recent").text.count("Address not on the list</p>") == 50


def test_a_locked_desk_shows_and_undoes_nothing(bare_app: Flask, folder: Path) -> None:
    b.set_up(folder, lock=b.LOCK)
    client = bare_app.test_client()
    post(client, f"/sessions/{b.FAIR}/check-ins", identifier=b.ADA_SWIPE)
    fact_id = last(folder)
    for path in ("/staff/recent", "/staff/everyone-out", "/staff/refusals"):
        page = client.get(path)
        assert (page.status_code, "Ada" in page.text) == (403, False)
    for path in (f"/staff/recent/{fact_id}/undo", f"/staff/recent/{fact_id}/again", "/staff/everyone-out"):
        assert client.post(path, data={"csrf_token": token(client)}).status_code == 403
    assert last(folder) == fact_id


def test_a_walk_in_and_a_rehearsal_have_no_name(client: FlaskClient, folder: Path) -> None:
    journal = Journal(folder / "journal.sqlite")
    walk_in = CheckIn(id=uuid7(), session_id=b.FAIR, method="staff", at=b.moment(), roster_position=3, tag=bytes(8))
    with journal.writing() as page:
        page.append(walk_in, bytes(8).hex())
        page.append(Rehearsal(id=uuid7(), session_id=b.FAIR, at=b.moment()))
    journal.close()
    text = client.get("/staff/recent").text
    assert "Walk-in</p>" in text
    assert "Nobody: a rehearsal" in text
    assert text.count("/undo") == 2  # once in the form's address, once for htmx


def test_what_was_undone_may_be_of_a_session_that_is_gone(client: FlaskClient, folder: Path) -> None:
    journal = Journal(folder / "journal.sqlite")
    fact = CheckIn(id=uuid7(), session_id=uuid4(), method="card", at=b.moment(), roster_position=3, ref=b.ADA.ref)
    with journal.writing() as page:
        page.append(fact, str(b.ADA.ref))
    journal.close()
    assert "not on the list any more" in client.get("/staff/recent?all=yes").text
    assert "Undone:" in post(client, f"/staff/recent/{fact.id}/undo", all="yes")
