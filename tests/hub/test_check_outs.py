"""Leaving, and rehearsing: kept like every fact, and who is inside is counted from them."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from uuid_utils.compat import uuid7

from hub.actions import attendance, events, students
from hub.actions.events import SessionChanges
from hub.database import reading, writing
from hub.schema import facts
from hub.schema import students as people
from hub.store.attendance import Count
from hub.store.events import Session
from sync.identifiers import Card
from sync.messages import CheckIn
from sync.seals import seal_to_hub
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, at, enrolled, student

EARLIER, LATER, LAST = at(since_boot_ms=1_000), at(since_boot_ms=2_000), at(since_boot_ms=3_000)


@pytest.fixture
def reception(engine: Engine, institution: Institution, session: Session) -> Session:
    """A session that asks people to check out."""
    return events.change(engine, institution.id, session.id, SessionChanges(settings={"check_out": True}))


def numbers(engine: Engine, institution: Institution, session: Session) -> Count:
    return attendance.count(engine, institution.id, session.id).count


def verdicts(desk: Desk, client: FlaskClient) -> list[str]:
    return [receipt.verdict for receipt in desk.hand_over(client).receipts]


def test_who_checks_out_is_inside_no_more_and_stays_counted(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada, bo = (student(engine, institution.id, name) for name in ("Ada", "Bo"))
    desk.check_in(reception.id, ada, EARLIER)
    desk.check_in(reception.id, bo, EARLIER)
    desk.check_out(reception.id, ada, LATER)
    assert verdicts(desk, client) == ["counted", "counted", "applied"]
    assert numbers(engine, institution, reception) == Count(checked_in=2, inside=1)


def test_who_comes_back_is_inside_again_and_counts_once(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada")
    desk.check_in(reception.id, ada, EARLIER)
    desk.check_out(reception.id, ada, LATER)
    desk.check_in(reception.id, ada, LAST)
    assert verdicts(desk, client) == ["counted", "applied", "already_present"]
    assert numbers(engine, institution, reception) == Count(checked_in=1, inside=1)


def test_it_is_the_moment_that_decides_and_not_the_order_of_arrival(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk, now: datetime
) -> None:
    ada, other = student(engine, institution.id, "Ada"), enrolled(engine, institution.id, now, "Back door")
    other.check_out(reception.id, ada, LATER)
    desk.check_in(reception.id, ada, EARLIER)
    other.hand_over(client)
    desk.hand_over(client)
    assert numbers(engine, institution, reception) == Count(checked_in=1, inside=0)


def test_everyone_out_empties_the_session_but_not_for_who_comes_later(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada, bo, cem = (student(engine, institution.id, name) for name in ("Ada", "Bo", "Cem"))
    desk.check_in(reception.id, ada, EARLIER)
    desk.check_in(reception.id, bo, EARLIER)
    out = desk.check_out(reception.id, None, LATER)
    desk.check_in(reception.id, cem, LAST)
    assert verdicts(desk, client)[2] == "applied"
    assert numbers(engine, institution, reception) == Count(checked_in=3, inside=1)
    desk.undo(reception.id, [out.id])
    desk.hand_over(client)
    assert numbers(engine, institution, reception) == Count(checked_in=3, inside=3)


def test_a_check_out_taken_back_never_was(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada")
    desk.check_in(reception.id, ada, EARLIER)
    desk.undo(reception.id, [desk.check_out(reception.id, ada, LATER).id])
    desk.hand_over(client)
    assert numbers(engine, institution, reception) == Count(checked_in=1, inside=1)


def test_who_never_came_is_not_inside_for_having_left(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    desk.check_out(reception.id, student(engine, institution.id, "Ada"))
    assert verdicts(desk, client) == ["applied"]
    assert numbers(engine, institution, reception) == Count(inside=0)


def test_a_session_that_asks_nobody_to_check_out_tells_no_number_inside(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.hand_over(client)
    assert numbers(engine, institution, session) == Count(checked_in=1, inside=None)


def test_one_session_empties_without_the_other(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk, now: datetime
) -> None:
    fair = events.create(engine, institution.id, events.NewEvent("event", "Fair", now, now), now).sessions[0]
    events.change(engine, institution.id, fair.id, SessionChanges(settings={"check_out": True}))
    ada = student(engine, institution.id, "Ada")
    for each in (reception, fair):
        desk.check_in(each.id, ada, EARLIER)
    desk.check_out(reception.id, None, LATER)
    desk.hand_over(client)
    today = attendance.today(engine, institution.id, now.date(), ZoneInfo("UTC"))
    assert {each.id: count.inside for each, count in today.sessions} == {reception.id: 0, fair.id: 1}


def test_an_archived_student_who_was_not_let_in_is_not_inside(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    desk.check_in(reception.id, student(engine, institution.id, "Cem", disabled=True))
    assert verdicts(desk, client) == ["parked:disabled"]
    assert numbers(engine, institution, reception) == Count(parked=1, inside=0)


def test_an_archived_student_may_leave(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    cem = student(engine, institution.id, "Cem")
    desk.check_in(reception.id, cem, EARLIER)
    desk.hand_over(client)
    with writing(engine) as conn:
        conn.execute(people.update().where(people.c.id == cem).values(disabled=True))
    desk.check_out(reception.id, cem, LATER)
    assert verdicts(desk, client)[-1] == "applied"
    assert numbers(engine, institution, reception) == Count(checked_in=1, inside=0)


@pytest.mark.parametrize("ref", [uuid7(), None], ids=["somebody", "everyone"])
def test_leaving_an_unknown_session_is_parked(
    client: FlaskClient, institution: Institution, desk: Desk, ref: UUID | None
) -> None:
    desk.check_out(uuid7(), ref)
    assert verdicts(desk, client) == ["parked:unknown_session"]


def test_whom_nobody_knows_is_parked_and_is_not_one_more_to_be_looked_at(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    desk.note(reception.id, "nobody@gmail.com")
    desk.note_leaving(reception.id, "nobody@gmail.com")
    desk.check_out(reception.id, uuid7())
    assert verdicts(desk, client) == ["parked:unknown_address"] * 3
    assert numbers(engine, institution, reception) == Count(parked=1, inside=0)


def test_a_check_out_under_an_address_is_settled_together_with_its_check_in(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk, now: datetime
) -> None:
    dita = student(engine, institution.id, "Dita", pending=["dita@gmail.com"])
    with reading(engine) as conn:
        username = conn.execute(select(people.c.username).where(people.c.id == dita)).scalar_one()
    check_in = desk.note(reception.id, "dita@gmail.com")
    check_out = desk.note_leaving(reception.id, "Dita@gmail.com", LAST)
    assert verdicts(desk, client) == ["parked:unconfirmed_address"] * 2
    students.add_email(engine, institution.id, username, "dita@gmail.com", True, now)
    with reading(engine) as conn:
        settled = conn.execute(select(facts.c.id, facts.c.verdict, facts.c.student_id).order_by(facts.c.seq)).all()
    assert settled == [(check_in.id, "counted", dita), (check_out.id, "applied", dita)]
    assert numbers(engine, institution, reception).checked_in == 1


def test_a_check_out_under_a_confirmed_address_is_that_students(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada", confirmed=["ada@gmail.com"])
    desk.check_in(reception.id, ada, EARLIER)
    desk.note_leaving(reception.id, "ADA@gmail.com", LATER)
    assert verdicts(desk, client) == ["counted", "applied"]
    assert numbers(engine, institution, reception) == Count(checked_in=1, inside=0)


def test_a_rehearsal_is_applied_anywhere_and_appears_in_no_number(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    desk.check_in(reception.id, student(engine, institution.id, "Ada"), EARLIER)
    desk.hand_over(client)
    before = numbers(engine, institution, reception)
    desk.rehearse(reception.id)
    desk.rehearse(uuid7())
    assert verdicts(desk, client)[1:] == ["applied", "applied"]
    assert numbers(engine, institution, reception) == before == Count(checked_in=1, inside=1)
    with reading(engine) as conn:
        kinds = conn.execute(select(facts.c.kind).order_by(facts.c.seq)).scalars().all()
    assert kinds == ["check_in", "rehearsal", "rehearsal"]


def test_whom_staff_entered_by_name_alone_is_kept_for_the_office(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    for identifier in (None, Card("0012341234")):
        sealed = seal_to_hub(desk.hub_key, identifier, name="Grace Hopper")
        fact = CheckIn(
            id=uuid7(), session_id=reception.id, method="staff", at=at(), roster_position=1, sealed_identifier=sealed
        )
        desk.make(fact)
    assert verdicts(desk, client) == ["parked:unknown_address"] * 2
    assert numbers(engine, institution, reception).parked == 2


def test_the_same_facts_again_change_nothing(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada")
    desk.check_in(reception.id, ada, EARLIER)
    desk.check_out(reception.id, ada, LATER)
    desk.rehearse(reception.id)
    assert desk.hand_over(client).receipts == desk.hand_over(client).receipts


def test_the_stamp_of_the_page_changes_with_who_is_inside(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada")
    desk.check_in(reception.id, ada, EARLIER)
    desk.hand_over(client)
    before = attendance.stamp(engine, institution.id)
    desk.check_out(reception.id, ada, LATER)
    desk.hand_over(client)
    left = attendance.stamp(engine, institution.id)
    events.change(engine, institution.id, reception.id, SessionChanges(settings={"check_out": False}))
    assert len({before, left, attendance.stamp(engine, institution.id)}) == 3


def test_the_command_counts_who_is_inside(
    engine: Engine, client: FlaskClient, institution: Institution, reception: Session, desk: Desk, command: Command
) -> None:
    desk.check_in(reception.id, student(engine, institution.id, "Ada"))
    desk.hand_over(client)
    told = command.ask("count", reception.id)
    assert (told["checked_in"], told["inside"]) == (1, 1)
    in_words = command.run("count", reception.id).stderr
    assert "1 at the hub, 1 inside now" in in_words
    assert "to wait at 1 kiosk\n" in in_words
