"""Which session a desk is for: chosen by staff, switched, or sent there by the office."""

from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import postman
from kiosk.actions import setting_up
from kiosk.postman import Round
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync.messages import Assignment, Push, PushAnswer
from tests.kiosk import builders as b
from tests.kiosk.conftest import Post, token
from tests.kiosk.fake_hub import FakeHub

TALK = UUID("01900000-0000-7000-8000-0000000000f3")


@pytest.fixture
def desk(journal: Journal, roster: Roster) -> tuple[Journal, Roster]:
    """A desk that staff have put at the fair."""
    b.load(roster)
    journal.choose(b.session())
    return journal, roster


def stands_at(journal: Journal) -> UUID | None:
    session = journal.session()
    return None if session is None else session.id


def send(desk: tuple[Journal, Roster], session_id: UUID, number: int) -> bool:
    return setting_up.go_where_sent(*desk, Assignment(session_id=session_id, number=number)) is not None


def test_the_office_sends_a_desk_elsewhere(desk: tuple[Journal, Roster]) -> None:
    assert send(desk, b.WORKSHOP, 1)
    assert stands_at(desk[0]) == b.WORKSHOP


def test_a_desk_that_was_switched_by_hand_since_then_stays(desk: tuple[Journal, Roster]) -> None:
    send(desk, b.WORKSHOP, 1)
    setting_up.choose_session(*desk, b.FAIR)
    # Every exchange repeats it.
    for _ in range(3):
        assert not send(desk, b.WORKSHOP, 1)
    assert stands_at(desk[0]) == b.FAIR


def test_a_later_wish_of_the_office_counts_again(desk: tuple[Journal, Roster]) -> None:
    send(desk, b.WORKSHOP, 1)
    setting_up.choose_session(*desk, b.FAIR)
    assert send(desk, b.WORKSHOP, 2)
    assert stands_at(desk[0]) == b.WORKSHOP


def test_a_hub_that_went_back_in_time_calls_no_desk_back_to_where_it_was_before(desk: tuple[Journal, Roster]) -> None:
    assert send(desk, b.FAIR, 4)
    assert send(desk, b.WORKSHOP, 5)
    assert not send(desk, b.FAIR, 4)
    assert stands_at(desk[0]) == b.WORKSHOP
    assert send(desk, b.FAIR, 5), "the first wish since then"
    assert send(desk, b.WORKSHOP, 1_000_001)


def test_a_desk_goes_to_a_session_as_soon_as_it_knows_it(desk: tuple[Journal, Roster]) -> None:
    assert not send(desk, TALK, 1)
    assert stands_at(desk[0]) == b.FAIR
    desk[1].apply(b.page([b.session(TALK, 600, name="A talk")]))
    assert send(desk, TALK, 1)
    assert stands_at(desk[0]) == TALK


def test_nothing_sent_is_nothing_changed(desk: tuple[Journal, Roster]) -> None:
    assert setting_up.go_where_sent(*desk, None) is None
    assert stands_at(desk[0]) == b.FAIR


def test_a_desk_for_those_who_leave_is_for_those_who_come_where_it_is_sent(desk: tuple[Journal, Roster]) -> None:
    desk[0].choose(b.session(), leaving=True)
    send(desk, b.WORKSHOP, 1)
    assert not desk[0].remembered().leaving


class Office(FakeHub):
    """A hub that wants its kiosk at a session."""

    assignment = Assignment(session_id=b.WORKSHOP, number=1)

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        answer = super().push(stream_id, push)
        return PushAnswer(
            hub_id=answer.hub_id,
            epoch=answer.epoch,
            hub_time=answer.hub_time,
            stream=answer.stream,
            receipts=answer.receipts,
            assignment=self.assignment,
        )


def test_the_postman_brings_the_wish_and_the_list_in_one_exchange(journal: Journal, roster: Roster) -> None:
    journal.enrolled(b.standing())
    postman.go_once(Round(Office(b.pages()), journal, roster))
    assert stands_at(journal) == b.WORKSHOP


# --- the page


def choose(client: FlaskClient, **form: str) -> str:
    return client.post("/sessions", data={"csrf_token": token(client), **form}, follow_redirects=True).text


def test_the_page_says_that_the_office_chose(client: FlaskClient, folder: Path) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    send((journal, roster), b.WORKSHOP, 1)
    journal.close()
    roster.close()
    assert "The office has sent this desk to its session." in client.get("/sessions").text
    choose(client, session_id=str(b.FAIR))
    assert "switched by hand" in client.get("/sessions").text


def test_a_locked_desk_says_and_switches_nothing(bare_app: Flask, folder: Path) -> None:
    b.set_up(folder, lock=b.LOCK)
    client = bare_app.test_client()
    form = {"csrf_token": token(client), "session_id": str(b.WORKSHOP)}
    for answer in (client.get("/sessions"), client.post("/sessions", data=form)):
        assert (answer.status_code, "CV workshop" in answer.text) == (403, False)
    journal = Journal(folder / "journal.sqlite")
    assert stands_at(journal) == b.FAIR
    journal.close()
    client.post("/staff/unlock", data={"csrf_token": token(client), "pin": b.PIN})
    page = choose(client, session_id=str(b.WORKSHOP))
    assert "This desk is now for:" in page
    assert f"/sessions/{b.WORKSHOP}/check-ins" in client.get("/").text


def test_a_locked_desk_without_a_session_asks_for_the_pin(bare_app: Flask, folder: Path) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    journal.enrolled(b.standing())
    b.load(roster)
    journal.lock_with(b.LOCK)
    journal.close()
    roster.close()
    answer = bare_app.test_client().get("/", follow_redirects=True)
    assert (answer.status_code, "Career fair" in answer.text) == (403, False)


def test_an_open_page_hears_that_the_desk_was_switched(client: FlaskClient) -> None:
    assert f'data-purpose="{b.FAIR} in"' in client.get("/").text
    assert client.get("/status").headers["Kiosk-Session"] == f"{b.FAIR} in"
    choose(client, session_id=str(b.WORKSHOP))
    assert client.get("/status").headers["Kiosk-Session"] == f"{b.WORKSHOP} in"


def test_a_stale_page_checks_in_to_the_session_it_shows(as_browser: Post, client: FlaskClient, folder: Path) -> None:
    choose(client, session_id=str(b.WORKSHOP))
    page = as_browser(b.ADA_SCHOOL).text
    answer = page.partition('data-verdict="welcome"')[2].partition("</section>")[0]
    assert "Career fair, day 1" in answer
    journal = Journal(folder / "journal.sqlite")
    assert (journal.inside(b.FAIR), journal.inside(b.WORKSHOP)) == (1, 0)
    journal.close()
