"""The pages of events and of files in, as plain forms: what they show, whom they let in, what they survive."""

import io
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import Engine
from werkzeug.test import TestResponse
from xlsxwriter import Workbook

from hub.accounts import add_admin
from hub.actions import events, staff
from hub.actions.events import NewEvent
from hub.actions.imports import jobs
from hub.actions.imports.place import Place
from hub.config import Config
from hub.database import writing
from hub.schema import addresses
from hub.store import imports
from hub.store.events import Session
from hub.store.imports import State
from hub.views import glances
from hub.views.turns import Turns
from tests.hub.conftest import Institution
from tests.hub.desk import student
from tests.hub.test_pages import PASSWORD, sign_in, token

STUDENTS = "username,email_address,first_name\nada,ada@example.edu,Ada\nbo,bo@example.edu,Bo\n"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """What these pages show is the same on any database."""
    path = tmp_path / "hub.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


SignedIn = Callable[[str, str], FlaskClient]


@pytest.fixture
def signed_in(app: Flask, engine: Engine, institution: Institution, now: datetime) -> SignedIn:
    """A client of somebody who has this role."""

    def start(email: str, role: str) -> FlaskClient:
        with app.app_context():
            hashed = hash_password(PASSWORD)
        staff.add(engine, institution.id, email, hashed, role, "test", now)
        client = app.test_client()
        assert sign_in(client, email, PASSWORD).status_code == 302
        return client

    return start


@pytest.fixture
def office(app: Flask, engine: Engine, client: FlaskClient, institution: Institution, now: datetime) -> FlaskClient:
    """Somebody who may do everything."""
    with app.app_context(), writing(engine) as conn:
        add_admin(conn, institution.id, "ada@example.edu", PASSWORD, now)
    sign_in(client, "ada@example.edu", PASSWORD)
    return client


@pytest.fixture
def place(engine: Engine, institution: Institution, config: Config) -> Place:
    return Place(engine, institution.id, config.imports_folder)


def upload(client: FlaskClient, text: str, name: str = "students.csv", **form: Any) -> TestResponse:
    fields = {"kind": "students", "csrf_token": token(client.get("/imports/new").text), **form}
    return client.post("/imports/new", data={**fields, "file": (io.BytesIO(text.encode()), name)})


def post(client: FlaskClient, page: str, action: str, **form: str) -> TestResponse:
    return client.post(f"{page}/{action}", data={"csrf_token": token(client.get(page).text), **form})


def finished(app: Flask, client: FlaskClient, page: str) -> str:
    """The page once nobody is at work any more, on one line."""
    app.extensions["hub_runner"].wait()
    return " ".join(client.get(page).text.split())


def test_nobody_gets_in_without_signing_in(client: FlaskClient) -> None:
    for path in ("/events", f"/events/{uuid4()}", "/imports", "/imports/new", f"/imports/{uuid4()}"):
        assert client.get(path).headers["Location"].startswith("/login")
    assert client.post("/imports/new", data={"file": (io.BytesIO(b"x"), "x.csv")}).status_code == 302


def test_a_student_file_is_looked_at_checked_applied_and_undone(app: Flask, office: FlaskClient) -> None:
    page = upload(office, STUDENTS).headers["Location"]
    assert "What we understood" in office.get(page).text
    assert post(office, page, "check").headers["Location"] == page
    checked = finished(app, office, page)
    assert "Nothing is changed yet" in checked
    assert "Apply 2 changes" in checked
    assert "ada" not in office.get("/imports").text.split("<main")[1].replace("ada@example.edu", "")
    assert "students.csv" in office.get("/imports?unfinished=yes").text
    post(office, page, "apply")
    assert "Applied on" in finished(app, office, page)
    assert "Nothing is left to do" in office.get("/imports?unfinished=yes").text
    assert "2 new" in office.get("/imports").text
    assert "Students it made are removed" in " ".join(office.get(f"{page}/undo").text.split())
    post(office, page, "undo")
    assert "What it did to 2 students was taken back." in finished(app, office, page)


def test_pressing_twice_and_going_back_do_no_harm(app: Flask, office: FlaskClient) -> None:
    page = upload(office, STUDENTS).headers["Location"]
    form = token(office.get(page).text)
    for action in ("check", "check", "apply"):
        assert office.post(f"{page}/{action}", data={"csrf_token": form}).status_code == 303
    assert "Nothing is changed yet" in finished(app, office, page)
    for action in ("apply", "apply", "check", "throw-away"):
        assert office.post(f"{page}/{action}", data={"csrf_token": form}).status_code == 303
    assert "Applied on" in finished(app, office, page)


def test_a_file_that_cannot_be_read_says_where_and_what_to_do(office: FlaskClient) -> None:
    page = upload(office, 'username,email_address,first_name\nada,"ada@example.edu,Ada\n').headers["Location"]
    assert "starts on line 2 is never closed" in " ".join(office.get(page).text.split())
    assert "Read it again like this" in office.get(page).text
    page = upload(office, "not a workbook", "students.xlsx").headers["Location"]
    text = office.get(page).text
    assert "This is not a workbook, whatever its name says." in text
    assert "Read it again like this" not in text
    assert "Upload another file" in text


def test_a_column_that_was_misunderstood_is_chosen_and_what_was_only_shown_is_not(
    app: Flask, office: FlaskClient, place: Place
) -> None:
    page = upload(office, "username,email_address,vorname\nada,ada@example.edu,Ada\n").headers["Location"]
    assert "A column is missing: first_name." in office.get(page).text
    form = {f"column-{i}": name for i, name in enumerate(("username", "email_address", "first_name"))}
    shown = {f"shown-{i}": name for i, name in enumerate(("username", "email_address", ""))}
    post(office, page, "choices", **form, **shown)
    assert "A column is missing" not in office.get(page).text
    row = jobs.show(place, UUID(page.split("/")[2].partition("?")[0]), datetime.now(UTC)).row
    assert jobs.choices(row).columns == {2: "first_name"}
    post(office, page, "check", **form, **{f"shown-{i}": name for i, name in enumerate(form.values())})
    assert "Apply 1 change" in finished(app, office, page)


def test_a_workbook_keeps_a_column_that_was_chosen_when_it_is_checked(app: Flask, office: FlaskClient) -> None:
    book = io.BytesIO()
    with Workbook(book) as made:
        sheet = made.add_worksheet("People")
        sheet.write_row(0, 0, ["username", "email_address", "vorname"])
        sheet.write_row(1, 0, ["ada", "ada@example.edu", "Ada"])
    form = {"kind": "students", "csrf_token": token(office.get("/imports/new").text)}
    page = office.post("/imports/new", data={**form, "file": (io.BytesIO(book.getvalue()), "people.xlsx")}).location
    found = re.search(r'<select id="sheet".*?<option value="([^"]*)" selected>People', office.get(page).text, re.DOTALL)
    assert found
    post(office, page, "check", **{"sheet": found.group(1), "column-2": "first_name", "shown-2": ""})
    assert "Apply 1 change" in finished(app, office, page)


def test_a_separator_that_is_chosen_as_it_was_found_leaves_the_columns_as_they_were_chosen(
    app: Flask, office: FlaskClient
) -> None:
    page = upload(office, "username;email_address;vorname\nada;ada@example.edu;Ada\n").headers["Location"]
    form = {"delimiter": ";", "shown-delimiter": ";", "column-2": "first_name", "shown-2": ""}
    post(office, page, "choices", **form)
    assert "A column is missing" not in office.get(page).text
    post(office, page, "choices", **{"delimiter": "|", "shown-delimiter": ";", "column-0": "first_name"})
    assert "Columns are missing: email_address, username, first_name." in " ".join(office.get(page).text.split())


def test_mended_rows_are_read_as_the_file_was_that_they_come_from(
    app: Flask, office: FlaskClient, place: Place, signed_in: SignedIn
) -> None:
    rows = "username,email_address,vorname,gender\nada,ada@example.edu,Ada,\ncem,not an address,Cem,\n"
    page = upload(office, rows, match_by="email_address").headers["Location"]
    chosen = {"match_by": "email_address", "column-2": "first_name", "shown-2": "", "column-3": "", "shown-3": "gender"}
    post(office, page, "check", **chosen)
    text = finished(app, office, page)
    assert "Left out because somebody chose so: <code>gender</code>" in text
    import_id = page.split("/")[2]
    assert f'href="/imports/new?mends={import_id}"' in text
    assert '<option value="email_address" selected>' in office.get(f"/imports/new?mends={import_id}").text
    mended = "vorname,gender,username,email_address,error_code,error_message\nCem,,cem,cem@example.edu,x,y\n"
    again = upload(office, mended, mends=import_id, match_by="email_address").headers["Location"]
    row = jobs.show(place, UUID(again.split("/")[2]), datetime.now(UTC)).row
    assert (jobs.choices(row).columns, jobs.choices(row).match_by) == ({0: "first_name", 1: ""}, "email_address")
    assert signed_in("bo@example.edu", "event_staff").get(f"/imports/new?mends={import_id}").status_code == 403
    assert office.get("/imports/new?mends=x").status_code == 404


def test_an_upload_that_is_thrown_away_is_asked_about_first_and_the_list_says_that_it_is_gone(
    office: FlaskClient,
) -> None:
    page = upload(office, STUDENTS).headers["Location"]
    text = " ".join(office.get(page).text.split())
    assert re.search(r"<details[^>]*> <summary>Throw this upload away…</summary> <form[^>]*/throw-away", text)
    listed = post(office, page, "throw-away").headers["Location"]
    assert "“students.csv” was thrown away." in office.get(listed).text
    assert "was thrown away" not in office.get("/imports?gone=x").text


def test_rows_that_failed_come_back_as_a_file_under_the_name_that_was_uploaded(app: Flask, office: FlaskClient) -> None:
    page = upload(office, STUDENTS + "cem,not an address,Cem\n", "Étudiants 2026.csv").headers["Location"]
    post(office, page, "check")
    text = finished(app, office, page)
    assert "“not an address” is not an e-mail address." in text
    with office.get(f"{page}/failed-rows") as file:
        assert "tudiants%202026-failed-rows.csv" in file.headers["Content-Disposition"]
        assert "cem,not an address,Cem,not_an_address," in file.get_data(as_text=True)
        assert file.headers["Cache-Control"] == "no-store"


def test_the_name_of_a_file_is_only_ever_shown(office: FlaskClient) -> None:
    page = upload(office, STUDENTS, "../../<b>passwd</b>.csv").headers["Location"]
    text = office.get(page).text
    assert "&lt;b&gt;passwd&lt;" in text or "b&gt;.csv" in text
    assert "<b>" not in text


def test_an_upload_without_a_token_is_refused_before_anything_is_kept(office: FlaskClient, config: Config) -> None:
    answer = office.post("/imports/new", data={"kind": "students", "file": (io.BytesIO(b"x"), "x.csv")})
    assert answer.status_code == 400
    assert not (config.imports_folder).exists()


def test_a_file_that_is_too_large_is_a_page_that_says_so(office: FlaskClient) -> None:
    answer = office.post(
        "/imports/new?kind=students",
        data={"file": (io.BytesIO(b"x"), "x.csv")},
        environ_overrides={"CONTENT_LENGTH": "60000000"},
    )
    assert answer.status_code == 413
    assert "The file is larger than 50 MB. Split it, and upload the parts." in answer.text


def test_a_file_may_be_larger_than_any_other_form(office: FlaskClient) -> None:
    csrf_token = token(office.get("/imports/new").text)
    edge = "----WebKitFormBoundary0123456789abcdef"
    rows = STUDENTS + "cem,cem@example.edu,Cem\n" * 60_000
    fields = {'"csrf_token"': csrf_token, '"file"; filename="students.csv"': rows}
    parts = "".join(
        f"--{edge}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}\r\n" for name, text in fields.items()
    )
    form = f"{parts}--{edge}--\r\n".encode()
    answer = office.post("/imports/new", data=form, content_type=f"multipart/form-data; boundary={edge}")
    assert answer.status_code == 303
    assert "1.4 MB" in office.get(answer.headers["Location"]).text


def test_a_form_without_a_file_says_so_and_other_forms_stay_small(office: FlaskClient) -> None:
    form = {"csrf_token": token(office.get("/imports/new").text), "kind": "students"}
    answer = office.post("/imports/new", data=form)
    assert (answer.status_code, "Choose a file first." in answer.text) == (422, True)
    page = upload(office, STUDENTS).headers["Location"]
    large = {"CONTENT_LENGTH": "2000000"}
    assert office.post(f"{page}/check", data=form, environ_overrides=large).status_code == 413


def test_a_script_is_told_where_the_file_is_and_does_not_load_the_page_twice(office: FlaskClient) -> None:
    form = {"csrf_token": token(office.get("/imports/new").text), "kind": "students"}
    file = (io.BytesIO(STUDENTS.encode()), "students.csv")
    answer = office.post(
        "/imports/new?lang=fr", data={**form, "file": file}, headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert answer.status_code == 201
    assert re.fullmatch(r"/imports/[0-9a-f-]{36}\?lang=fr", answer.headers["Location"])


@pytest.mark.parametrize(("state", "said"), [("checking", "You may leave this page"), ("applying", "Applying…")])
def test_what_is_under_way_shows_itself_after_every_reload(
    office: FlaskClient, place: Place, state: State, said: str
) -> None:
    page = upload(office, STUDENTS).headers["Location"]
    import_id = UUID(page.split("/")[2])
    with place.files(import_id).held():
        with writing(place.engine) as conn:
            imports.move(conn, place.institution_id, import_id, ["uploaded"], state, datetime.now(UTC))
        for _ in range(2):
            text = office.get(page).text
            assert said in text
            assert '<noscript><meta http-equiv="refresh"' in text
        assert "<progress" in office.get(f"{page}/progress").text
    assert "HX-Refresh" in office.get(f"{page}/progress").headers
    assert "This was interrupted, and nothing was changed." in office.get(page).text


def test_whoever_may_not_see_students_sees_only_their_own_imports_and_no_old_values(
    app: Flask, office: FlaskClient, signed_in: SignedIn
) -> None:
    theirs = upload(office, STUDENTS).headers["Location"]
    post(office, theirs, "check")
    finished(app, office, theirs)
    post(office, theirs, "apply")
    finished(app, office, theirs)
    bo = signed_in("bo@example.edu", "event_staff")
    for path in (theirs, f"{theirs}/progress", f"{theirs}/failed-rows", f"{theirs}/undo"):
        assert bo.get(path).status_code == 403
    assert bo.post(f"{theirs}/undo", data={"csrf_token": token(bo.get("/").text)}).status_code == 403
    listed = bo.get("/imports").text
    assert "students.csv" in listed
    assert theirs not in listed
    changed = STUDENTS.replace(",Ada", ",Augusta").replace("bo,bo@", "boris,bo@")
    own = upload(bo, changed, match_by="email_address").headers["Location"]
    post(bo, own, "check", match_by="email_address")
    assert "would change. If that is right" in finished(app, bo, f"{own}?part=failed")
    file = bo.get(f"{own}/failed-rows")
    with file:
        assert "Attempted to update username to boris" in file.text
        assert "from bo" not in file.text
    text = finished(app, bo, f"{own}?part=updated").split("<main")[1]
    assert "Augusta" in text
    assert "What was there before is hidden" in text
    assert "Ada<" not in text
    assert '<td class="old"><em>hidden</em></td>' in office.get(f"{own}?part=updated").text


def test_few_look_into_files_at_once_and_others_are_told_to_come_again(
    office: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(places=1, wait_s=0.0)
    monkeypatch.setattr(glances, "_turns", turns)
    page = upload(office, STUDENTS).headers["Location"]
    with turns.one():
        busy = office.get(page)
    assert (busy.status_code, "try again when one of them is done" in busy.text) == (503, True)
    assert "What we understood" in office.get(page).text


def test_a_language_once_asked_for_is_kept_from_page_to_page(office: FlaskClient) -> None:
    text = office.get("/imports?lang=fr&kind=students").text
    assert 'href="/events?lang=fr"' in text
    assert "?kind=students&amp;lang=en" in text or "lang=en&amp;kind=students" in text
    assert "lang=" not in office.get("/imports").text.split("<main")[1]


def test_events_are_found_by_name_and_by_whether_they_are_over(
    office: FlaskClient, engine: Engine, institution: Institution
) -> None:
    now = datetime.now(UTC)
    for name, days in (("A talk", 3), ("Spring fair", 30), ("Autumn fair", -30)):
        start = now + timedelta(days=days)
        events.create(engine, institution.id, NewEvent("event", name, start, start + timedelta(hours=2)), now)
    upcoming, past, found = (office.get(f"/events{query}").text for query in ("", "?when=past", "?q=FAIR spring"))
    assert upcoming.index("A talk") < upcoming.index("Spring fair")
    assert "Autumn fair" not in upcoming
    assert "Autumn fair" in past
    assert "Spring fair" in found
    assert "A talk" not in found
    assert "No event has “100%” in its name." in office.get("/events?q=100%25").text


def test_a_list_of_addresses_says_how_it_was_taken_and_what_it_changes_to_whoever_may_see_no_students(
    app: Flask, signed_in: SignedIn, engine: Engine, institution: Institution, session: Session
) -> None:
    student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    with writing(engine) as conn:
        conn.execute(addresses.update().values(kind="school"))
    bo = signed_in("bo@example.edu", "event_staff")
    said = {}
    for taken in ("registered", "checked_in"):
        form = {"kind": "attendees", "session": str(session.id), "just_addresses": taken}
        page = upload(bo, "student_email_address\nada@example.edu\n", "list.csv", **form).headers["Location"]
        post(bo, page, "check", just_addresses=taken)
        finished(app, bo, page)
        post(bo, page, "apply")
        said[taken] = finished(app, bo, page)
    assert "It was said that these people are registered." in said["registered"]
    assert "It was said that these people were present." in said["checked_in"]
    assert '<td class="old">FALSE</td> <td class="new">TRUE</td>' in said["checked_in"]


def test_an_event_shows_who_came_by_which_way_and_only_to_its_own_staff(
    app: Flask, office: FlaskClient, engine: Engine, institution: Institution, session: Session
) -> None:
    student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    with writing(engine) as conn:
        conn.execute(addresses.update().values(kind="school"))
    form = {"kind": "attendees", "session": str(session.id), "just_addresses": "checked_in"}
    page = upload(office, "student_email_address\nada@example.edu\n", "list.csv", **form).headers["Location"]
    post(office, page, "check", just_addresses="checked_in")
    assert "Apply 1 change" in finished(app, office, page)
    post(office, page, "apply")
    finished(app, office, page)
    text = " ".join(office.get(f"/events/{session.event_id}").text.split())
    assert "<dt>Checked in</dt> <dd> 1 <small>1 of them from a file only</small>" in text
    assert "list.csv" in text
    assert f"<code>{session.event_id}</code>" in text
    assert f"<code>{session.id}</code>" in text
    assert office.get(f"/events/{uuid4()}").status_code == 404
    assert office.get(f"/imports/new?session={uuid4()}").status_code == 404
