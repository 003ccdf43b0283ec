"""Every hub test that asks for `engine` runs on SQLite and on PostgreSQL."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub import create_app, migrations
from hub.actions import events, set_up
from hub.actions.events import NewEvent
from hub.config import Config, read
from hub.database import connect, writing
from hub.store.events import Session
from tests.hub.command import Command
from tests.hub.desk import Desk, enrolled
from tests.postgres import Server, create_database, drop_database, start

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Institution:
    id: UUID
    name: str
    domains: list[str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with start() as server:
        template = connect(create_database(server, "hub_template"))
        migrations.upgrade(template)
        template.dispose()
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "hub.sqlite"
    engine = connect(f"sqlite:///{path}")
    migrations.upgrade(engine)
    engine.dispose()
    return path


KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated, empty database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "hub.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        yield from _in_postgres(request.getfixturevalue("postgres"), "hub_template")


@pytest.fixture(params=KINDS)
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind in which nothing is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.sqlite'}"
    else:
        yield from _in_postgres(request.getfixturevalue("postgres"), None)


def _in_postgres(server: Server, template: str | None) -> Iterator[str]:
    name = f"hub_{next(_numbers)}"
    yield create_database(server, name, template=template)
    drop_database(server, name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.fixture
def institution(engine: Engine, now: datetime) -> Institution:
    return make_institution(engine, "Example University", ["example.edu", "students.example.edu"], now)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    return read(
        {"HUB_DATA_DIR": str(tmp_path), "HUB_DATABASE_URL": database_url, "HUB_SECRET_KEY": secrets.token_urlsafe(48)}
    )


@pytest.fixture
def app(config: Config, engine: Engine) -> Flask:
    return create_app(config, engine)


@pytest.fixture
def client(app: Flask, institution: Institution) -> FlaskClient:
    """A client of a hub that is set up."""
    return app.test_client()


@pytest.fixture
def session(engine: Engine, institution: Institution, now: datetime) -> Session:
    """The only session of a plain event that lasts all day."""
    talk = NewEvent("event", "A talk", now - timedelta(hours=2), now + timedelta(hours=2))
    return events.create(engine, institution.id, talk, now).sessions[0]


@pytest.fixture
def desk(engine: Engine, institution: Institution, now: datetime) -> Desk:
    return enrolled(engine, institution.id, now)


@pytest.fixture
def other_institution(engine: Engine, now: datetime) -> Institution:
    return make_institution(engine, "Elsewhere College", ["elsewhere.edu"], now)


@pytest.fixture
def command(database_url: str, institution: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The commands of a hub that is set up, as scripts call them."""
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HUB_DATABASE_URL", database_url)
    return Command()


def make_institution(engine: Engine, name: str, mail_domains: list[str], now: datetime) -> Institution:
    with writing(engine) as conn:
        return Institution(set_up.make_institution(conn, name, mail_domains, now), name, mail_domains)
