"""Signing in, and the page of today's events."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub.accounts import add_admin
from hub.actions import events, kiosks
from hub.actions.events import NewEvent, SessionChanges
from hub.database import writing
from hub.store.events import Session
from tests.hub.attendees.office import Office, row
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, at, student
from tests.hub.exports.files import ON_SQLITE

PASSWORD = "correct horse"


@pytest.fixture
def today(engine: Engine, institution: Institution) -> Session:
    now = datetime.now(UTC)
    talk = NewEvent("event", "A talk", now - timedelta(minutes=1), now + timedelta(minutes=1), capacity=80)
    return events.create(engine, institution.id, talk, now).sessions[0]


@pytest.fixture
def staff(app: Flask, engine: Engine, client: FlaskClient, institution: Institution, now: datetime) -> FlaskClient:
    """A client that has signed in."""
    with app.app_context(), writing(engine) as conn:
        add_admin(conn, institution.id, "ada@example.edu", PASSWORD, now)
    assert sign_in(client, "ada@example.edu", PASSWORD).status_code == 302
    return client


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    return found.group(1)


def sign_in(client: FlaskClient, email: str, password: str):  # type: ignore[no-untyped-def]
    form = {"email": email, "password": password, "csrf_token": token(client.get("/login").text)}
    return client.post("/login", data=form)


def test_without_signing_in_there_is_only_the_sign_in_page(client: FlaskClient) -> None:
    for path in ("/", "/live"):
        response = client.get(path)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/login")
    assert client.post("/login", data={"email": "a@b.c", "password": "x"}).status_code == 400


@ON_SQLITE
def test_no_browser_keeps_what_was_answered_to_somebody_who_signs_in_or_out(staff: FlaskClient) -> None:
    form = {"csrf_token": token(staff.get("/").text)}
    answers = [staff.get("/verify"), staff.post("/logout", data=form), staff.get("/login"), staff.post("/login")]
    assert [(each.status_code, each.headers["Cache-Control"]) for each in answers] == [
        (status, "no-store") for status in (200, 302, 200, 400)
    ]


@pytest.mark.parametrize(("email", "password"), [("ada@example.edu", "wrong"), ("nobody@example.edu", PASSWORD)])
def test_a_wrong_address_and_a_wrong_password_read_the_same(staff: FlaskClient, email: str, password: str) -> None:
    staff.post("/logout", data={"csrf_token": token(staff.get("/").text)})
    response = sign_in(staff, email, password)
    assert "That did not work. Check the address and the password, and try again." in response.text
    assert staff.get("/").status_code == 302


def test_signing_out_ends_it(staff: FlaskClient) -> None:
    page = staff.get("/").text
    assert staff.post("/logout").status_code == 400
    assert staff.post("/logout", data={"csrf_token": token(page)}).status_code == 302
    assert staff.get("/").status_code == 302


def test_the_page_shows_todays_sessions_with_their_counts_and_the_kiosks(
    engine: Engine, staff: FlaskClient, institution: Institution, today: Session, desk: Desk
) -> None:
    desk.check_in(today.id, student(engine, institution.id, "Ada"))
    desk.note(today.id, "nobody@example.edu")
    desk.check_in(today.id, student(engine, institution.id, "Bo"))
    desk.hand_over(staff, 1, 2)
    page = " ".join(staff.get("/").text.split())
    assert "A talk" in page
    assert "<strong>1</strong> <span>checked in</span>" in page
    assert "<dt>To be looked at</dt> <dd>1</dd>" in page
    assert "<dt>Capacity</dt> <dd>80</dd>" in page
    assert "Front door" in page
    assert "1 check-in" in page


def test_the_live_part_is_a_304_until_something_changed(
    engine: Engine, staff: FlaskClient, institution: Institution, today: Session, desk: Desk
) -> None:
    first = staff.get("/live")
    tag = first.headers["ETag"]
    assert staff.get("/live", headers={"If-None-Match": tag}).status_code == 304
    desk.check_in(today.id, student(engine, institution.id, "Ada"))
    desk.hand_over(staff)
    changed = staff.get("/live", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert "<strong>1</strong>" in changed.text


def test_the_page_says_who_is_inside_where_people_check_out_and_keeps_up_with_it(
    engine: Engine, staff: FlaskClient, institution: Institution, today: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada")
    desk.check_in(today.id, ada, at(since_boot_ms=1_000))
    desk.hand_over(staff)
    assert "Inside now" not in staff.get("/").text
    events.change(engine, institution.id, today.id, SessionChanges(settings={"check_out": True}))
    first = staff.get("/live")
    assert "<dt>Inside now</dt> <dd>1</dd>" in " ".join(first.text.split())
    desk.check_out(today.id, ada, at(since_boot_ms=2_000))
    desk.hand_over(staff)
    changed = staff.get("/live?lang=fr", headers={"If-None-Match": first.headers["ETag"]})
    assert "<dt>À l’intérieur</dt> <dd>0</dd>" in " ".join(changed.text.split())
    assert "<strong>1</strong>" in changed.text


def test_the_page_says_how_many_are_known_from_a_file_only_and_keeps_up_with_it(
    engine: Engine, staff: FlaskClient, institution: Institution, today: Session, tmp_path: Path, now: datetime
) -> None:
    office = Office(engine, institution.id, tmp_path, now)
    office.student("Ada")
    before = staff.get("/live").headers["ETag"]
    office.rows(row("ada@example.edu", "FALSE"), session=today)
    page = staff.get("/live", headers={"If-None-Match": before})
    assert "<strong>1</strong>" in page.text
    assert "1 of them from a file only" in page.text


def test_another_language_is_another_page(staff: FlaskClient, today: Session) -> None:
    english = staff.get("/live").headers["ETag"]
    french = staff.get("/live?lang=fr", headers={"If-None-Match": english})
    assert french.status_code == 200
    assert "Événements" in french.text


def test_a_check_in_that_belongs_nowhere_is_told_on_the_page(
    staff: FlaskClient, institution: Institution, desk: Desk
) -> None:
    assert "belong" not in staff.get("/").text
    desk.made.append(b"[1,2,3]")
    desk.hand_over(staff)
    assert "1 check-in is kept but belongs to no session here." in staff.get("/").text


def test_a_database_that_does_not_answer_is_a_page_that_says_so_and_no_address_is_logged(
    staff: FlaskClient, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("ALTER TABLE users RENAME TO users_elsewhere")
    response = staff.post("/login", data={"email": "ada@example.edu", "password": "x", "csrf_token": "x"})
    page = staff.get("/")
    assert page.status_code == 503
    assert "Not now" in page.text
    assert response.status_code in (400, 503)
    assert "ada@" not in caplog.text


def test_a_wrong_address_is_a_page_in_the_readers_language(client: FlaskClient) -> None:
    page = client.get("/nowhere", headers={"Accept-Language": "fr-CA"})
    assert (page.status_code, "Il n’y a rien à cette adresse." in page.text) == (404, True)


def test_whoever_signs_in_in_french_goes_on_in_french(staff: FlaskClient) -> None:
    staff.post("/logout", data={"csrf_token": token(staff.get("/").text)})
    page = staff.get("/login?lang=fr").text
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    assert action
    form = {"email": "ada@example.edu", "password": PASSWORD, "csrf_token": token(page)}
    answer = staff.post(action.group(1).replace("&amp;", "&"), data=form, follow_redirects=True)
    assert '<html lang="fr">' in answer.text


def test_a_kiosk_that_was_cut_off_is_shown_as_cut_off(
    engine: Engine, staff: FlaskClient, institution: Institution, desk: Desk, now: datetime
) -> None:
    kiosks.revoke(engine, institution.id, desk.kiosk_id, now)
    assert "cut off" in staff.get("/").text


def test_staff_of_one_institution_see_nothing_of_another(
    engine: Engine, staff: FlaskClient, other_institution: Institution
) -> None:
    now = datetime.now(UTC)
    events.create(engine, other_institution.id, NewEvent("event", "Secret gala", now, now), now)
    assert "Secret gala" not in staff.get("/").text


def test_a_hall_of_guesses_is_slowed_down(client: FlaskClient) -> None:
    answers = [sign_in(client, "ada@example.edu", "guess").status_code for _ in range(21)]
    assert answers[-1] == 429
