"""Files to download, and the page of who did what: for whom they are, and how they come."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from werkzeug.test import TestResponse

from hub.actions import events, staff
from hub.actions.events import NewEvent
from hub.database import reading, writing
from hub.schema import audit_log, roles, students, users
from hub.store.events import Session
from hub.writers.workbook import LONGEST_CELL
from tests.hub.attendees.office import Office
from tests.hub.conftest import Institution
from tests.hub.exports.files import ON_SQLITE, register

pytestmark = ON_SQLITE

SignedIn = Callable[[str], FlaskClient]


@pytest.fixture
def signed_in(app: Flask, engine: Engine, institution: Institution, now: datetime) -> SignedIn:
    """A client of somebody with this role."""

    def start(role: str) -> FlaskClient:
        email = f"{role}@example.edu"
        staff.add(engine, institution.id, email, "no password opens this", role, "test", now)
        with reading(engine) as conn:
            key = conn.execute(select(users.c.fs_uniquifier).where(users.c.email == email)).scalar_one()
        client = app.test_client()
        # Signing in is tested elsewhere, and slow by design.
        with client.session_transaction() as session:
            session["_user_id"] = key
        return client

    return start


@pytest.fixture
def talk(office: Office, session: Session) -> Session:
    """An event that Ada was registered for."""
    office.student("Ada")
    register(office, session, "ada")
    return session


def get(client: FlaskClient, path: str) -> TestResponse:
    """The whole answer: as long as it is not read, a file is open."""
    return client.get(path, buffered=True)


def paths(talk: Session) -> dict[str, str]:
    return {
        **{each: f"/events/{talk.event_id}/attendees.{each}" for each in ("handshake", "csv", "xlsx")},
        "zip": f"/events/{talk.event_id}.zip",
        "students": "/students.csv",
        "students, xlsx": "/students.xlsx",
        "audit": "/audit",
    }


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("admin", set()),
        ("career_centre", {"audit"}),
        ("event_staff", {"audit", "students", "students, xlsx"}),
        ("a role of later", {"audit", "students", "students, xlsx", "handshake", "csv", "xlsx", "zip"}),
    ],
)
def test_each_role_may_do_what_is_said_of_it(talk: Session, signed_in: SignedIn, role: str, refused: set[str]) -> None:
    client = signed_in(role)
    answers = {name: get(client, path) for name, path in paths(talk).items()}
    assert {name for name, answer in answers.items() if answer.status_code == 403} == refused
    assert {answer.status_code for name, answer in answers.items() if name not in refused} <= {200}
    for name in refused:
        assert "Your role does not allow this" in answers[name].text


def test_a_stranger_is_sent_to_sign_in(client: FlaskClient, talk: Session) -> None:
    for path in paths(talk).values():
        answer = get(client, path)
        assert (answer.status_code, answer.headers["Location"].startswith("/login")) == (302, True)


def test_an_admin_of_before_there_were_roles_may_do_everything(
    engine: Engine, talk: Session, signed_in: SignedIn
) -> None:
    client = signed_in("admin")
    with writing(engine) as conn:
        conn.execute(update(roles).values(permissions=None))
    assert {get(client, path).status_code for path in paths(talk).values()} == {200}


def test_a_download_has_a_name_and_stays_in_no_cache(talk: Session, signed_in: SignedIn) -> None:
    client = signed_in("event_staff")
    expected = {
        "handshake": ("2026-11-21_a-talk_handshake.csv", "text/csv; charset=utf-8"),
        "csv": ("2026-11-21_a-talk_attendees.csv", "text/csv; charset=utf-8"),
        "xlsx": (
            "2026-11-21_a-talk_attendees.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        "zip": ("2026-11-21_a-talk_event.zip", "application/zip"),
    }
    for name, (file, kind) in expected.items():
        answer = get(client, paths(talk)[name])
        assert answer.headers["Content-Disposition"] == f"attachment; filename={file}"
        assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (kind, "no-store")
        assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_it_comes_in_the_language_and_with_the_delimiter_that_was_chosen(
    engine: Engine, institution: Institution, now: datetime, signed_in: SignedIn
) -> None:
    client = signed_in("event_staff")
    ete = events.create(engine, institution.id, NewEvent("event", "Soirée d’été: l'œuvre", now, now), now)
    answer = get(client, f"/events/{ete.event_id}/attendees.csv?delimiter=semicolon&lang=fr")
    assert answer.data.startswith("\ufeffSéance;Nom d’utilisateur;".encode())
    said = answer.headers["Content-Disposition"]
    assert "filename*=UTF-8''2026-11-21_soir%C3%A9e-d-%C3%A9t%C3%A9-l-%C5%93uvre_participants.csv" in said
    assert said.isascii()
    assert get(client, f"/events/{ete.event_id}/attendees.csv?delimiter=tab").status_code == 400
    with ZipFile(io.BytesIO(get(client, f"/events/{ete.event_id}.zip?lang=fr").data)) as archive:
        assert archive.testzip() is None
        assert any(name.endswith("/LISEZMOI.txt") for name in archive.namelist())


def test_an_event_of_nobody_here_is_not_found(
    engine: Engine, other_institution: Institution, now: datetime, signed_in: SignedIn
) -> None:
    client = signed_in("admin")
    theirs = events.create(engine, other_institution.id, NewEvent("event", "A gala", now, now), now)
    for event_id in (theirs.event_id, uuid4()):
        for path in (f"/events/{event_id}/attendees.csv", f"/events/{event_id}.zip"):
            assert get(client, path).status_code == 404


def test_what_no_workbook_holds_is_refused_with_the_way_out(engine: Engine, talk: Session, signed_in: SignedIn) -> None:
    with writing(engine) as conn:
        conn.execute(update(students).values(preferred_name="A" * (LONGEST_CELL + 1)))
    client = signed_in("event_staff")
    answer = get(client, paths(talk)["xlsx"])
    assert answer.status_code == 422
    assert "Download it as CSV" in answer.text
    assert get(client, paths(talk)["csv"]).status_code == 200


def test_without_room_nothing_is_downloaded(talk: Session, signed_in: SignedIn, tmp_path: Path) -> None:
    client = signed_in("event_staff")
    client.application.extensions["hub_config"] = replace(
        client.application.extensions["hub_config"], data_dir=tmp_path / "hub.sqlite"
    )
    answer = get(client, paths(talk)["csv"])
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text


def test_what_cannot_be_written_down_is_not_downloaded(engine: Engine, talk: Session, signed_in: SignedIn) -> None:
    client = signed_in("career_centre")
    with writing(engine) as conn:
        audit_log.drop(conn)
    for name in ("handshake", "csv", "xlsx", "zip", "students"):
        answer = get(client, paths(talk)[name])
        assert answer.status_code == 503
        assert "ada@" not in answer.text


def test_the_log_says_who_did_what_in_both_languages(talk: Session, signed_in: SignedIn) -> None:
    get(signed_in("event_staff"), paths(talk)["zip"])
    admin = signed_in("admin")
    english, french = get(admin, "/audit?lang=en").text, get(admin, "/audit?lang=fr").text
    assert "Let somebody sign in" in english
    assert "Exported a whole event" in english
    assert f'<a href="/events/{talk.event_id}?lang=en">' in english
    assert "event_staff@example.edu" in english
    assert "A exporté un événement entier" in french


def test_pages_offer_what_one_may_have(talk: Session, signed_in: SignedIn) -> None:
    staff, centre, admin = (signed_in(role) for role in ("event_staff", "career_centre", "admin"))
    assert all(paths(talk)[each] in get(staff, f"/events/{talk.event_id}").text for each in ("handshake", "csv", "zip"))
    assert ["/students.csv" in get(each, "/imports").text for each in (staff, centre, admin)] == [False, True, True]
    assert ['href="/audit"' in get(each, "/").text for each in (staff, centre, admin)] == [False, False, True]
