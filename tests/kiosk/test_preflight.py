"""Before the doors open: what is looked at, when it is well, and the way out when it is not."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from kiosk import clock, postman
from kiosk.actions import preflight as actions
from kiosk.actions.arrivals import Stores, check_in
from kiosk.cli import main
from kiosk.rules import preflight
from kiosk.rules.preflight import Check, all_well
from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from kiosk.store.roster import Roster
from kiosk.store.sqlite import NotRecorded
from kiosk.views import Desk
from sync.engine import Hub
from sync.errors import CheckinError, DeviceUnknown, HubUnreachable
from sync.messages import FACT, FeedPage, Moment, Rehearsal
from tests.kiosk import builders as b
from tests.kiosk.conftest import token
from tests.kiosk.disks import no_room
from tests.kiosk.fake_hub import FakeHub

HOUR = timedelta(hours=1)
MIB = 1024 * 1024


# --- rules


@pytest.mark.parametrize(
    ("check", "ok", "code"),
    [
        (preflight.membership(None, False), False, "not_enrolled"),
        (preflight.membership("Example University", False), True, "enrolled"),
        (preflight.membership("Example University", True), False, "withdrawn"),
        (preflight.session(None, False), False, "no_session"),
        (preflight.session(b.session(), True), True, "today"),
        (preflight.session(b.session(), False), False, "another_day"),
        (preflight.people(None, None, b.NOON), False, "no_list"),
        (preflight.people(0, b.NOON, b.NOON), False, "nobody"),
        (preflight.people(3, None, b.NOON), None, "age_unknown"),
        (preflight.people(3, b.NOON - 24 * HOUR, b.NOON), True, "fresh"),
        (preflight.people(3, b.NOON - 24 * HOUR - timedelta(seconds=1), b.NOON), False, "old"),
        (preflight.people(3, b.NOON + 25 * HOUR, b.NOON), False, "old"),
        (preflight.clock(None), None, "unknown"),
        (preflight.clock(timedelta(seconds=60)), True, "right"),
        (preflight.clock(timedelta(seconds=-60)), True, "right"),
        (preflight.clock(timedelta(seconds=61)), False, "wrong"),
        (preflight.clock(timedelta(seconds=-61)), False, "wrong"),
        (preflight.disk(200 * MIB), True, "room"),
        (preflight.disk(200 * MIB - 1), False, "little_room"),
        (preflight.journal(None, True), True, "durable"),
        (preflight.journal(None, False), False, "not_durable"),
        (preflight.journal("disk_full", True), False, "problem"),
        (preflight.hub(None, None, None, b.NOON), None, "never"),
        (preflight.hub(b.NOON - timedelta(minutes=5), None, 12, b.NOON), True, "answered"),
        (preflight.hub(b.NOON - timedelta(minutes=6), None, 12, b.NOON), False, "silent"),
        (preflight.hub(b.NOON, "hub_busy", 12, b.NOON), False, "problem"),
        (preflight.handed_over(0, 0), True, "all_sent"),
        (preflight.handed_over(1, 0), False, "waiting"),
        (preflight.handed_over(0, 1), False, "waiting"),
        (preflight.pin(True), True, "set"),
        (preflight.pin(False), False, "not_set"),
        (preflight.cards(None), None, "unknown"),
        (preflight.cards(0), True, "no_formats"),
        (preflight.cards(2), True, "formats"),
        (preflight.rehearsal(None, False, b.NOON), None, "none"),
        (preflight.rehearsal(b.NOON, False, b.NOON), None, "on_disk"),
        (preflight.rehearsal(b.NOON - 12 * HOUR, True, b.NOON), True, "at_hub"),
        (preflight.rehearsal(b.NOON - 13 * HOUR, True, b.NOON), None, "long_ago"),
    ],
)
def test_each_thing_is_well_not_well_or_not_known(check: Check, ok: bool | None, code: str) -> None:
    assert (check.ok, check.code) == (ok, code)


def test_what_is_not_known_is_not_well() -> None:
    well, unknown = Check("pin", True, "set"), Check("clock", None, "unknown")
    assert all_well([well])
    assert not all_well([well, unknown])


# --- the rehearsal


@pytest.fixture
def stores(folder: Path) -> Iterator[Stores]:
    """A kiosk that is set up, with a PIN, for a session that is on now."""
    b.set_up(folder, lock=b.LOCK)
    stores = Stores(Journal(folder / "journal.sqlite"), Roster(folder, clock.boot()))
    stores.journal.choose(b.session(starts=clock.now().wall))
    yield stores
    stores.journal.close()
    stores.roster.close()


def reach(hub: Hub) -> actions.Connect:
    @contextmanager
    def connect(_standing: Standing) -> Iterator[Hub]:
        yield hub

    return connect


def try_everything(stores: Stores, folder: Path, hub: Hub, patience_s: float = 60) -> None:
    actions.try_everything(stores, folder, clock.now, uuid7(), reach(hub), patience_s)


def found(stores: Stores, problem: str | None = None) -> dict[str, str]:
    """What was found, by name of the check."""
    return {each.name: each.code for each in actions.examine(stores, clock.now(), UTC, problem)}


def rehearsals(hub: FakeHub) -> int:
    return sum(isinstance(FACT.decode(each), Rehearsal) for each in hub.facts)


def test_a_desk_that_is_ready_is_all_well(stores: Stores, folder: Path) -> None:
    try_everything(stores, folder, FakeHub(b.pages()))
    checks = actions.examine(stores, clock.now(), UTC)
    assert all_well(checks), checks


def test_a_rehearsal_goes_the_whole_road_and_is_counted_nowhere(stores: Stores, folder: Path) -> None:
    hub = FakeHub()
    try_everything(stores, folder, hub)
    assert rehearsals(hub) == 1
    assert hub.present() == set()
    assert found(stores)["rehearsal"] == "at_hub"
    assert check_in(stores, b.FAIR, b.arrival(b.BO)).code == "welcome"


def test_without_a_hub_the_rehearsal_is_on_the_disk_and_no_check_in_waits(stores: Stores, folder: Path) -> None:
    try_everything(stores, folder, FakeHub(says=HubUnreachable()))
    assert stores.journal.marks().waiting == 1
    seen = found(stores)
    assert (seen["rehearsal"], seen["hub"], seen["waiting"]) == ("on_disk", "problem", "all_sent")


def test_check_ins_that_wait_are_told_from_the_rehearsal(stores: Stores, folder: Path) -> None:
    check_in(stores, b.FAIR, b.arrival(b.BO))
    try_everything(stores, folder, FakeHub(says=HubUnreachable()))
    assert (stores.journal.waiting().check_ins, stores.journal.waiting().others) == (1, 0)
    assert found(stores)["waiting"] == "waiting"


def test_looking_changes_nothing(stores: Stores) -> None:
    before = stores.journal.marks(), stores.journal.remembered()
    found(stores)
    assert (stores.journal.marks(), stores.journal.remembered()) == before


def test_a_desk_without_a_session_or_a_hub_has_nothing_to_rehearse(folder: Path) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    try_everything(Stores(journal, roster), folder, FakeHub())
    journal.enrolled(b.standing())
    try_everything(Stores(journal, roster), folder, FakeHub())
    assert journal.marks().head_seq == 0
    seen = found(Stores(journal, roster))
    assert (seen["session"], seen["list"], seen["rehearsal"]) == ("no_session", "no_list", "none")
    journal.close()
    roster.close()


def test_a_postman_at_work_is_left_to_it(stores: Stores, folder: Path) -> None:
    with postman.only_one(folder):
        try_everything(stores, folder, FakeHub(), patience_s=0)
    assert found(stores)["rehearsal"] == "on_disk"


def test_what_the_postman_at_work_hands_over_is_waited_for(stores: Stores, folder: Path) -> None:
    stop, hub = Event(), FakeHub()

    def walk() -> None:
        while not stop.is_set():
            postman.go_once(postman.Round(hub, stores.journal, stores.roster))

    walking = Thread(target=walk)
    with postman.only_one(folder):
        walking.start()
        try_everything(stores, folder, FakeHub(says=HubUnreachable()), patience_s=60)
        seen = found(stores)
        stop.set()
        walking.join()
    assert seen["rehearsal"] == "at_hub"
    assert rehearsals(hub) == 1


def test_a_postman_that_fails_is_not_waited_for(stores: Stores, folder: Path) -> None:
    stop, cut_off = Event(), FakeHub(says=HubUnreachable())

    def walk() -> None:
        while not stop.is_set():
            postman.go_once(postman.Round(cut_off, stores.journal, stores.roster))

    walking = Thread(target=walk)
    with postman.only_one(folder):
        walking.start()
        # Longer than any test may take.
        try_everything(stores, folder, FakeHub(), patience_s=3600)
        stop.set()
        walking.join()
    assert found(stores)["hub"] == "problem"


def test_more_than_somebody_waits_for_is_left_to_the_postman(stores: Stores, folder: Path) -> None:
    minutes = 0

    class Slow(FakeHub):
        """A hub whose list takes longer than anybody's patience."""

        def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
            nonlocal minutes
            minutes += 1
            return super().pull(epoch, after, mark)

    hub = Slow(b.pages(size=1))
    stores.roster.wipe()

    def now() -> Moment:
        return b.moment(minutes)

    actions.try_everything(stores, folder, now, uuid7(), reach(hub), patience_s=90)
    exchange = stores.journal.exchange()
    assert exchange is not None
    assert exchange.problem == "unfinished"
    assert minutes == 2
    assert rehearsals(hub) == 1


def test_a_disk_that_takes_nothing_is_found_out_even_by_a_kiosk_without_a_hub(folder: Path, tmp_path: Path) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    journal.probe()
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "empty").touch()
    with no_room(nothing), pytest.raises(NotRecorded):
        try_everything(Stores(journal, roster), folder, FakeHub())
    journal.close()
    roster.close()


# --- the page


@pytest.fixture
def desk(app: Flask) -> Desk:
    found: Desk = app.extensions["desk"]
    return found


def with_hub(app: Flask, hub: Hub) -> None:
    app.extensions["desk"] = replace(app.extensions["desk"], connect=reach(hub))


def press(client: FlaskClient, **form: str) -> str:
    data = {"csrf_token": token(client), **form}
    return client.post("/staff/preflight", data=data, follow_redirects=True).text


def test_the_page_says_what_is_not_well_and_what_to_do(client: FlaskClient) -> None:
    page = client.get("/staff/preflight").text
    assert "things to look at" in page
    assert "Not rehearsed yet." in page
    assert "Press “Check everything now”" in page
    assert "hub desk-pin" in page


def test_a_session_that_began_yesterday_says_so(bare_app: Flask) -> None:
    now = datetime.now(UTC)
    with bare_app.test_request_context():
        words: Any = bare_app.jinja_env.get_template("staff/checks.html").module
        for days in (0, 1):
            check = preflight.session(b.session(starts=now - timedelta(days=days)), True)
            assert words.check_title(check) == "Session now"
            assert ("since yesterday, " in words.check_found(check)) == (days == 1)


def test_checking_everything_rehearses_and_shows_how_far_it_came(app: Flask, client: FlaskClient) -> None:
    hub = FakeHub(b.pages())
    with_hub(app, hub)
    page = press(client)
    assert "All the way to the hub" in page
    assert "Answered in" in page
    assert rehearsals(hub) == 1


def test_a_hub_that_does_not_know_this_kiosk_is_explained(app: Flask, client: FlaskClient) -> None:
    with_hub(app, FakeHub(says=DeviceUnknown()))
    page = press(client)
    assert "The hub does not know this kiosk. (device_unknown)" in page
    assert "this kiosk has to be enrolled again" in page


def test_the_page_speaks_french(app: Flask, client: FlaskClient) -> None:
    with_hub(app, FakeHub(b.pages()))
    page = press(client, lang="fr")
    assert '<html lang="fr"' in page
    assert "Avant l’ouverture" in page
    assert "serveur central" in page


def test_nothing_is_tried_without_the_page_s_token(app: Flask, client: FlaskClient, desk: Desk) -> None:
    assert client.post("/staff/preflight").status_code == 400
    assert desk.journal.marks().head_seq == 0


def test_a_disk_that_takes_nothing_more_is_never_well(app: Flask, client: FlaskClient, folder: Path) -> None:
    with_hub(app, FakeHub())
    data = {"csrf_token": token(client)}
    with no_room(folder):
        answers = (client.post("/staff/preflight", data=data) for _ in range(60))
        refused = next(each for each in answers if each.status_code != 303)
    assert refused.status_code == 503
    assert "Make room on the disk" in refused.text or "The disk fails" in refused.text


@pytest.mark.parametrize(
    ("scanned", "said"),
    [
        (b.ADA_SWIPE, "A card, by card format 1."),
        (b.ADA_PASS, "A pass."),
        (b.DITA, "An email address."),
        ("12345", "No card format reads this"),
        ("", "Nothing came in."),
        ("x" * 2000, "Too much came in."),
        ("\x00\x1b[2J", "characters in it that no card"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("\u202egnp.exe", "&lt;U+202E&gt;gnp.exe"),
    ],
)
def test_a_scanner_s_echo_says_what_came_in(client: FlaskClient, desk: Desk, scanned: str, said: str) -> None:
    page = press(client, heard=scanned)
    assert said in page
    assert "<script>alert" not in page
    assert desk.journal.marks().head_seq == 0


def test_an_echo_records_nothing_and_says_of_nobody_who_it_is(client: FlaskClient, desk: Desk, folder: Path) -> None:
    page = press(client, heard=b.ADA_SWIPE, took_ms="87", suffix="enter")
    assert re.search(r"87\s*ms", page)
    assert "Enter" in page
    assert b.ADA_SWIPE in page
    assert "Ada" not in page.replace(b.ADA_SWIPE, "")
    assert desk.journal.marks().head_seq == 0
    assert not any(b.ADA_SWIPE.encode() in each.read_bytes() for each in folder.iterdir())


def test_what_would_not_be_seen_in_an_echo_is_shown(client: FlaskClient) -> None:
    page = press(client, heard=" 12\t3\u202e ", took_ms="-1", suffix="shout")
    assert "␣12␉3&lt;U+202E&gt;␣" in page
    assert "shout" not in page


# --- the command


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))
    monkeypatch.setenv("KIOSK_LANGUAGE", "en")
    return folder


def told(*words: str) -> tuple[int, dict[str, dict[str, object]]]:
    result = CliRunner().invoke(main, ["doctor", "--json", *words])
    answer = json.loads(result.stdout)
    assert answer["ok"] is (result.exit_code == 0)
    return result.exit_code, {each["name"]: each for each in answer["checks"]}


def test_the_doctor_of_a_new_kiosk_says_how_to_begin(doctor: Path) -> None:
    code, checks = told()
    assert code == 1
    assert checks["membership"]["ok"] is False
    assert "kiosk enrol" in str(checks["membership"]["way_out"])
    assert checks["journal"]["ok"] is True


def test_the_doctor_tries_the_hub_and_never_waits_long(doctor: Path) -> None:
    b.set_up(doctor)
    journal = Journal(doctor / "journal.sqlite")
    journal.enrolled(Standing("http://127.0.0.1:9", b.standing().enrolled))
    code, checks = told()
    assert code == 1
    assert checks["hub"]["code"] == "problem"
    assert "hub_unreachable" in str(checks["hub"]["found"])
    assert "Wi-Fi" in str(checks["hub"]["way_out"])
    assert checks["rehearsal"]["code"] == "on_disk"
    assert journal.marks().head_seq == 1
    journal.close()


def test_the_doctor_s_words_have_no_marks_of_a_page(doctor: Path) -> None:
    b.set_up(doctor)
    journal = Journal(doctor / "journal.sqlite")
    journal.enrolled(Standing("http://127.0.0.1:9", b.standing().enrolled))
    journal.close()
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "BAD  " in result.stdout
    assert "ok   Belongs to a hub: Example University" in result.stdout
    assert not re.search(r"<\w|&#|&\w+;", result.stdout)


def test_the_doctor_speaks_the_language_of_the_place(doctor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_LANGUAGE", "fr")
    _, checks = told()
    assert "serveur central" in str(checks["membership"]["found"])


def test_a_damaged_journal_is_a_finding_too(doctor: Path) -> None:
    doctor.mkdir()
    (doctor / "journal.sqlite").write_bytes(b"ruined" * 1000)
    code, checks = told()
    assert code == 1
    assert list(checks) == ["journal"]
    assert "store_damaged" in str(checks["journal"]["found"])
    assert "call the office" in str(checks["journal"]["way_out"])


# --- words for every trouble


def every(kind: type[CheckinError]) -> Iterator[type[CheckinError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from every(each)


TROUBLES = (
    *("hub_unreachable", "hub_not_trusted", "hub_busy", "not_our_hub", "hub_mismatch", "unfinished"),
    *("chain_broken", "unreadable", "not_ours"),
    *("device_unknown", "device_revoked", "foreign_stream", "fork", "gap", "too_large", "proto_too_old", "refused"),
    *("not_recorded", "store_damaged", "store_too_new"),
    *("disk_full", "disk_error", "read_only", "cannot_open", "journal_mode", "busy"),
)
NEVER_IN_AN_EXCHANGE = {
    *("error", "try_later", "bad_pattern", "code_refused", "already_enrolled", "another_postman"),
    *("other_authority", "another_hub", "damaged_file"),
}


@pytest.mark.parametrize("code", TROUBLES)
def test_every_trouble_has_words_and_a_way_out(bare_app: Flask, code: str) -> None:
    with bare_app.app_context():
        words: Any = bare_app.jinja_env.get_template("staff/trouble.html").module
        something, said, advice = words.trouble("strange"), words.trouble(code), words.trouble_way_out(code)
    assert said.endswith(f"({code})")
    assert said.partition(" (")[0] != something.partition(" (")[0]
    assert advice.endswith(".")


def test_no_trouble_is_without_words() -> None:
    shared = {each.code for each in every(CheckinError) if each.__module__.startswith(("sync.", "kiosk."))}
    assert shared - NEVER_IN_AN_EXCHANGE <= set(TROUBLES)
