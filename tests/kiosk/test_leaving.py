"""Who is in: coming, leaving, everybody leaving, and all of it taken back."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from kiosk.actions import arrivals, leaving, setting_up, undoing
from kiosk.actions.arrivals import Stores
from kiosk.rules.verdicts import AlreadyIn, CheckedOut, Welcome
from kiosk.store.journal import Journal
from kiosk.store.misses import Misses
from kiosk.store.roster import Roster
from sync.messages import FACT, CheckOut, Fact, Session, Undo
from tests.kiosk import builders as b
from tests.kiosk.conftest import token

TALK = msgspec.structs.replace(b.session(b.FAIR, 500), check_out=True)


@pytest.fixture
def stores(journal: Journal, roster: Roster) -> Stores:
    """A desk at a talk that people check out of."""
    journal.enrolled(b.standing())
    b.load(roster)
    roster.apply(b.page([TALK]))
    journal.choose(TALK)
    return Stores(journal, roster)


def come(stores: Stores, who: str, minutes: int = 0) -> str:
    return arrivals.check_in(stores, b.FAIR, b.arrival(who, minutes)).code


def go(stores: Stores, who: str, minutes: int = 0) -> str:
    return arrivals.check_out(stores, b.FAIR, b.arrival(who, minutes)).code


def all_go(journal: Journal, session_id: UUID = b.FAIR, intent_id: UUID | None = None) -> UUID:
    return leaving.everyone_out(journal, session_id, intent_id or uuid4(), b.moment(), uuid7(), 500)


def facts(journal: Journal) -> list[Fact]:
    return [FACT.decode(each) for each in journal.facts_after(0, 1000)]


def test_ada_comes_goes_and_comes_back(stores: Stores) -> None:
    assert [come(stores, b.ADA_SCHOOL), go(stores, b.ADA_SWIPE), come(stores, b.ADA_HOME)] == [
        "welcome",
        "checked_out",
        "welcome",
    ]
    assert stores.journal.inside(b.FAIR) == 1


def test_a_second_scan_at_the_arriving_desk_checks_nobody_out(stores: Stores) -> None:
    come(stores, b.ADA_SWIPE)
    assert come(stores, b.ADA_SWIPE) == "already_in"
    assert stores.journal.inside(b.FAIR) == 1
    assert len(facts(stores.journal)) == 1


def test_dita_whom_nobody_knows_can_leave_too(stores: Stores) -> None:
    assert [come(stores, b.DITA), go(stores, b.DITA.upper())] == ["noted", "checked_out"]
    assert stores.journal.inside(b.FAIR) == 0


def test_everyone_out_is_one_fact_and_leaves_nobody(stores: Stores) -> None:
    for who in (b.ADA_SCHOOL, b.BO, b.DITA):
        come(stores, who)
    assert stores.journal.inside(b.FAIR) == 3
    all_go(stores.journal)
    assert stores.journal.inside(b.FAIR) == 0
    fact = facts(stores.journal)[-1]
    assert isinstance(fact, CheckOut)
    assert (fact.everyone, fact.ref, fact.tag, fact.method) == (True, None, None, "staff")
    assert len(facts(stores.journal)) == 4
    assert come(stores, b.BO) == "welcome"


def test_the_same_form_twice_is_one_everyone_out(stores: Stores) -> None:
    intent_id = uuid4()
    assert all_go(stores.journal, intent_id=intent_id) == all_go(stores.journal, intent_id=intent_id)
    assert len(facts(stores.journal)) == 1


def test_an_everyone_out_that_came_too_early_is_undone(stores: Stores) -> None:
    come(stores, b.ADA_SCHOOL)
    come(stores, b.BO)
    go(stores, b.BO)
    out = all_go(stores.journal)
    assert undoing.undo(stores.journal, out, b.moment(), uuid7()) == "undone"
    assert stores.journal.inside(b.FAIR) == 1
    assert come(stores, b.ADA_SCHOOL) == "already_in"
    assert come(stores, b.BO) == "welcome"


def test_a_check_out_by_mistake_is_undone(stores: Stores) -> None:
    come(stores, b.ADA_SCHOOL, 1)
    go(stores, b.ADA_SCHOOL, 2)
    mistaken = stores.journal.latest(1)[0].fact.id
    assert undoing.undo(stores.journal, mistaken, b.moment(3), uuid7()) == "undone"
    assert stores.journal.inside(b.FAIR) == 1
    verdict = arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_HOME, 4))
    assert isinstance(verdict, AlreadyIn)
    assert verdict.since == b.moment(1).wall
    assert undoing.again(stores.journal, mistaken, b.moment(5), uuid7()) == "out_again"
    assert stores.journal.inside(b.FAIR) == 0


def test_who_came_in_at_another_desk_checks_out_at_this_one(stores: Stores) -> None:
    verdict = arrivals.check_out(stores, b.FAIR, b.arrival(b.ADA_SCHOOL))
    assert isinstance(verdict, CheckedOut)
    # Since when they were there is not known here, and not said.
    assert verdict.since is None
    assert stores.journal.marks().head_seq == 1


def test_who_left_by_another_desk_and_comes_back_is_recorded_again(stores: Stores) -> None:
    come(stores, b.ADA_SCHOOL, 1)
    # Out at another desk, of which this one knows nothing.
    verdict = arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_SCHOOL, 30))
    assert isinstance(verdict, AlreadyIn)
    assert verdict.since == b.moment(1).wall
    assert stores.journal.marks().head_seq == 2
    # A card that is held a moment too long is not.
    assert come(stores, b.BO, 40) == "welcome"
    assert come(stores, b.BO, 40) == "already_in"
    assert stores.journal.marks().head_seq == 3


def test_an_unknown_address_that_leaves_is_noted_and_is_a_miss(stores: Stores) -> None:
    misses = Misses(2, 60_000)
    for who in ("one@nowhere.example", "two@nowhere.example"):
        assert arrivals.check_out(stores, b.FAIR, b.arrival(who), misses).code == "noted"
    assert arrivals.check_out(stores, b.FAIR, b.arrival(b.ADA_SCHOOL), misses).code == "see_staff"
    (first, *_) = stores.journal.facts_after(0, 5)
    assert isinstance(FACT.decode(first), CheckOut)


def test_a_session_without_check_out_lets_nobody_be_checked_out(stores: Stores) -> None:
    assert arrivals.check_out(stores, b.WORKSHOP, b.arrival(b.ADA_SCHOOL)).code == "see_staff"
    assert stores.journal.marks().head_seq == 0


def test_a_form_that_comes_again_after_an_undo_is_a_check_in_of_its_own(stores: Stores) -> None:
    form = uuid4()
    first = arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_SCHOOL, 1, form))
    assert isinstance(first, Welcome)
    undoing.undo(stores.journal, first.check_in_id, b.moment(2), uuid7())
    again = arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_SCHOOL, 3, form))
    assert isinstance(again, Welcome)
    assert again.check_in_id != first.check_in_id
    assert stores.journal.inside(b.FAIR) == 1


def test_a_form_that_checked_in_checks_nobody_out_unseen(stores: Stores) -> None:
    form = uuid4()
    arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_SCHOOL, 1, form))
    assert arrivals.check_out(stores, b.FAIR, b.arrival(b.ADA_SCHOOL, 2, form)).code == "checked_out"
    assert stores.journal.inside(b.FAIR) == 0


def test_another_session_is_none_of_it(stores: Stores) -> None:
    come(stores, b.ADA_SCHOOL)
    arrivals.check_in(stores, b.WORKSHOP, b.arrival(b.ADA_SCHOOL))
    all_go(stores.journal, b.WORKSHOP)
    assert (stores.journal.inside(b.FAIR), stores.journal.inside(b.WORKSHOP)) == (1, 0)


Step = tuple[str, str | int | None]

PEOPLE = (b.ADA_SCHOOL, b.DITA)
# Most steps change something: whoever is out comes, whoever is in goes.
STEPS: list[Step] = [
    *[("pass the door", who) for who in PEOPLE for _ in range(2)],
    *[(step, who) for step in ("in", "out") for who in PEOPLE],
    ("all out", None),
    *[("undo", nth) for nth in range(3)],
    *[("again", nth) for nth in range(2)],
]
steps = st.lists(st.sampled_from(STEPS), min_size=3, max_size=14)


class Told:
    """What a person with a pencil makes of it: a line for each entry, undone ones struck out."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str | None, bool]] = []

    def present(self) -> set[str]:
        here: set[str] = set()
        for kind, who, struck in self.lines:
            if struck:
                continue
            if kind == "in":
                here.add(str(who))
            elif who is None:
                here.clear()
            else:
                here.discard(who)
        return here


@pytest.fixture(scope="module")
def busy_desk() -> Iterator[Stores]:
    """One desk for all the sessions that hypothesis thinks of."""
    with TemporaryDirectory() as folder:
        stores = Stores(Journal(Path(folder) / "journal.sqlite"), Roster(Path(folder), b.BOOT))
        stores.journal.enrolled(b.standing())
        b.load(stores.roster)
        yield stores
        stores.journal.close()
        stores.roster.close()


@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_whatever_is_done_the_desk_knows_who_is_in(busy_desk: Stores, steps: list[Step]) -> None:
    session = msgspec.structs.replace(TALK, id=uuid4())
    busy_desk.journal.choose(session)
    told = Told()
    for step, what in steps:
        follow(busy_desk, session.id, told, step, what)
        assert busy_desk.journal.inside(session.id) == len(told.present())
    for who in PEOPLE:
        verdict = arrivals.check_in(busy_desk, session.id, b.arrival(who))
        assert (verdict.code == "already_in") == (who in told.present())


def follow(stores: Stores, session_id: UUID, told: Told, step: str, what: str | int | None) -> None:
    """The same step at the desk and on paper."""
    journal, present = stores.journal, told.present()
    entries = [each.fact.id for each in journal.latest(100, session_id) if not isinstance(each.fact, Undo)]
    if step == "all out":
        all_go(journal, session_id)
        told.lines.append(("out", None, False))
    elif isinstance(what, str):
        if step == "pass the door":
            step = "out" if what in present else "in"
        ask = arrivals.check_in if step == "in" else arrivals.check_out
        # Who leaves may have come in at another desk: that they do is always kept.
        changes = step == "out" or what not in present
        assert (ask(stores, session_id, b.arrival(what)).code in ("welcome", "noted", "checked_out")) == changes
        if changes:
            told.lines.append((step, what, False))
    elif isinstance(what, int) and what < len(entries):
        # The newest is what is undone most.
        line = len(told.lines) - 1 - what
        kind, who, struck = told.lines[line]
        if step == "undo":
            expected = "was_undone" if struck else "undone"
            assert undoing.undo(journal, entries[what], b.moment(), uuid7()) == expected
            told.lines[line] = (kind, who, True)
        elif who is not None:
            changes = (who in present) == (kind == "out")
            done = undoing.again(journal, entries[what], b.moment(), uuid7())
            assert done == (f"{kind}_again" if changes else {"in": "already_in", "out": "not_in"}[kind])
            if changes:
                told.lines.append((kind, who, False))


# --- pages


@pytest.fixture
def talk(app: Flask, folder: Path) -> FlaskClient:
    """A browser at a desk without a PIN, at a talk that people check out of."""
    stand_at(folder, TALK)
    return app.test_client()


def stand_at(folder: Path, session: Session, is_leaving: bool = False) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    roster.apply(b.page([session]))
    setting_up.choose_session(journal, roster, session.id, is_leaving)
    journal.close()
    roster.close()


def post(client: FlaskClient, path: str, **form: str) -> str:
    return client.post(path, data={"csrf_token": token(client), **form}, follow_redirects=True).text


def test_a_session_with_check_out_is_chosen_for_arriving_or_leaving(talk: FlaskClient) -> None:
    page = talk.get("/sessions").text
    assert f'name="session_id" value="{b.FAIR}"' in page
    assert f'name="leaving" value="{b.FAIR}"' in page
    # A session without check-out has one way only.
    assert f'name="leaving" value="{b.WORKSHOP}"' not in page
    assert f"/sessions/{b.FAIR}/check-outs" in post(talk, "/sessions", leaving=str(b.FAIR))
    assert f"/sessions/{b.FAIR}/check-ins" in post(talk, "/sessions", session_id=str(b.FAIR))


def test_nobody_is_checked_out_of_a_session_that_does_not_ask_for_it(talk: FlaskClient) -> None:
    assert f"/sessions/{b.WORKSHOP}/check-ins" in post(talk, "/sessions", leaving=str(b.WORKSHOP))


def test_the_leaving_desk_says_goodbye(talk: FlaskClient) -> None:
    post(talk, f"/sessions/{b.FAIR}/check-ins", identifier=b.ADA_SWIPE)
    assert "Leaving? Please check out." in post(talk, "/sessions", leaving=str(b.FAIR))
    assert "Goodbye, <bdi>Ada</bdi>!" in post(talk, f"/sessions/{b.FAIR}/check-outs", identifier=b.ADA_SCHOOL)


def test_everyone_out_asks_first_and_can_be_undone_from_the_list(talk: FlaskClient, folder: Path) -> None:
    for who in (b.ADA_SWIPE, b.BO):
        post(talk, f"/sessions/{b.FAIR}/check-ins", identifier=who)
    page = talk.get("/staff/everyone-out").text
    assert "<strong>2</strong>" in page
    assert "<form" not in page.partition("<main")[2]
    asked = talk.get("/staff/everyone-out?sure=ask").text
    intent_id = asked.partition('name="intent_id" value="')[2].partition('"')[0]
    form = {"session_id": str(b.FAIR), "intent_id": intent_id}
    assert "Everyone is checked out." in post(talk, "/staff/everyone-out", **form)
    post(talk, "/staff/everyone-out", **form)
    assert "<strong>0</strong>" in talk.get("/staff/everyone-out").text
    journal = Journal(folder / "journal.sqlite")
    kept = journal.latest(10)
    journal.close()
    assert [each.fact.__struct_config__.tag for each in kept] == ["check_out", "check_in", "check_in"]
    assert "Undone:" in post(talk, f"/staff/recent/{kept[0].fact.id}/undo")
    assert "<strong>2</strong>" in talk.get("/staff/everyone-out").text


def test_everyone_out_is_not_for_a_session_without_check_out(client: FlaskClient, folder: Path) -> None:
    assert "does not ask people to check out" in client.get("/staff/everyone-out").text
    for session_id, status in ((str(b.FAIR), 404), (str(uuid4()), 404), ("all of them", 400)):
        form = {"csrf_token": token(client), "session_id": session_id, "intent_id": str(uuid4())}
        assert client.post("/staff/everyone-out", data=form).status_code == status
    journal = Journal(folder / "journal.sqlite")
    assert journal.marks().head_seq == 0
    journal.close()
