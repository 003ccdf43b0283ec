"""The hub's page as an organiser meets it: signing in, and counts that move by themselves."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server

from hub import create_app, migrations
from hub.accounts import add_admin
from hub.actions import events
from hub.actions.events import NewEvent
from hub.config import read
from hub.database import connect, writing
from hub.store.events import Session
from tests.browser.conftest import SIZES, Complaints, Quiet
from tests.hub.conftest import Institution, make_institution
from tests.hub.desk import Desk, enrolled, student

OpenPage = Callable[..., Page]

PASSWORD = "correct horse battery"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def institution(engine: Engine) -> Institution:
    return make_institution(engine, "Example University", ["example.edu"], datetime.now(UTC))


@pytest.fixture
def app(engine: Engine, institution: Institution, tmp_path: Path) -> Flask:
    app = create_app(
        read({"HUB_DATA_DIR": str(tmp_path), "HUB_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwx"}), engine
    )
    with app.app_context(), writing(engine) as conn:
        add_admin(conn, institution.id, "ada@example.edu", PASSWORD, datetime.now(UTC))
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def session(engine: Engine, institution: Institution) -> Session:
    now = datetime.now(UTC)
    talk = NewEvent("event", "A talk", now - timedelta(minutes=1), now + timedelta(minutes=1), capacity=1200)
    return events.create(engine, institution.id, talk, now).sessions[0]


@pytest.fixture
def desk(engine: Engine, institution: Institution) -> Desk:
    return enrolled(engine, institution.id, datetime.now(UTC))


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the hub answers."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(page: Page, address: str, language: str = "en") -> None:
    page.goto(f"{address}/login?lang={language}")
    page.locator("#email").fill("ada@example.edu")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    page.wait_for_url(f"{address}/*")
    page.goto(f"{address}/?lang={language}")


def accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize(("language", "title"), [("en", "Today"), ("fr", "Aujourd’hui")])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_is_accessible_in_both_languages_at_every_size(
    address: str, open_page: OpenPage, session: Session, desk: Desk, language: str, title: str, size: str
) -> None:
    page = open_page(size)
    page.goto(f"{address}/login?lang={language}")
    accessible(page)
    sign_in(page, address, language)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_check_in_that_reaches_the_hub_moves_the_count_without_a_reload(
    address: str,
    engine: Engine,
    open_page: OpenPage,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    desk: Desk,
) -> None:
    page = open_page()
    sign_in(page, address)
    count = page.locator(".count strong")
    expect(count).to_have_text("0")
    page.evaluate("window.never_reloaded = true")
    for name in ("Ada", "Bo"):
        desk.check_in(session.id, student(engine, institution.id, name))
    desk.hand_over(client, 1, 1)
    expect(count).to_have_text("1")
    expect(page.get_by_role("cell", name="1 check-in", exact=True)).to_be_visible()
    desk.hand_over(client, 2)
    expect(count).to_have_text("2")
    expect(page.get_by_role("cell", name="nothing")).to_be_visible()
    assert page.evaluate("window.never_reloaded")


def test_a_page_whose_hub_is_gone_says_from_when_its_numbers_are(
    address: str, open_page: OpenPage, session: Session, complaints: Complaints
) -> None:
    complaints.expected = ("ERR_INTERNET_DISCONNECTED", "Failed to fetch", "status of 50", "htmx:error")
    page = open_page()
    sign_in(page, address)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("The hub does not answer. These numbers are from")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_wrong_password_is_said_at_the_form_and_nothing_typed_is_lost_but_the_password(
    address: str, open_page: OpenPage, complaints: Complaints
) -> None:
    page = open_page()
    page.goto(f"{address}/login")
    page.get_by_label("Email address").fill("ada@example.edu")
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    expect(page.get_by_label("Email address")).to_have_value("ada@example.edu")
    expect(page.get_by_label("Password")).to_have_value("")
    accessible(page)


def test_a_page_whose_sign_in_has_run_out_leads_back_to_the_form(
    address: str, open_page: OpenPage, session: Session
) -> None:
    page = open_page()
    sign_in(page, address)
    page.context.clear_cookies()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("heading", name="Today")).to_have_count(0)


def test_signing_out_leads_back_to_the_form(address: str, open_page: OpenPage, session: Session) -> None:
    page = open_page()
    sign_in(page, address)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
