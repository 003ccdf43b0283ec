"""What an organiser says about a session reaches its desks: next steps, lists, check-out, opening times, kiosks."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.actions import events, kiosks, registrations, students
from hub.actions.events import SessionChanges
from hub.errors import HubRefused, UnknownKiosk, UnknownSession
from hub.store.events import Session
from sync.messages import Assignment
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk
from tests.hub.roster_view import view
from tests.hub.students.desk import ADA, BO, CEM, Office


def test_a_session_says_nothing_special_until_somebody_does(
    engine: Engine, institution: Institution, session: Session, desk: Desk
) -> None:
    told = view(engine, institution.id).session(session.id)
    assert (told.next_step, told.listed, told.check_out, told.opens, told.closes) == ({}, False, False, None, None)


def test_what_is_said_reaches_the_desks_as_moments_and_texts(
    engine: Engine, institution: Institution, session: Session, desk: Desk, command: Command
) -> None:
    said = ("--next-step", "Room B", "--next-step-fr", "Salle B", "--check-out", "--listed")
    answer = command.ask("events", "set", session.id, *said, "--opens-before", 30, "--closes-after", 0)
    assert answer == {
        "id": str(session.id),
        "name": "A talk",
        "starts": "2026-11-21T08:00:00Z",
        "ends": "2026-11-21T12:00:00Z",
        "next_step": {"en": "Room B", "fr": "Salle B"},
        "listed": True,
        "check_out": True,
        "opens_before": 30,
        "closes_after": 0,
        "external_id": None,
    }
    assert command.ask("events", "list")["events"][0]["sessions"] == [answer]
    told = view(engine, institution.id).session(session.id)
    assert told.next_step == {"en": "Room B", "fr": "Salle B"}
    assert (told.listed, told.check_out) == (True, True)
    assert (told.opens, told.closes) == (session.starts - timedelta(minutes=30), session.ends)


def test_what_is_not_said_stays_and_everything_can_be_taken_back(
    engine: Engine, institution: Institution, session: Session, desk: Desk, command: Command
) -> None:
    everything = ("--next-step", "Room B", "--next-step-fr", "Salle B", "--check-out", "--listed")
    command.ask("events", "set", session.id, *everything, "--opens-before", 30, "--closes-after", 15)
    left = command.ask("events", "set", session.id, "--next-step", " ", "--opens-any")
    assert (left["next_step"], left["opens_before"], left["closes_after"]) == ({"fr": "Salle B"}, None, 15)
    assert (left["check_out"], left["listed"]) == (True, True)
    none = ("--next-step-fr", "", "--no-check-out", "--open-to-all", "--closes-any")
    assert command.ask("events", "set", session.id, *none) == command.ask("events", "set", session.id)
    assert events.everything(engine, institution.id)[0].sessions == [session]


def test_a_session_moves_in_the_feed_only_when_something_changed(
    engine: Engine, institution: Institution, session: Session, desk: Desk
) -> None:
    def position() -> int:
        return view(engine, institution.id).session(session.id).position

    first = position()
    changes = SessionChanges({"en": "Room B"}, {"listed": True})
    events.change(engine, institution.id, session.id, changes)
    moved = position()
    events.change(engine, institution.id, session.id, changes)
    assert first < moved == position()


@pytest.mark.parametrize(
    ("said", "why", "status"),
    [
        (("--next-step", "x" * 201), "200 characters", 1),
        (("--next-step", "one\ntwo"), "one line", 1),
        (("--opens-before", "-1"), "--opens-before", 2),
        (("--opens-before", "5", "--opens-any"), "not both", 2),
        (("--closes-after", "5", "--closes-any"), "not both", 2),
    ],
)
def test_what_cannot_be_said_of_a_session_is_refused_with_its_reason(
    command: Command, session: Session, said: tuple[str, ...], why: str, status: int
) -> None:
    before = command.ask("events", "set", session.id)
    result = command.run("events", "set", session.id, *said)
    assert (result.exit_code, why in result.stderr) == (status, True)
    assert command.ask("events", "set", session.id) == before


def test_an_unknown_session_can_be_neither_set_nor_registered_for(
    engine: Engine, institution: Institution, other_institution: Institution, session: Session, now: datetime
) -> None:
    for institution_id, session_id in ((institution.id, uuid7()), (other_institution.id, session.id)):
        with pytest.raises(UnknownSession):
            events.change(engine, institution_id, session_id, SessionChanges())
        with pytest.raises(UnknownSession):
            registrations.register(engine, institution_id, session_id, ["ada"], now)
        with pytest.raises(UnknownSession):
            registrations.unregister(engine, institution_id, session_id, ["ada"])


# --- registrations -------------------------------------------------------------------------------


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    office = Office(engine, institution.id, tmp_path, now)
    office.rows({**ADA, "additional_email_addresses": "al@example.edu"}, BO, {**CEM, "disabled": "TRUE"})
    return office


def registered(office: Office, session: Session) -> list[str]:
    told = view(office.engine, office.institution_id).people
    return [name for name in ("ada", "bo", "cem") if session.id in told[_id(office, name)].registered]


def _id(office: Office, username: str) -> UUID:
    found = office.field(username, "id")
    assert isinstance(found, UUID)
    return found


def test_students_are_registered_by_username_and_by_any_school_address(
    office: Office, session: Session, desk: Desk, command: Command
) -> None:
    answer = command.ask("events", "register", session.id, "ada", "BO@Example.edu", "al@example.edu")
    assert answer == {"session_id": str(session.id), "registered": 2, "already": 1, "failed": []}
    assert registered(office, session) == ["ada", "bo"]
    assert command.ask("count", session.id)["registered"] == 2
    assert command.ask("events", "register", session.id, "bo")["already"] == 1


def test_of_a_list_every_line_that_names_nobody_comes_back_and_the_rest_is_done(
    office: Office, session: Session, desk: Desk, command: Command, tmp_path: Path
) -> None:
    students.add_email(office.engine, office.institution_id, "bo", "bo@gmail.com", True, office.now)
    file = tmp_path / "list.txt"
    lines = ["\ufeffada", "", "nobody", "bo@gmail.com", "  cem  ", "a\x00b", "=cmd|' /C calc'!A0", "bo", "x" * 5_000]
    file.write_text("\r\n".join(lines), "utf-8", newline="")
    answer = command.ask("events", "register", session.id, "--file", file)
    assert (answer["registered"], answer["already"]) == (2, 0)
    assert [(each["line"], each["reason"]) for each in answer["failed"]] == [
        (3, "unknown"),
        (4, "not_a_school_address"),
        (5, "archived"),
        (6, "unknown"),
        (7, "unknown"),
        (9, "unknown"),
    ]
    assert registered(office, session) == ["ada", "bo"]
    assert (
        "line 4, bo@gmail.com: this is an additional address"
        in command.run("events", "register", session.id, "bo@gmail.com", "x", "y", "bo@gmail.com").stderr
    )


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff\xfea\x00", "not UTF-8"), (b"a\n" * 2_500_001, "larger than 5 MB")]
)
def test_a_list_that_cannot_be_read_is_refused_whole(
    office: Office, session: Session, command: Command, tmp_path: Path, content: bytes, why: str
) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(content)
    result = command.run("events", "register", session.id, "--file", file)
    assert (result.exit_code, why in result.stderr) == (2, True)


def test_a_list_is_given_in_one_way_and_must_be_there(office: Office, session: Session, command: Command) -> None:
    assert command.run("events", "register", session.id).exit_code == 2
    assert command.run("events", "register", session.id, "ada", "--file", "x").exit_code == 2
    missing = command.run("events", "register", session.id, "--file", office.folder / "nowhere")
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)


def test_a_registration_is_taken_back_and_who_had_none_comes_back(
    office: Office, session: Session, desk: Desk, command: Command
) -> None:
    command.ask("events", "register", session.id, "ada", "bo")
    answer = command.ask("events", "unregister", session.id, "ada@example.edu", "cem", "nobody")
    assert answer == {
        "session_id": str(session.id),
        "unregistered": 1,
        "failed": [
            {"line": 2, "who": "cem", "reason": "not_registered"},
            {"line": 3, "who": "nobody", "reason": "unknown"},
        ],
    }
    assert registered(office, session) == ["bo"]


def test_students_of_another_institution_are_nobody_here(
    office: Office, other_institution: Institution, session: Session, now: datetime
) -> None:
    elsewhere = Office(office.engine, other_institution.id, office.folder, now)
    elsewhere.rows({**BO, "username": "zed", "email_address": "zed@elsewhere.edu"})
    done = registrations.register(office.engine, office.institution_id, session.id, ["zed", "zed@elsewhere.edu"], now)
    assert [each.reason for each in done.failed] == ["unknown", "unknown"]


# --- assignment ----------------------------------------------------------------------------------


def test_a_kiosk_hears_of_its_assignment_with_every_push_and_each_has_a_greater_number(
    client: FlaskClient, institution: Institution, session: Session, desk: Desk, command: Command
) -> None:
    assert desk.hand_over(client).assignment is None
    heard = []
    for number in (1, 2):
        answer = command.ask("kiosks", "assign", desk.kiosk_id, session.id)
        assert answer == {"id": str(desk.kiosk_id), "session_id": str(session.id), "assignment": number}
        heard += [desk.hand_over(client).assignment, desk.hand_over(client).assignment]
    assert heard == [Assignment(session_id=session.id, number=number) for number in (1, 1, 2, 2)]
    assert command.ask("kiosks", "list")["kiosks"][0]["session_id"] == str(session.id)
    assert "at A talk" in command.run("kiosks", "list").stderr


def test_only_a_kiosk_in_use_is_assigned_and_only_to_a_session_of_its_own(
    engine: Engine,
    institution: Institution,
    other_institution: Institution,
    session: Session,
    desk: Desk,
    now: datetime,
) -> None:
    with pytest.raises(UnknownKiosk):
        kiosks.assign(engine, other_institution.id, desk.kiosk_id, session.id)
    with pytest.raises(UnknownSession):
        kiosks.assign(engine, institution.id, desk.kiosk_id, uuid7())
    kiosks.revoke(engine, institution.id, desk.kiosk_id, now)
    with pytest.raises(HubRefused, match="cut off"):
        kiosks.assign(engine, institution.id, desk.kiosk_id, session.id)
    assert kiosks.everyone(engine, institution.id)[0].session_id is None
