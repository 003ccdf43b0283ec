"""What waits for a decision is listed with what was given at the desk, and counts once somebody has decided."""

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.actions import attendance, events, parked
from hub.actions.events import NewEvent
from hub.actions.parked import Moved
from hub.database import reading, writing
from hub.errors import HubRefused, UnknownSession, UnknownStudent
from hub.schema import facts as table
from hub.store import facts
from hub.store.events import Session
from sync.messages import CheckIn
from sync.seals import seal_to_hub
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, at, student, username


def counted(engine: Engine, institution: Institution, session: Session) -> tuple[int, int]:
    found = attendance.count(engine, institution.id, session.id).count
    return found.checked_in, found.parked


def test_what_was_typed_at_the_desk_is_told_and_whose_it_is_can_be_decided(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    ada = username(engine, student(engine, institution.id, "Ada"))
    fact = desk.note(session.id, "The.Countess@mailbox.example")
    desk.hand_over(client)
    (waiting,) = parked.everything(engine, institution.id)
    assert (waiting.typed, waiting.name, waiting.reason) == ("The.Countess@mailbox.example", None, "unknown_address")
    assert waiting.session == session.name

    parked.settle(engine, institution.id, fact.id, ada)
    assert counted(engine, institution, session) == (1, 0)
    assert parked.everything(engine, institution.id) == []
    with pytest.raises(HubRefused):
        parked.settle(engine, institution.id, fact.id, ada)


def test_a_walk_in_by_name_alone_is_told_by_name(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    sealed = seal_to_hub(desk.hub_key, None, "Dita Dvořáčková")
    fact = CheckIn(
        id=uuid7(),
        session_id=session.id,
        method="staff",
        at=at(),
        roster_position=1,
        tag=b"12345678",
        sealed_identifier=sealed,
    )
    desk.make(fact)
    desk.hand_over(client)
    (waiting,) = parked.everything(engine, institution.id, session.id)
    assert (waiting.typed, waiting.name) == (None, "Dita Dvořáčková")
    parked.settle(engine, institution.id, fact.id, username(engine, student(engine, institution.id, "Dita")))
    assert counted(engine, institution, session) == (1, 0)


def test_an_archived_student_counts_when_somebody_says_so(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    bo = student(engine, institution.id, "Bo", disabled=True)
    fact = desk.check_in(session.id, bo)
    desk.hand_over(client)
    (waiting,) = parked.everything(engine, institution.id)
    assert waiting.username is not None
    parked.settle(engine, institution.id, fact.id, waiting.username)
    assert counted(engine, institution, session) == (1, 0)


def test_a_check_in_at_a_session_that_is_none_is_given_one(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    ada = username(engine, student(engine, institution.id, "Ada"))
    fact = desk.note(uuid7(), "ada@example.edu")
    desk.hand_over(client)
    assert [each.session for each in parked.everything(engine, institution.id)] == [None]
    with pytest.raises(UnknownSession):
        parked.settle(engine, institution.id, fact.id, ada)
    parked.settle(engine, institution.id, fact.id, ada, session.id)
    assert counted(engine, institution, session) == (1, 0)


def test_what_was_taken_back_waits_no_longer_and_a_settled_one_can_be_taken_back(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    taken_back = desk.note(session.id, "cem@mailbox.example")
    settled = desk.note(session.id, "ada@mailbox.example")
    desk.undo(session.id, [taken_back.id])
    desk.hand_over(client)
    assert [each.id for each in parked.everything(engine, institution.id)] == [settled.id]
    parked.settle(engine, institution.id, settled.id, username(engine, student(engine, institution.id, "Ada")))
    desk.undo(session.id, [settled.id])
    desk.hand_over(client, first=4)
    assert counted(engine, institution, session) == (0, 0)


def test_what_came_for_a_session_that_is_none_is_judged_again_for_another_one(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    bo = student(engine, institution.id, "Bo", disabled=True)
    cem = student(engine, institution.id, "Cem", confirmed=["cem@example.edu"])
    gone = uuid7()
    desk.check_in(gone, ada)
    desk.note(gone, "ada@example.edu")
    desk.check_in(gone, bo)
    desk.note(gone, "dita@elsewhere.example")
    desk.check_in(gone, dita := uuid7())
    desk.undo(gone, [desk.check_in(gone, cem).id])
    desk.check_out(gone, None)
    elsewhere = desk.check_in(uuid7(), cem)
    desk.hand_over(client)

    assert parked.move(engine, institution.id, gone, session.id) == Moved(counted=3, parked=3)

    assert counted(engine, institution, session) == (1, 3)
    waiting = [(each.reason, each.session) for each in parked.everything(engine, institution.id)]
    assert sorted(waiting, key=str) == [
        ("disabled", session.name),
        ("unknown_address", session.name),
        ("unknown_address", session.name),
        ("unknown_session", None),
    ]
    assert parked.move(engine, institution.id, gone, session.id) == Moved(counted=0, parked=0)
    with pytest.raises(UnknownSession):
        parked.move(engine, institution.id, elsewhere.session_id, uuid7())
    # Whose address it is, and who the unknown student was, is found out as if they had come to this session at once.
    with writing(engine) as conn:
        facts.settle_claims(conn, institution.id, {"dita@elsewhere.example": ada, facts.claim_of(dita): cem})
    assert counted(engine, institution, session) == (2, 1)


def test_what_waits_for_something_else_is_not_moved(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    other = events.create(engine, institution.id, NewEvent("event", "Another talk", now, now), now).sessions[0]
    desk.note(session.id, "dita@elsewhere.example")
    desk.hand_over(client)
    assert parked.move(engine, institution.id, session.id, other.id) == Moved(counted=0, parked=0)
    assert counted(engine, institution, session) == (0, 1)


def test_a_move_takes_more_than_one_push_and_nobody_elses(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    other_institution: Institution,
    session: Session,
    desk: Desk,
) -> None:
    ada, gone = student(engine, institution.id, "Ada"), uuid7()
    for first in (1, 151):
        for _ in range(150):
            desk.check_in(gone, ada)
        desk.hand_over(client, first)
    with pytest.raises(UnknownSession):
        parked.move(engine, other_institution.id, gone, session.id)
    assert parked.move(engine, institution.id, gone, session.id) == Moved(counted=300, parked=0)
    assert counted(engine, institution, session) == (1, 0)
    with reading(engine) as conn:
        verdicts = list(conn.execute(sa.select(table.c.verdict)).scalars())
    assert (verdicts.count("counted"), verdicts.count("already_present")) == (1, 299)


def test_nobody_and_another_institutions_facts_are_refused(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    other_institution: Institution,
    session: Session,
    desk: Desk,
) -> None:
    fact = desk.note(session.id, "ada@mailbox.example")
    desk.hand_over(client)
    with pytest.raises(UnknownStudent):
        parked.settle(engine, institution.id, fact.id, "nobody")
    assert parked.everything(engine, other_institution.id) == []
    with pytest.raises(HubRefused):
        parked.settle(engine, other_institution.id, fact.id, "nobody")


def test_the_commands_list_and_settle(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, command: Command
) -> None:
    ada = username(engine, student(engine, institution.id, "Ada"))
    fact = desk.note(session.id, "ada@mailbox.example")
    desk.hand_over(client)
    (told,) = command.ask("parked", "list", session.id)["parked"]
    assert (told["id"], told["typed"], told["reason"]) == (str(fact.id), "ada@mailbox.example", "unknown_address")
    assert "ada@mailbox.example: nobody has this address" in command.run("parked", "list").stderr
    assert command.ask("parked", "settle", fact.id, ada) == {"id": str(fact.id), "username": ada}
    assert command.run("parked", "list").stderr.strip() == "Nothing waits."


def test_the_command_moves_and_says_how_many(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, command: Command
) -> None:
    gone = uuid7()
    desk.check_in(gone, student(engine, institution.id, "Ada"))
    desk.note(gone, "dita@elsewhere.example")
    desk.hand_over(client)
    told = command.ask("parked", "move", gone, session.id)
    assert told == {"session_id": str(session.id), "counted": 1, "parked": 1}
    assert "Nothing waits" in command.run("parked", "move", gone, session.id).stderr
    assert command.run("parked", "move", gone, uuid7()).exit_code == 1
