"""HTTP in and out: parse, one action, render. No SQL, no decision about a student."""

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from flask import current_app
from sqlalchemy import Engine

from hub.actions import readiness
from hub.config import Config
from hub.errors import NotReady


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def engine() -> Engine:
    """The hub's database."""
    return cast(Engine, current_app.extensions["hub_engine"])


def config() -> Config:
    """The hub's settings."""
    return cast(Config, current_app.extensions["hub_config"])


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
