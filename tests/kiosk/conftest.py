"""A kiosk that is set up for the fair, and what tests do with one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosk import create_app
from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from kiosk.views import Desk
from tests.kiosk import builders as b

AS_PROGRAM = {"Accept": "application/json", "X-Kiosk-Client": "test"}

# Answers are looked into as JSON, which has no type.
Post = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the kiosk keeps its files; nothing there yet."""
    return tmp_path / "kiosk"


@pytest.fixture
def journal(folder: Path) -> Iterator[Journal]:
    """A new journal."""
    journal = Journal(folder / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def roster(folder: Path) -> Iterator[Roster]:
    """A folder's roster; nobody is on it yet."""
    folder.mkdir(mode=0o700, exist_ok=True)
    roster = Roster(folder, b.BOOT)
    yield roster
    roster.close()


@pytest.fixture
def bare_app(folder: Path) -> Iterator[Flask]:
    """The web program of a kiosk nobody has enrolled."""
    app = create_app(Config(data_dir=folder))
    yield app
    desk: Desk = app.extensions["desk"]
    desk.close()


@pytest.fixture
def app(bare_app: Flask, folder: Path) -> Flask:
    """The web program of a kiosk that is set up."""
    b.set_up(folder)
    return bare_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def as_program(client: FlaskClient) -> Post:
    """Checks in as a program on the same machine does."""

    def post(identifier: str | None, session_id: object = b.FAIR, **form: str) -> TestResponse:
        data = form if identifier is None else {"identifier": identifier, **form}
        return client.post(f"/sessions/{session_id}/check-ins", data=data, headers=AS_PROGRAM)

    return post


@pytest.fixture
def as_browser(client: FlaskClient) -> Post:
    """Checks in as the page does: with its token, and as htmx if so told."""

    def post(identifier: str, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
        data = {"identifier": identifier, "csrf_token": token(client), **form}
        return client.post(f"/sessions/{b.FAIR}/check-ins", data=data, headers=headers, follow_redirects=True)

    return post


def token(client: FlaskClient) -> str:
    """The token a page carries."""
    marker = 'name="csrf_token" value="'
    return client.get("/").text.partition(marker)[2].partition('"')[0]
