"""HTTP in and out: parse, one action, render. No SQL, no decision about a student."""

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from flask import current_app, request
from flask_security import current_user
from sqlalchemy import Engine

from hub.actions import readiness
from hub.actions.imports.place import Place
from hub.config import Config
from hub.errors import NotReady
from hub.runner import Runner


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def engine() -> Engine:
    """The hub's database."""
    return cast(Engine, current_app.extensions["hub_engine"])


def config() -> Config:
    """The hub's settings."""
    return cast(Config, current_app.extensions["hub_config"])


def institution_id() -> UUID:
    """Whose staff is signed in."""
    return cast(UUID, current_user.institution_id)


def who() -> str:
    """Who is signed in, as others read it."""
    return cast(str, current_user.email)


def place() -> Place:
    """Where the imports are of those who are signed in."""
    return Place(engine(), institution_id(), config().imports_folder)


def runner() -> Runner:
    """Starts what takes longer than a page."""
    return cast(Runner, current_app.extensions["hub_runner"])


def page_number() -> int:
    """Which page of a list is asked for; the first one is 1."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def hub_id_if_ready() -> UUID | None:
    """This hub's own id, or None when it cannot be asked."""
    try:
        return hub_id()
    except NotReady:
        return None


def hub_id() -> UUID:
    """This hub's own id, as kiosks know it. Raises `NotReady` before `hub init`."""
    known = current_app.extensions.get("hub_id")
    if known is None:
        known = current_app.extensions["hub_id"] = readiness.hub_id(engine())
    return cast(UUID, known)
