"""Files as an office meets them: uploaded, understood, checked, applied, mended and undone, in both languages."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server

from hub import create_app, migrations
from hub.accounts import add_admin
from hub.actions import events
from hub.actions.events import NewEvent
from hub.actions.imports.place import Place, Progress
from hub.config import read
from hub.database import connect, writing
from hub.schema import addresses, students
from hub.store import imports
from hub.store.events import Session
from tests.browser.conftest import Quiet
from tests.browser.test_the_hub_in_chromium import PASSWORD, accessible, sign_in
from tests.hub.conftest import make_institution
from tests.hub.desk import student

OpenPage = Callable[..., Page]

SOON = 15_000
"""Milliseconds in which a small file is done even on a busy machine."""


@dataclass(frozen=True, slots=True)
class Office:
    """A hub that answers at an address, with an event that is over."""

    address: str
    engine: Engine
    place: Place
    session: Session
    folder: Path

    def write(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.write_text(text, encoding)
        return path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    engine = connect(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    migrations.upgrade(engine)
    now = datetime.now(UTC)
    institution = make_institution(engine, "Example University", ["example.edu"], now)
    app = create_app(
        read({"HUB_DATA_DIR": str(tmp_path), "HUB_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwx"}), engine
    )
    with app.app_context(), writing(engine) as conn:
        add_admin(conn, institution.id, "ada@example.edu", PASSWORD, now)
    talk = NewEvent("event", "A talk", now - timedelta(days=1, hours=2), now - timedelta(days=1))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Office(
        f"http://127.0.0.1:{server.server_port}",
        engine,
        Place(engine, institution.id, tmp_path / "imports"),
        events.create(engine, institution.id, talk, now).sessions[0],
        tmp_path,
    )
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["hub_runner"].wait()
    engine.dispose()


def school_student(office: Office, name: str, *, additional: str | None = None) -> None:
    """A student as a file once brought them in."""
    typed = [f"{name.lower()}@example.edu", *([additional] if additional else [])]
    student_id = student(office.engine, office.place.institution_id, name, confirmed=typed)
    with writing(office.engine) as conn:
        conn.execute(students.update().where(students.c.id == student_id).values(username=name.lower()))
        conn.execute(addresses.update().where(addresses.c.typed == typed[0]).values(kind="school", main=True))


def upload(page: Page, file: Path) -> None:
    page.locator("#file").set_input_files(file)
    page.locator("#upload [type=submit]").click()
    expect(page.locator(".columns")).to_be_visible()


def go_on(page: Page, name: str, verdict: str) -> None:
    """Press what leads on, and wait until what another process does is done."""
    page.get_by_role("button", name=name).click()
    came_to(page, verdict)


def came_to(page: Page, verdict: str) -> None:
    expect(page.locator(".verdict")).to_contain_text(verdict, timeout=SOON)
    expect(page.locator(".verdict h2")).to_be_focused()
    good(page)


def good(page: Page) -> None:
    """Nothing sticks out, and everybody can use it: that is the same in every language, and slow to find out."""
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if page.locator("html").get_attribute("lang") == "en":
        accessible(page)


STUDENTS = {
    "en": {
        "upload": "Upload a student file",
        "check": "Check this file",
        "would be": "Nothing is changed yet",
        "refused": "“pas une adresse” is not an e-mail address. Correct it.",
        "apply": "Apply 2 changes",
        "applied": "Applied on",
        "download": "Download these rows",
        "mended": "Upload the mended file",
        "apply one": "Apply 1 change",
        "undo": "Undo this import…",
        "sure": "Undo this import",
        "undone": "What it did to 1 student was taken back.",
    },
    "fr": {
        "upload": "Déposer un fichier d’étudiants",
        "check": "Vérifier ce fichier",
        "would be": "Rien n’est encore changé",
        "refused": "« pas une adresse » n’est pas une adresse e-mail. Corrigez-la.",
        "apply": "Appliquer 2 changements",
        "applied": "Appliqué le",
        "download": "Télécharger ces lignes",
        "mended": "Déposer le fichier corrigé",
        "apply one": "Appliquer 1 changement",
        "undo": "Annuler cette importation…",
        "sure": "Annuler cette importation",
        "undone": "Ce qu’elle avait fait pour 1 étudiant(e) a été repris.",
    },
}


@pytest.mark.parametrize(("language", "size"), [("en", "tablet"), ("fr", "phone")])
def test_a_student_file_is_understood_checked_applied_mended_and_undone(
    office: Office, open_page: OpenPage, language: str, size: str
) -> None:
    said = STUDENTS[language]
    school_student(office, "Bo")
    file = office.write(
        "étudiants.csv",
        "nom d'utilisateur;adresse e-mail;appelé\n"
        "ada;ada@example.edu;Zoé\nbo;bo@example.edu;Bóris\ncem;pas une adresse;Cem\n",
        "cp1252",
    )
    page = open_page(size)
    sign_in(page, office.address, language)
    page.goto(f"{office.address}/imports?lang={language}")
    page.get_by_role("link", name=said["upload"]).click()
    good(page)
    upload(page, file)
    expect(page.locator(".columns")).to_contain_text("Bóris")
    taken_for = page.get_by_label("nom d'utilisateur").bounding_box()
    assert taken_for
    assert taken_for["x"] + taken_for["width"] <= page.evaluate("innerWidth")
    good(page)
    page.get_by_label("appelé").select_option("first_name")
    go_on(page, said["check"], said["would be"])
    changes = page.locator(".changes tbody tr")
    expect(changes).to_have_count(1)
    expect(changes.locator(".old")).to_have_text("Bo")
    expect(changes.locator(".new")).to_have_text("Bóris")
    page.locator(".tally .bad").click()
    expect(page.locator(".reasons")).to_contain_text(said["refused"])

    go_on(page, said["apply"], said["applied"])
    applied = page.url
    with page.expect_download() as downloading:
        page.get_by_role("link", name=said["download"]).click()
    assert downloading.value.suggested_filename == "étudiants-failed-rows.csv"
    failed = downloading.value.path().read_bytes().decode("cp1252")
    page.get_by_role("link", name=said["mended"]).click()
    upload(page, office.write("mended.csv", failed.replace("pas une adresse", "cem@example.edu"), "cp1252"))
    # The file comes back as it was sent, its column names too, and what was chosen for them.
    expect(page.get_by_label("appelé")).to_have_value("first_name")
    go_on(page, said["check"], said["would be"])
    go_on(page, said["apply one"], said["applied"])
    expect(page.locator(".tally .good strong")).to_have_text("1")

    page.goto(applied)
    page.get_by_role("link", name="mended.csv").click()
    page.get_by_role("link", name=said["undo"]).click()
    good(page)
    go_on(page, said["sure"], said["undone"])
    page.reload()
    expect(page.locator(".verdict")).to_contain_text(said["undone"])
    page.goto(f"{office.address}/imports?lang={language}")
    good(page)


ATTENDEES = {
    "en": {
        "upload": "Upload an attendee file",
        "would be": "Nothing is changed yet",
        "refused": "is an additional address, and only school addresses count here. Write bo@example.edu.",
        "apply": "Apply 1 change",
        "applied": "Applied on",
        "from a file": "1 of them from a file only",
        "undo": "Undo…",
        "sure": "Undo this import",
        "undone": "1 record was taken away.",
    },
    "fr": {
        "upload": "Déposer un fichier de participants",
        "would be": "Rien n’est encore changé",
        "refused": "est une adresse supplémentaire, et seules les adresses d’école comptent ici.",
        "apply": "Appliquer 1 changement",
        "applied": "Appliqué le",
        "from a file": "dont 1 par fichier seulement",
        "undo": "Annuler…",
        "sure": "Annuler cette importation",
        "undone": "1 présence ou inscription a été retirée.",
    },
}


@pytest.mark.parametrize(("language", "size"), [("en", "phone"), ("fr", "laptop")])
def test_a_list_of_addresses_is_counted_from_the_page_of_its_event_and_taken_back(
    office: Office, open_page: OpenPage, language: str, size: str
) -> None:
    said = ATTENDEES[language]
    school_student(office, "Ada")
    school_student(office, "Bo", additional="bo@home.example")
    page = open_page(size)
    sign_in(page, office.address, language)
    page.goto(f"{office.address}/events?when=past&lang={language}")
    good(page)
    page.get_by_role("link", name="A talk").click()
    good(page)
    event = page.url
    page.get_by_role("link", name=said["upload"]).click()
    good(page)
    upload(page, office.write("door.csv", "student_email_address\nada@example.edu\nbo@home.example\n"))
    page.locator("[name=just_addresses]:checked").press("Enter")
    came_to(page, said["would be"])
    expect(page.locator(".reasons")).to_contain_text(said["refused"])
    go_on(page, said["apply"], said["applied"])

    page.goto(event)
    expect(page.locator(".numbers")).to_contain_text(said["from a file"])
    good(page)
    page.get_by_role("link", name=said["undo"]).click()
    go_on(page, said["sure"], said["undone"])
    page.goto(event)
    expect(page.locator(".numbers")).not_to_contain_text(said["from a file"])


def test_what_is_under_way_moves_by_itself_survives_a_reload_and_says_when_it_stopped(
    office: Office, open_page: OpenPage
) -> None:
    page = open_page()
    sign_in(page, office.address)
    page.goto(f"{office.address}/imports/new?kind=students")
    upload(page, office.write("students.csv", "username,email_address,first_name\nada,ada@example.edu,Ada\n"))
    found = re.search(r"/imports/([0-9a-f-]{36})", page.url)
    assert found
    import_id = UUID(found.group(1))
    files = office.place.files(import_id)
    bar = page.get_by_role("progressbar")
    with files.held():
        files.write_progress(Progress(250, 0.25))
        with writing(office.engine) as conn:
            at = datetime.now(UTC)
            imports.move(conn, office.place.institution_id, import_id, ["uploaded"], "checking", at)
        page.reload()
        expect(bar).to_have_attribute("value", "0.25")
        good(page)
        files.write_progress(Progress(500, 0.5))
        expect(bar).to_have_attribute("value", "0.5")
        page.reload()
        expect(bar).to_have_attribute("value", "0.5")
        expect(page.get_by_text("You may leave this page: it goes on.")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("This was interrupted, and nothing was changed.")
    expect(page.get_by_role("button", name="Check this file")).to_be_visible()
    good(page)
