"""Both programs together, as real processes, at their worst moments: what was answered at the desk is at the hub."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from itertools import islice
from uuid import uuid4

import pytest

from scripts.sample import Student, swipe
from tests.whole.conftest import ADA, BO, CEM, DITA, Place
from tests.whole.programs import Kiosk, eventually

pytestmark = pytest.mark.timeout(400)


def active(place: Place, count: int) -> list[Student]:
    return list(islice((each for each in place.office.people if not each.disabled), count))


def check_in_all(kiosk: Kiosk, place: Place, people: list[Student]) -> None:
    with kiosk.desk() as desk:
        for each in people:
            assert desk.check_in(place.session, each.school_emails[0])["verdict"] == "welcome"


def test_two_hundred_check_ins_without_a_hub_are_at_the_hub_once_each_when_it_is_back(
    place: Place, kiosk: Kiosk
) -> None:
    people = active(place, 200)
    before = kiosk.status()["head_seq"]
    if place.office.database == "sqlite":
        place.hub.kill()
    else:
        place.hub.stop()

    verdicts = []
    with kiosk.desk() as desk:
        for number, each in enumerate(people):
            for identifier, intent_id in _ways_of(each, number):
                verdicts.append(desk.check_in(place.session, identifier, intent_id)["verdict"])
        strangers = ["nobody@elsewhere.example", "Nobody@Elsewhere.Example ", "no.one@elsewhere.example"]
        assert [desk.check_in(place.session, each)["verdict"] for each in strangers] == ["noted", "already_in", "noted"]
        assert desk.check_in(place.session, swipe("999999"))["verdict"] == "not_recognised"
        assert desk.check_in(place.session, BO.school_emails[0])["verdict"] == "see_staff"
    assert verdicts.count("already_in") == len(range(0, len(people), 5))
    assert set(verdicts) == {"welcome", "already_in"}

    assert kiosk.post() == {
        "sent": 0,
        "acked": 0,
        "waiting": len(people) + 2,
        "received": 0,
        "problem": "hub_unreachable",
    }

    place.hub.serve()
    told = kiosk.post()
    assert (told["sent"], told["acked"], told["waiting"], told["problem"]) == (
        len(people) + 2,
        len(people) + 2,
        0,
        None,
    )
    assert kiosk.post() == {"sent": 0, "acked": 0, "waiting": 0, "received": 0, "problem": None}
    assert place.count() == (len(people), 2)
    status = kiosk.status()
    assert status["waiting"] == 0
    assert status["head_seq"] == status["acked_seq"] == before + len(people) + 2


def _ways_of(student: Student, number: int) -> Iterator[tuple[str, str | None]]:
    """How this student identifies at the desk: by any of their addresses or by card, and some of them twice."""
    ways = [*student.school_emails, *([student.swipe] if student.card_id else [])]
    first = ways[number % len(ways)]
    intent_id = str(uuid4())
    yield first, intent_id
    if number % 5 == 0:
        # Comes back later, and is as likely to use another way.
        yield ways[(number // 5) % len(ways)].upper(), None
    if number % 7 == 0:
        # The browser sends the same form again.
        yield first, intent_id


def test_an_answer_that_never_arrives_makes_nobody_count_twice(place: Place, far_kiosk: Kiosk) -> None:
    people = active(place, 8)
    check_in_all(far_kiosk, place, people)

    place.office.proxy.withhold("cut")
    for _ in range(2):
        told = far_kiosk.post()
        assert (told["problem"], told["waiting"]) == ("hub_unreachable", len(people))
    place.office.proxy.wait_until_withheld()
    assert place.count() == (len(people), 0), "the hub has them; only the kiosk does not know"

    place.office.proxy.answers = "pass"
    assert far_kiosk.post()["waiting"] == 0
    assert place.count() == (len(people), 0)
    assert far_kiosk.status()["waiting"] == 0


def test_a_postman_killed_while_the_answer_is_on_its_way_makes_nobody_count_twice(
    place: Place, far_kiosk: Kiosk
) -> None:
    people = [each for each in active(place, 8) if each is not DITA]
    check_in_all(far_kiosk, place, people)

    place.office.proxy.withhold("hold")
    postman = far_kiosk.start("post", "--once")
    place.office.proxy.wait_until_withheld()
    with far_kiosk.desk() as desk:
        meanwhile = desk.check_in(place.session, DITA.school_emails[0])
        assert meanwhile["verdict"] == "welcome", "nobody at the desk waits for the network"
    assert postman.runs
    postman.kill()
    assert place.count() == (len(people), 0)
    assert far_kiosk.status()["waiting"] == len(people) + 1

    place.office.proxy.answers = "pass"
    assert far_kiosk.post()["waiting"] == 0
    assert place.count() == (len(people) + 1, 0)


def test_a_desk_killed_in_the_middle_of_check_ins_has_lost_none_that_it_answered(place: Place, kiosk: Kiosk) -> None:
    people = active(place, 200)
    intents = {each.username: str(uuid4()) for each in people}
    before = kiosk.status()["head_seq"]
    answered: dict[str, str] = {}

    def queue(those: list[Student]) -> None:
        with kiosk.desk() as desk:
            for each in those:
                answer = desk.check_in(place.session, each.school_emails[0], intents[each.username])
                assert answer["verdict"] == "welcome"
                answered[each.username] = answer["check_in_id"]

    with ThreadPoolExecutor(4) as pool:
        queues = [pool.submit(queue, people[start::4]) for start in range(4)]
        eventually(lambda: len(answered) >= 20, "the first twenty")
        kiosk.kill()
    assert all(isinstance(each.exception(), OSError | HTTPException) for each in queues), queues
    assert len(answered) < len(people)
    assert kiosk.status()["head_seq"] - before >= len(answered)

    kiosk.serve()
    with kiosk.desk() as desk:
        for each in people:
            answer = desk.check_in(place.session, each.school_emails[0], intents[each.username])
            assert answer["verdict"] == "welcome"
            assert answered.setdefault(each.username, answer["check_in_id"]) == answer["check_in_id"]
    assert kiosk.status()["head_seq"] - before == len(people)
    assert kiosk.post()["waiting"] == 0
    assert place.count() == (len(people), 0)


def test_noted_addresses_are_parked_and_count_once_the_hub_hears_whose_they_are(place: Place, kiosk: Kiosk) -> None:
    unknown, pending = "Cem.the.Great@mailbox.example", "dita@quickpost.example"
    place.hub.ask("students", "add-email", DITA.username, pending)
    kiosk.post()
    with kiosk.desk() as desk:
        assert desk.check_in(place.session, unknown)["verdict"] == "noted"
        assert desk.check_in(place.session, pending)["verdict"] == "noted", "not confirmed, so nobody's"
    kiosk.post()
    assert place.count() == (0, 2)

    told = place.hub.ask("students", "add-email", CEM.username, unknown, "--confirmed")
    assert {"address": unknown, "kind": "additional", "state": "confirmed", "main": False} in told["emails"]
    place.hub.ask("students", "add-email", DITA.username, pending, "--confirmed")
    assert place.count() == (2, 0)

    kiosk.post()
    with kiosk.desk() as desk:
        answer = desk.check_in(place.session, unknown.lower())
        assert (answer["verdict"], answer["greeting"]) == ("already_in", "Cem")
        assert desk.check_in(place.session, CEM.school_emails[0])["verdict"] == "welcome", "known by this one only here"
    kiosk.post()
    assert place.count() == (2, 0)


def test_a_kiosk_that_was_cut_off_forgets_everybody_and_keeps_its_check_ins(place: Place) -> None:
    stolen = place.office.new_kiosk("stolen")
    check_in_all(stolen, place, active(place, 5))
    place.hub.ask("kiosks", "revoke", stolen.status()["kiosk_id"])

    told = stolen.post()
    assert (told["problem"], told["waiting"]) == ("device_revoked", 5)
    status = stolen.status()
    assert status["roster"]["people"] == 0
    assert (status["head_seq"], status["waiting"]) == (5, 5)
    with stolen.desk() as desk:
        assert desk.check_in(place.session, ADA.school_emails[0])["verdict"] == "see_staff"
    assert stolen.status()["head_seq"] == 5
    assert place.count() == (0, 0)
    stolen.stop()


def test_the_same_student_at_two_kiosks_counts_once(place: Place, kiosk: Kiosk, far_kiosk: Kiosk) -> None:
    main, other = ADA.school_emails
    for each, identifier in ((kiosk, main), (far_kiosk, other)):
        with each.desk() as desk:
            assert desk.check_in(place.session, identifier)["verdict"] == "welcome"
        assert each.post()["waiting"] == 0
    assert place.count() == (1, 0)
