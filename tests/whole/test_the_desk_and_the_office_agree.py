"""What staff do at a desk and what the office says, with both programs at work: the numbers are the same on both sides.

Staff are a browser without JavaScript; the office is its commands.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from kiosk.store.journal import Journal
from kiosk.store.remembered import Tries
from sync.messages import FACT, CheckIn, CheckOut, Push
from tests.whole.conftest import ADA, CEM, DITA, Place
from tests.whole.programs import Browser, Failed, Kiosk, Shown
from tests.whole.searching import everything_in, folded, spoken_of

pytestmark = pytest.mark.timeout(400)

ADDRESS = {each.username: each.school_emails[0] for each in (ADA, CEM, DITA)}


@pytest.fixture
def place(place: Place) -> Place:
    """An office that gave its desks a PIN."""
    assert place.office.pin
    return place


@pytest.fixture
def staff(place: Place, kiosk: Kiosk) -> Iterator[Browser]:
    """Staff at the kiosk beside the hub, at this session."""
    with kiosk.staff(place.office.pin) as browser:
        browser.stand_at(place.session)
        yield browser


@pytest.fixture
def far_staff(place: Place, far_kiosk: Kiosk) -> Iterator[Browser]:
    """Staff at the kiosk behind the proxy, at this session."""
    with far_kiosk.staff(place.office.pin) as browser:
        browser.stand_at(place.session)
        yield browser


@pytest.fixture
def check_out(place: Place) -> None:
    """The session asks people to check out, before any desk hears of it."""
    assert place.hub.ask("events", "set", place.session, "--check-out")["check_out"] is True


def answer(kiosk: Kiosk, place: Place, identifier: str, session: str | None = None) -> dict[str, Any]:
    """What the kiosk says to somebody who comes."""
    with kiosk.desk() as desk:
        return desk.check_in(session or place.session, identifier)


def numbers(place: Place) -> dict[str, Any]:
    """Everything `hub count` says but when it was last spoken to."""
    told = place.hub.ask("count", place.session)
    return told | {"kiosks": {each["id"]: each["waiting"] for each in told["kiosks"]}}


def counts(place: Place) -> tuple[int, int, int | None]:
    """How many are checked in at the hub, how many check-ins are parked there, and how many people are inside."""
    told = numbers(place)
    return told["checked_in"], told["parked"], told["inside"]


def handed_over(kiosk: Kiosk) -> None:
    told = kiosk.post()
    assert (told["problem"], told["waiting"]) == (None, 0), told


def found(browser: Browser, name: str) -> Shown:
    """Whom a search shows, once all names are open."""
    page = browser.open("/staff/people")
    while len([each for each in page.forms if each.action == "/staff/people"]) > 1:
        page = browser.open("/staff/people")
    return browser.send(page.forms_to("/staff/people")[0], q=name)


# --- the desk PIN


def test_the_desk_pin_locks_a_desk_and_opens_the_names_on_it_until_the_office_takes_it_back(place: Place) -> None:
    gate = place.office.new_kiosk("gate")
    with gate.browser() as staff:
        locked = staff.open("/staff/people")
        assert (locked.status, DITA.last_name in locked.source) == (403, False)

        refused = staff.send(locked.form("/staff/unlock"), pin="not " + place.office.pin)
        assert (refused.status, refused.forms) == (403, []), "nothing can be entered during the wait"
        assert staff.send(locked.form("/staff/unlock"), pin=place.office.pin).status == 403, "not even the right one"
        ten_seconds_pass(gate)
        assert staff.unlock(place.office.pin).status == 200

        staff.stand_at(place.session)
        dita = found(staff, "dvorackova")
        assert f"Dita {DITA.last_name}" in dita.words
        assert f"Dita {DITA.last_name}: Checked in" in staff.send(dita.form("/check-in")).words
        staff.send(staff.open("/staff/").form("/staff/lock"))
        assert staff.open("/staff/people").status == 403

    handed_over(gate)
    assert place.count() == (1, 0)
    assert [(each["method"], each["verdict"]) for each in place.hub.facts(place.session)] == [("staff", "counted")]

    assert place.hub.ask("desk-pin", "--none") == {"desk_pin": False, "changed": True}
    with gate.browser() as anybody:
        assert anybody.open("/staff/").status == 403, "locked until it has heard"
        gate.post()
        assert anybody.open("/staff/").status == 200
        nobody = found(anybody, "dvorackova")
        assert (nobody.status, DITA.last_name in nobody.source) == (200, False), "the names are gone with the PIN"
        assert place.hub.ask("desk-pin", "--pin-file", str(place.office.pin_file))["changed"] is True
        gate.post()
        assert anybody.open("/staff/").status == 403
    gate.stop()


def ten_seconds_pass(kiosk: Kiosk) -> None:
    """The wait after a wrong PIN is over, without waiting."""
    journal = Journal(kiosk.folder / "journal.sqlite")
    with journal.writing() as page:
        tries = page.tries()
        assert tries is not None
        last = msgspec.structs.replace(tries.last, since_boot_ms=tries.last.since_boot_ms - 10_000)
        page.keep_tries(Tries(tries.wrong, last))
    journal.close()


# --- undo


def test_what_is_undone_counts_for_nobody_sent_or_not_and_however_often_it_is_delivered(
    place: Place, far_kiosk: Kiosk, far_staff: Browser
) -> None:
    proxy = place.office.proxy
    before = far_kiosk.status()["head_seq"]

    unsent = answer(far_kiosk, place, ADDRESS["s-ada"])["check_in_id"]
    assert far_staff.undo(unsent).status == 200
    handed_over(far_kiosk)
    assert place.count() == (0, 0)

    sent = answer(far_kiosk, place, ADDRESS["s-ada"])
    assert sent["verdict"] == "welcome", "whose check-in was taken back comes anew"
    handed_over(far_kiosk)
    assert place.count() == (1, 0)

    recent = far_staff.open("/staff/recent")
    undo = recent.form(f"/{sent['check_in_id']}/undo")
    for _ in range(2):
        assert far_staff.send(undo).status == 200
    proxy.withhold("cut")
    for _ in range(2):
        told = far_kiosk.post()
        assert (told["problem"], told["waiting"]) == ("hub_unreachable", 1), "pressed twice, undone once"
    proxy.wait_until_withheld()
    assert place.count() == (0, 0), "the hub has it; only the kiosk does not know"
    proxy.answers = "pass"
    handed_over(far_kiosk)
    assert place.count() == (0, 0)
    assert far_kiosk.status()["head_seq"] == before + 4

    again = far_staff.open("/staff/recent").form(f"/{sent['check_in_id']}/again")
    assert far_staff.send(again).status == 200
    handed_over(far_kiosk)
    assert place.count() == (1, 0)


# --- check-out


@pytest.mark.usefixtures("check_out")
def test_inside_follows_who_comes_and_goes_at_two_desks_and_attendance_stays(
    place: Place, kiosk: Kiosk, staff: Browser, far_kiosk: Kiosk, far_staff: Browser
) -> None:
    for address in (ADDRESS["s-ada"], ADDRESS["s-cem"]):
        assert answer(kiosk, place, address)["verdict"] == "welcome"
    handed_over(kiosk)
    assert counts(place) == (2, 0, 2)

    far_staff.stand_at(place.session, leaving=True)
    with far_kiosk.desk() as desk:
        assert desk.check_out(place.session, ADDRESS["s-ada"])["verdict"] == "checked_out"
    handed_over(far_kiosk)
    assert counts(place) == (2, 0, 1)

    out = everyone_out(staff)
    handed_over(kiosk)
    assert counts(place) == (2, 0, 0)

    assert answer(kiosk, place, ADDRESS["s-ada"])["verdict"] == "welcome", "she had left"
    handed_over(kiosk)
    assert counts(place) == (2, 0, 1)

    assert staff.undo(out).status == 200
    handed_over(kiosk)
    assert counts(place) == (2, 0, 2), "Cem had not left after all"


def everyone_out(staff: Browser) -> str:
    """Staff say that everybody has left, after being asked; the id of that."""
    asked = staff.open("/staff/everyone-out?sure=ask")
    done = staff.send(asked.form("/staff/everyone-out"))
    assert done.status == 200
    latest = next(each.action for each in done.forms if each.action.endswith("/undo"))
    return latest.split("/")[-2]


# --- walk-ins


@pytest.mark.usefixtures("check_out")
def test_walk_ins_are_named_to_the_office_alone_and_count_with_the_time_they_came(
    place: Place, far_kiosk: Kiosk, far_staff: Browser
) -> None:
    name, alone, address = "Hildegard Quatrevingts", "Wolfhart Unbekannter", "hildegard@walk-in.example"
    place.office.proxy.asked.clear()

    assert f"{name}: Noted" in walk_in(far_staff, name=name, identifier=address).words
    assert f"{alone}: Noted" in walk_in(far_staff, name=alone).words
    everyone_out(far_staff)
    handed_over(far_kiosk)
    assert counts(place) == (0, 2, 0)
    came = {each["id"]: each["occurred_at"] for each in place.hub.facts(place.session)}

    place.hub.ask("students", "add-email", CEM.username, address, "--confirmed")
    assert counts(place) == (1, 1, 0), "came before everybody left, so is not inside"
    assert {each["id"]: each["occurred_at"] for each in place.hub.facts(place.session)} == came

    facts = [FACT.decode(fact) for push in pushed(place.office.proxy.asked) for fact in push.facts]
    assert [type(each) for each in facts] == [CheckIn, CheckIn, CheckOut]
    secrets = [*name.split(), *alone.split(), address]
    sealed = [each.sealed_identifier or b"" for each in facts if isinstance(each, CheckIn)]
    assert all(sealed)
    assert spoken_of(secrets, folded(b"\0".join([*sealed, *map(msgspec.json.encode, facts)]))) == []
    assert spoken_of(secrets, folded(everything_in(far_kiosk.folder))) == []


def walk_in(staff: Browser, **typed: str) -> Shown:
    return staff.send(staff.open("/staff/walk-in").form("/staff/walk-in"), **typed)


def pushed(asked: bytes | bytearray) -> Iterator[Push]:
    """The pushes among requests, as the hub unpacks them."""
    rest = bytes(asked)
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(lines.get(b"content-length", b"0"))
        if head.startswith(b"POST"):
            yield msgspec.json.decode(gzip.decompress(rest[:length]), type=Push)
        rest = rest[length:]


# --- passes


def test_a_pass_is_good_from_the_exchange_after_it_was_made_until_the_one_after_it_was_taken_back(
    place: Place, kiosk: Kiosk
) -> None:
    first = issued(place, CEM.username)
    assert answer(kiosk, place, first)["verdict"] == "not_recognised", "not heard of yet"
    kiosk.post()
    assert answer(kiosk, place, first)["verdict"] == "welcome"

    second = issued(place, CEM.username, "--reissue")
    assert second != first
    kiosk.post()
    assert answer(kiosk, place, first) | {"reason": "unknown_pass"} == answer(kiosk, place, first)
    assert answer(kiosk, place, second)["verdict"] == "already_in"

    assert place.hub.ask("passes", "revoke", CEM.username) == {"username": CEM.username, "revoked": True}
    kiosk.post()
    for each in (first, second):
        assert answer(kiosk, place, each)["verdict"] == "not_recognised"
    assert answer(kiosk, place, ADDRESS["s-cem"])["verdict"] == "already_in", "the pass went, Cem did not"
    handed_over(kiosk)
    assert place.count() == (1, 0)
    assert spoken_of([first[5:], second[5:]], folded(everything_in(kiosk.folder))) == []


def issued(place: Place, *words: str) -> str:
    """The payload of a student's pass."""
    (made,) = place.hub.ask("passes", "issue", *words)["passes"]
    return str(made["payload"])


# --- where the office sends a desk, and what it tells it


def test_the_office_moves_a_desk_and_says_whom_it_takes_in_and_what_it_tells_them(
    place: Place, kiosk: Kiosk, staff: Browser
) -> None:
    kiosk_id = kiosk.status()["kiosk_id"]
    # Whatever the day the test is run on, it has not begun.
    when = ("--starts", "2096-11-21T09:00+00:00", "--ends", "2096-11-21T12:00+00:00")
    dinner = place.hub.ask("events", "create", "--kind", "event", "--name", "Founders’ dinner", *when)
    session = str(dinner["sessions"][0]["id"])
    next_step = ("--next-step", "Room B, first floor", "--next-step-fr", "Salle B, premier étage")
    place.hub.ask("events", "set", session, *next_step, "--listed")
    assert place.hub.ask("events", "register", session, ADA.username)["registered"] == 1
    place.hub.ask("kiosks", "assign", kiosk_id, session)

    with kiosk.browser() as student:
        assert "Founders’ dinner" not in student.open("/").words
        kiosk.post()
        assert "Founders’ dinner" in student.open("/").words
        entry = student.open("/").form(f"/sessions/{session}/check-ins")
        cem = answer(kiosk, place, ADDRESS["s-cem"], session)
        assert (cem["verdict"], cem["reason"]) == ("see_staff", "not_on_list")
        assert "Room B, first floor" in student.send(entry, identifier=ADDRESS["s-ada"]).words

        place.hub.ask("events", "set", session, "--open-to-all", "--opens-before", "30")
        assert answer(kiosk, place, ADDRESS["s-cem"], session)["reason"] == "not_on_list", "not heard of yet"
        kiosk.post()
        assert answer(kiosk, place, ADDRESS["s-cem"], session)["reason"] == "not_open_yet"

        place.hub.ask("events", "set", session, "--opens-any")
        kiosk.post()
        french = student.open("/?lang=fr").form(f"/sessions/{session}/check-ins")
        assert "Salle B, premier étage" in student.send(french, identifier=ADDRESS["s-cem"]).words
    handed_over(kiosk)
    assert place.hub.count(session) == (2, 0)

    staff.stand_at(place.session)
    kiosk.post()
    with kiosk.browser() as student:
        assert "Founders’ dinner" not in student.open("/").words, "switched by hand, and not called away again"


# --- rehearsals


@pytest.mark.usefixtures("check_out")
def test_a_rehearsal_changes_no_number_at_the_hub_or_at_the_desk(
    place: Place, far_kiosk: Kiosk, far_staff: Browser
) -> None:
    for each in (ADDRESS["s-ada"], ADDRESS["s-cem"], f"{uuid4()}@elsewhere.example"):
        answer(far_kiosk, place, each)
    handed_over(far_kiosk)
    before, at_the_desk = numbers(place), far_staff.open("/staff/everyone-out").words
    assert (before["checked_in"], before["parked"], before["inside"]) == (2, 1, 2)
    facts = len(place.hub.facts(place.session))

    assert rehearsed(far_kiosk) == "at_hub"
    place.office.proxy.withhold("cut")
    preflight = far_staff.open("/staff/preflight")
    assert far_staff.send(preflight.forms_to("/staff/preflight")[0]).status == 200
    assert far_kiosk.status()["waiting"] == 1, "a fact like others to whoever carries it"
    assert "working offline all sent" in far_staff.open("/").words, "and to nobody else"
    assert far_staff.open("/staff/everyone-out").words == at_the_desk
    place.office.proxy.answers = "pass"
    handed_over(far_kiosk)

    assert len(place.hub.facts(place.session)) == facts + 2, "both rehearsals came, the second one twice"
    assert numbers(place) == before
    assert far_staff.open("/staff/everyone-out").words == at_the_desk


def rehearsed(kiosk: Kiosk) -> str:
    """How far the doctor saw its rehearsal come."""
    try:
        checks = kiosk.ask("doctor")["checks"]
    except Failed as failed:
        checks = json.loads(failed.out)["checks"]
    return str(next(each["code"] for each in checks if each["name"] == "rehearsal"))


# --- a kiosk that is carried away


def test_no_file_of_a_kiosk_at_work_names_anybody_of_the_office(
    place: Place, far_kiosk: Kiosk, far_staff: Browser
) -> None:
    payload = issued(place, DITA.username)
    far_kiosk.post()
    dita = found(far_staff, "dita dvo")
    assert "d…@northfield.edu" in dita.words
    far_staff.send(dita.form("/check-in"))
    assert answer(far_kiosk, place, payload)["verdict"] == "already_in"
    walk_in(far_staff, name="Theodolinde Niemandsland", identifier="theodolinde@walk-in.example")
    assert f"Dita {DITA.last_name}" in far_staff.open("/staff/recent").words

    secrets = [*ADDRESS.values(), f"Dita {DITA.last_name}", "dvorackova", payload[5:], place.office.pin]
    secrets += ["Theodolinde", "Niemandsland"]
    for each in place.office.people:
        named = f"{each.first_name} {each.last_name}"
        secrets += [named] if len(named) >= 8 else []
        secrets += each.identifying
    content = folded(everything_in(far_kiosk.folder))
    assert spoken_of(["Northfield University"], content) != [], "what is no secret is found"
    assert spoken_of(secrets, content) == []
