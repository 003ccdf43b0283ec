"""The PIN: what it opens, for how long, and what wrong ones cost."""

import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import clock
from kiosk.actions import unlocking
from kiosk.rules.lockout import left_ms, wait_ms
from kiosk.store.door import Door
from kiosk.store.journal import Journal
from kiosk.views import Desk
from sync import seals
from sync.messages import DeskLock, Moment
from tests.kiosk import builders as b
from tests.kiosk.staff import post, token, try_pin

WAIT = "No PIN is tried before"
INSIDE = "What would you like to do?"


def at(seconds: float, boot: str = b.BOOT) -> Moment:
    """So many seconds after the device was started, whatever its date says."""
    return Moment(wall=b.NOON, boot=boot, since_boot_ms=round(seconds * 1000))


@pytest.fixture
def locked(bare_app: Flask, folder: Path) -> FlaskClient:
    """A desk that has a PIN."""
    b.set_up(folder, lock=b.LOCK)
    return bare_app.test_client()


# --- the rule


def test_every_wrong_pin_in_a_row_waits_longer_up_to_a_quarter_of_an_hour() -> None:
    assert [wait_ms(wrong) // 1000 for wrong in range(8)] == [0, 10, 30, 120, 300, 900, 900, 900]


def test_the_wait_counts_from_the_last_wrong_pin() -> None:
    assert left_ms(2, at(100), at(110)) == 20_000
    assert left_ms(2, at(100), at(130)) == 0
    assert left_ms(0, at(100), at(100)) == 0


def test_setting_the_date_makes_no_wait_shorter() -> None:
    later = msgspec.structs.replace(at(101), wall=b.NOON + timedelta(days=400))
    assert left_ms(1, at(100), later) == 9_000


def test_after_a_restart_the_whole_wait_is_to_come() -> None:
    assert left_ms(3, at(100), at(5_000, boot="another")) == 120_000


# --- the action


def test_the_right_pin_gives_the_key_and_forgets_the_wrong_ones(journal: Journal) -> None:
    assert unlocking.try_pin(journal, b.LOCK, "000000", at(0)) is None
    assert unlocking.try_pin(journal, b.LOCK, b.PIN, at(10)) == b.DIRECTORY_KEY
    assert unlocking.left_ms(journal, at(10)) == 0
    assert unlocking.try_pin(journal, b.LOCK, "000000", at(11)) is None
    assert unlocking.left_ms(journal, at(11)) == 10_000


def test_the_right_pin_during_the_wait_is_refused_without_being_tried(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocking.try_pin(journal, b.LOCK, "000000", at(0))
    monkeypatch.setattr(seals, "unlock", lambda *_: pytest.fail("the PIN was tried"))
    assert unlocking.try_pin(journal, b.LOCK, b.PIN, at(9.999)) is None
    assert unlocking.left_ms(journal, at(10)) == 0


def test_a_try_during_the_wait_does_not_make_it_longer(journal: Journal) -> None:
    unlocking.try_pin(journal, b.LOCK, "000000", at(0))
    unlocking.try_pin(journal, b.LOCK, "111111", at(5))
    assert unlocking.left_ms(journal, at(5)) == 5_000


def test_a_try_is_counted_before_it_is_made(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(lock: DeskLock, pin: str) -> bytes | None:
        raise KeyboardInterrupt

    monkeypatch.setattr(seals, "unlock", power_cut)
    with pytest.raises(KeyboardInterrupt):
        unlocking.try_pin(journal, b.LOCK, b.PIN, at(0))
    assert unlocking.left_ms(journal, at(0)) == 10_000


def test_the_wait_outlives_the_program(journal: Journal, folder: Path) -> None:
    unlocking.try_pin(journal, b.LOCK, "000000", at(0))
    journal.close()
    again = Journal(folder / "journal.sqlite")
    assert unlocking.left_ms(again, at(4)) == 6_000
    again.close()


def test_a_restart_of_the_device_begins_the_wait_anew_and_only_once(journal: Journal) -> None:
    unlocking.try_pin(journal, b.LOCK, "000000", at(1_000))
    assert unlocking.left_ms(journal, at(30, "second")) == 10_000
    assert unlocking.left_ms(journal, at(36, "second")) == 4_000
    assert unlocking.try_pin(journal, b.LOCK, b.PIN, at(36, "second")) is None
    assert unlocking.try_pin(journal, b.LOCK, b.PIN, at(40, "second")) == b.DIRECTORY_KEY


def test_a_restart_without_a_look_at_the_page_begins_the_wait_anew_too(journal: Journal) -> None:
    unlocking.try_pin(journal, b.LOCK, "000000", at(1_000))
    assert unlocking.try_pin(journal, b.LOCK, b.PIN, at(30, "second")) is None
    assert unlocking.left_ms(journal, at(30, "second")) == 10_000


def test_of_eight_guesses_at_once_one_is_tried(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(seals, "unlock", lambda lock, pin: tried.append(pin))
    together = threading.Barrier(8)

    def guess(number: int) -> None:
        together.wait()
        unlocking.try_pin(journal, b.LOCK, f"00000{number}", at(0))

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(tried) == 1
    assert unlocking.left_ms(journal, at(0)) == 10_000


def test_a_text_that_is_no_pin_of_any_length_is_wrong_and_nothing_else(journal: Journal) -> None:
    for number, pin in enumerate(("", "9" * 10_000, "\0", "🔑\u202e", "\ud800")):
        assert unlocking.try_pin(journal, b.LOCK, pin, at(1_000 * number)) is None


# --- the pages


def test_the_pin_opens_the_staff_pages_and_the_lock_closes_them(locked: FlaskClient) -> None:
    shut = locked.get("/staff/")
    assert shut.status_code == 403
    assert "Desk PIN" in shut.text
    assert INSIDE in try_pin(locked).text
    assert post(locked, "/staff/lock").headers["Location"] == "/"
    assert locked.get("/staff/people").status_code == 403


def test_a_wrong_pin_and_the_right_one_during_the_wait_are_answered_alike(locked: FlaskClient) -> None:
    wrong = locked.post("/staff/unlock", data={"csrf_token": token(locked), "pin": "000000"})
    right = locked.post("/staff/unlock", data={"csrf_token": token(locked), "pin": b.PIN})
    assert (wrong.status_code, wrong.headers["Location"]) == (right.status_code, right.headers["Location"])
    page = locked.get("/staff/")
    assert page.status_code == 403
    assert WAIT in page.text
    assert 'name="pin"' not in page.text


def test_the_wait_is_told_without_javascript_and_in_french(locked: FlaskClient) -> None:
    try_pin(locked, "000000")
    page = locked.get("/staff/?lang=fr").text
    assert '<noscript><meta http-equiv="refresh" content="10;url=/staff/?lang=fr"></noscript>' in page
    assert "Aucun code n’est essayé avant" in page


def test_a_new_cookie_is_made_and_the_misses_are_forgiven(locked: FlaskClient, bare_app: Flask) -> None:
    desk: Desk = bare_app.extensions["desk"]
    for _ in range(30):
        desk.misses.note(clock.now().since_boot_ms)
    token(locked)
    with locked.session_transaction() as session:
        before = session["csrf_token"]
    try_pin(locked)
    with locked.session_transaction() as session:
        assert session["csrf_token"] != before
        assert session["door"]
    assert not desk.misses.too_many(clock.now().since_boot_ms)


def test_only_the_browser_that_had_the_pin_is_let_in(locked: FlaskClient, bare_app: Flask) -> None:
    try_pin(locked)
    assert bare_app.test_client().get("/staff/").status_code == 403


def test_the_pin_needs_the_token_of_the_page(locked: FlaskClient) -> None:
    assert locked.post("/staff/unlock", data={"pin": b.PIN}).status_code == 400
    assert locked.get("/staff/").status_code == 403


def test_no_staff_page_is_stored_by_the_browser(locked: FlaskClient) -> None:
    try_pin(locked)
    for path in ("/staff/", "/staff/people", "/staff/walk-in", "/staff/paste"):
        assert locked.get(path).headers["Cache-Control"] == "no-store", path


def test_a_fragment_from_a_locked_desk_says_nothing(locked: FlaskClient) -> None:
    answer = locked.post(
        "/staff/people", data={"csrf_token": token(locked), "q": "ada"}, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, answer.text) == (403, "")


def test_the_door_locks_by_itself_when_unused_and_setting_the_date_changes_nothing() -> None:
    door = Door(idle_ms=120_000)
    opened = door.unlock(b.DIRECTORY_KEY, b.LOCK.salt, 1_000)
    # Moments count since the device was started: there is no date in them that could be set.
    assert door.enter(opened, b.LOCK.salt, 121_000) == b.DIRECTORY_KEY
    assert door.enter(opened, b.LOCK.salt, 241_000) == b.DIRECTORY_KEY
    assert door.enter(opened, b.LOCK.salt, 361_001) is None


def test_the_clock_set_back_or_forward_while_unlocked_locks_nothing_and_keeps_nothing_open(
    locked: FlaskClient, bare_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk: Desk = bare_app.extensions["desk"]
    try_pin(locked)
    began = clock.now()
    for days in (-4_000, 4_000):
        moved = msgspec.structs.replace(began, wall=began.wall + timedelta(days=days))
        monkeypatch.setattr(clock, "now", lambda moved=moved: moved)
        assert locked.get("/staff/").status_code == 200
    idle = desk.door.idle_ms + 1
    for days in (-4_000, 4_000):
        late = Moment(began.wall + timedelta(days=days), began.boot, began.since_boot_ms + idle)
        monkeypatch.setattr(clock, "now", lambda late=late: late)
        assert locked.get("/staff/").status_code == 403


def test_another_pin_locks_the_door_for_who_came_in_with_the_old_one(locked: FlaskClient, bare_app: Flask) -> None:
    desk: Desk = bare_app.extensions["desk"]
    try_pin(locked)
    assert locked.get("/staff/recent").status_code == 200
    desk.journal.lock_with(msgspec.structs.replace(b.LOCK, salt=bytes(15) + b"2"))
    assert locked.get("/staff/recent").status_code == 403
    # Not even when the old lock comes back.
    desk.journal.lock_with(b.LOCK)
    assert locked.get("/staff/recent").status_code == 403


def test_asking_whether_the_door_is_open_does_not_keep_it_open() -> None:
    door = Door(idle_ms=1_000)
    opened = door.unlock(b.DIRECTORY_KEY, b.LOCK.salt, 0)
    assert door.is_open(900)
    assert not door.is_open(1_001)
    assert door.enter(opened, b.LOCK.salt, 1_001) is None


def test_a_desk_without_a_pin_is_open_and_says_so(client: FlaskClient) -> None:
    assert "This desk has no PIN" in client.get("/staff/").text
    assert "hub desk-pin" in post(client, "/staff/people", q="ada").text
    assert INSIDE in try_pin(client, "anything").text


# --- on to the page that was asked for


@pytest.mark.parametrize("path", ["/staff/people", "/staff/status", "/sessions"])
def test_the_pin_leads_on_to_the_page_that_was_asked_for(locked: FlaskClient, path: str) -> None:
    asked = locked.get(path).text
    name = asked.partition('name="next" value="')[2].partition('"')[0]
    answer = post(locked, "/staff/unlock", pin=b.PIN, next=name)
    assert answer.status_code == 303
    assert answer.location.partition("?")[0] == path


@pytest.mark.parametrize(
    "name",
    ["", "desk.ready", "staff.nothing", "staff.awake", "staff.paste_list", "https://evil.example/", "//evil.example"],
)
def test_any_other_name_leads_to_the_first_page(locked: FlaskClient, name: str) -> None:
    answer = post(locked, "/staff/unlock", pin=b.PIN, next=name)
    assert answer.location.partition("?")[0] == "/staff/"


def test_a_wrong_pin_does_not_forget_where_to(locked: FlaskClient) -> None:
    answer = post(locked, "/staff/unlock", pin="000000", next="staff.people")
    assert answer.location.partition("?")[0] == "/staff/people"
    assert "/staff/people" in locked.get(answer.location).text
