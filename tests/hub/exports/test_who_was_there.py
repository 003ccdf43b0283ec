"""Who was at an event, in files: for people, and as Handshake imports it."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from hub.actions import attendance, events, merging
from hub.actions.events import SessionChanges
from hub.actions.exports import Export, attendees
from hub.database import writing
from hub.errors import HubRefused, UnknownEvent
from hub.schema import addresses
from hub.store.events import Session
from tests.hub.attendees.office import Office, as_csv, said
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, at, enrolled
from tests.hub.exports.files import ON_SQLITE, records, register, table

# In a run of the kiosk that the hub never heard of, so that its own clock counts.
NINE, TEN, ELEVEN, NOON = (
    at(datetime(2025, 11, 21, hour, tzinfo=ZoneInfo("Europe/Paris")), boot="before") for hour in (9, 10, 11, 12)
)


@pytest.fixture
def fair(office: Office) -> list[Session]:
    """A fair with two sessions."""
    return office.event("career_fair", sessions=2)


def to_people(export: Export, session: Session, folder: Path) -> list[dict[str, str]]:
    attendees.write(export, session.event_id, "csv", folder / "out.csv")
    return records(folder / "out.csv")


def to_handshake(export: Export, session: Session, folder: Path) -> list[list[str]]:
    attendees.write(export, session.event_id, "handshake", folder / "out.csv")
    return table(folder / "out.csv")[1:]


def test_everybody_who_was_registered_or_came_is_in_it_once_for_each_session(
    client: FlaskClient, office: Office, export: Export, fair: list[Session], desk: Desk, now: datetime, tmp_path: Path
) -> None:
    morning, noon = fair
    ada, bo, _, dita, _ = (office.student(name) for name in ("Ada", "Bo", "Cem", "Dita", "Emil"))
    register(office, morning, "ada", "cem")
    back = enrolled(office.engine, office.institution_id, now, "Back door")
    back.check_in(morning.id, ada, TEN)
    desk.check_in(morning.id, ada, NINE)
    desk.check_in(morning.id, bo, NINE)
    desk.check_in(morning.id, bo, TEN)
    desk.check_in(noon.id, bo, ELEVEN)
    taken_back = desk.check_in(morning.id, dita, NINE)
    desk.undo(morning.id, [taken_back.id])
    desk.note(morning.id, "nobody@example.edu")
    back.hand_over(client)
    desk.hand_over(client)
    office.take(as_csv([said("emil@example.edu", "FALSE", "TRUE", "CareerFairSession", noon.id)]))

    rows = to_people(export, morning, tmp_path)
    assert [(row["Session"], row["Username"], row["Registered"], row["Checked in"], row["How"]) for row in rows] == [
        ("A day · 1", "ada", "yes", "yes", "email"),
        ("A day · 1", "bo", "no", "yes", "email"),
        ("A day · 1", "cem", "yes", "no", ""),
        ("A day · 2", "bo", "no", "yes", "email"),
        ("A day · 2", "emil", "no", "yes", "file"),
    ]
    # The first arrival, at whatever desk and in whatever order they came in; as clocks in Paris showed it.
    assert (rows[0]["Kiosk"], rows[0]["School email"]) == ("Front door", "ada@example.edu")
    nine, eleven = "2025-11-21T09:00:00+01:00", "2025-11-21T11:00:00+01:00"
    assert [row["First arrival"] for row in rows] == [nine, nine, "", eleven, ""]
    written = attendees.write(export, morning.event_id, "handshake", tmp_path / "h.csv")
    assert (written.rows, written.waiting, written.left_out, written.known_elsewhere) == (5, 1, 0, False)


def test_who_left_is_said_to_have_and_when_unless_they_came_back(
    client: FlaskClient, office: Office, export: Export, session: Session, desk: Desk, tmp_path: Path
) -> None:
    ada, bo, cem, dita = (office.student(name) for name in ("Ada", "Bo", "Cem", "Dita"))
    for each in (ada, bo, cem):
        desk.check_in(session.id, each, NINE)
    desk.check_out(session.id, ada, TEN)
    desk.check_out(session.id, bo, TEN)
    desk.check_out(session.id, None, ELEVEN)
    desk.check_in(session.id, bo, NOON)
    # Whoever never came does not come by leaving.
    desk.check_out(session.id, dita, NOON)
    desk.hand_over(client)
    rows = {row["Username"]: row["Checked out"] for row in to_people(export, session, tmp_path)}
    assert rows == {"ada": "2025-11-21T10:00:00+01:00", "bo": "", "cem": "2025-11-21T11:00:00+01:00"}


@ON_SQLITE
def test_a_person_who_was_two_students_is_one_and_an_archived_one_stays(
    client: FlaskClient, office: Office, export: Export, session: Session, desk: Desk, now: datetime, tmp_path: Path
) -> None:
    ada, twin = office.student("Ada"), office.student("Adah")
    desk.check_in(session.id, ada, TEN)
    desk.check_in(session.id, twin, NINE)
    desk.check_in(session.id, office.student("Cem", archived=True), NINE)
    desk.hand_over(client)
    merging.merge(office.engine, office.institution_id, "adah", "ada", now)
    assert [row[0] for row in to_handshake(export, session, tmp_path)] == ["ada@example.edu"]
    waiting = attendees.write(export, session.event_id, "csv", tmp_path / "again.csv").waiting
    assert waiting == attendance.count(office.engine, office.institution_id, session.id).count.parked == 1


@ON_SQLITE
def test_rule_73_the_file_for_handshake_has_exactly_its_headers_and_no_mark(
    office: Office, export: Export, session: Session, tmp_path: Path
) -> None:
    office.student("Ada")
    register(office, session, "ada")
    events.change(office.engine, office.institution_id, session.id, SessionChanges(external_id="4711"))
    written = attendees.write(export, session.event_id, "handshake", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (
        b"student_email_address,registered,checked_in,identifiable_type,identifiable_id,identifier\r\n"
        b"ada@example.edu,TRUE,FALSE,Event,4711,\r\n"
    )
    assert (written.name, written.known_elsewhere) == ("2026-11-21_a-talk_handshake.csv", True)


@ON_SQLITE
def test_rule_80_it_has_the_school_address_whatever_somebody_came_with(
    client: FlaskClient, office: Office, export: Export, session: Session, desk: Desk, tmp_path: Path
) -> None:
    new = "ada@students.example.edu"
    office.student("Ada", school=[new], additional=["ada@home.example"])
    with writing(office.engine) as conn:
        conn.execute(update(addresses).values(main=False))
        conn.execute(update(addresses).where(addresses.c.typed == new).values(main=True))
    desk.note(session.id, "ada@home.example")
    assert [each.verdict for each in desk.hand_over(client).receipts] == ["counted"]
    assert [row[:3] for row in to_handshake(export, session, tmp_path)] == [[new, "FALSE", "TRUE"]]
    assert [row["School email"] for row in to_people(export, session, tmp_path)] == [new]


@ON_SQLITE
def test_rule_42_a_fair_is_named_by_its_session_even_by_its_only_one(
    office: Office, export: Export, tmp_path: Path
) -> None:
    (only,) = office.event("career_fair", external_id="the fair")
    office.student("Ada")
    register(office, only, "ada")
    assert to_handshake(export, only, tmp_path)[0][3:] == ["CareerFairSession", str(only.id), ""]
    events.change(office.engine, office.institution_id, only.id, SessionChanges(external_id="815"))
    assert to_handshake(export, only, tmp_path)[0][3:] == ["CareerFairSession", "815", ""]


@ON_SQLITE
def test_an_event_that_another_system_knows_as_one_thing_has_each_person_once(
    office: Office, export: Export, tmp_path: Path
) -> None:
    morning, noon = office.event(sessions=2, external_id="4711")
    office.student("Ada")
    office.student("Bo")
    register(office, morning, "ada")
    register(office, noon, "ada", "bo")
    assert [(row[0], *row[3:5]) for row in to_handshake(export, morning, tmp_path)] == [
        ("ada@example.edu", "Event", "4711"),
        ("bo@example.edu", "Event", "4711"),
    ]


@pytest.mark.parametrize(("kind", "sessions"), [("career_fair", 2), ("event", 1), ("event", 2)])
@ON_SQLITE
def test_rule_81_what_came_out_changes_nothing_when_it_comes_in_again(
    client: FlaskClient, office: Office, desk: Desk, command: Command, tmp_path: Path, kind: str, sessions: int
) -> None:
    check_rule_81(client, office, desk, command, tmp_path, kind, sessions)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_rule_81_holds_on_postgresql_too(
    client: FlaskClient, office: Office, desk: Desk, command: Command, tmp_path: Path
) -> None:
    check_rule_81(client, office, desk, command, tmp_path, "career_fair", 2)


def check_rule_81(
    client: FlaskClient, office: Office, desk: Desk, command: Command, tmp_path: Path, kind: str, sessions: int
) -> None:
    its = office.event(kind, sessions)
    first, last = its[0], its[-1]
    ada, bo, _ = (office.student(name) for name in ("Ada", "Bo", "Cem"))
    register(office, first, "ada", "cem")
    desk.check_in(first.id, ada)
    desk.check_in(last.id, bo)
    desk.hand_over(client)
    out, again = tmp_path / "out.csv", tmp_path / "again.csv"
    export = ("export", "attendees", first.event_id, "--format")
    rows = command.ask(*export, "handshake", "-o", out)["rows"]
    people = command.run(*export, "csv").stdout_bytes
    came = command.ask("import", "attendees", out)
    assert (came["rows"], came["unchanged"], came["created"]) == (rows, rows, 0) == (3, 3, 0)
    command.ask(*export, "handshake", "-o", again)
    assert again.read_bytes() == out.read_bytes()
    assert command.run(*export, "csv").stdout_bytes == people


@ON_SQLITE
def test_an_event_of_nobody_here_is_unknown(
    office: Office, export: Export, other_institution: Institution, tmp_path: Path, now: datetime
) -> None:
    theirs = events.create(
        office.engine, other_institution.id, events.NewEvent("event", "A gala", now, now + timedelta(hours=1)), now
    )
    for event_id in (uuid4(), theirs.event_id):
        with pytest.raises(UnknownEvent, match="hub events list"):
            attendees.write(export, event_id, "csv", tmp_path / "out.csv")


@ON_SQLITE
def test_one_external_id_is_one_events(office: Office, session: Session) -> None:
    (fair,) = office.event("career_fair")
    (other,) = office.event()

    def call(which: Session, external_id: str) -> str | None:
        changes = SessionChanges(external_id=external_id)
        return events.change(office.engine, office.institution_id, which.id, changes).external_id

    assert call(session, " 4711 ") == "4711"
    assert call(fair, "4711") == "4711"  # A session of a fair is another thing than an event.
    with pytest.raises(HubRefused, match="4711"):
        call(other, "4711")
    with pytest.raises(HubRefused, match="one line"):
        call(other, "47\n11")
    assert call(session, "") is None
    assert call(other, "4711") == "4711"
