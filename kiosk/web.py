"""Wires the web program together, and decides nothing."""

import os
from datetime import datetime, tzinfo
from pathlib import Path

from flask import Flask
from flask_babel import format_date, format_decimal
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined

from kiosk import clock
from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew
from kiosk.views import Desk, desk, setup, status, trouble
from ui.assets import init_assets
from ui.headers import secure_headers
from ui.language import init_language

MAX_REQUEST_BYTES = 64 * 1024
"""No swipe and no form of ours is longer."""


def wire(config: Config) -> Flask:
    """A Flask app that serves the desk of one data folder."""
    app = Flask("kiosk", root_path=str(Path(__file__).parent))
    journal = Journal(config.journal_path)
    app.config.update(
        SECRET_KEY=_secret(journal),
        SESSION_COOKIE_NAME="kiosk",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        # Another site's name that leads to this machine must not open the desk (DNS rebinding).
        TRUSTED_HOSTS=["localhost", "127.0.0.1", config.host],
        WTF_CSRF_CHECK_DEFAULT=False,
        # A desk page stays open for the whole event.
        WTF_CSRF_TIME_LIMIT=None,
        DEFAULT_LANGUAGE=config.language,
    )
    app.extensions["desk"] = Desk(config, journal, Roster(config.data_dir, clock.boot()))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(
        hour=lambda moment: clock.local(moment, config.timezone).strftime("%H:%M"),
        # A date, not a moment: the library would take that to a zone of its own.
        day=lambda moment: format_date(clock.local(moment, config.timezone).date(), "EEE d MMM"),
        decimal=format_decimal,
    )
    app.jinja_env.tests["today"] = lambda moment: _is_today(moment, config.timezone)
    CSRFProtect(app)
    init_language(app)
    init_assets(app)
    secure_headers(app)
    for blueprint in (desk.bp, setup.bp, status.bp):
        app.register_blueprint(blueprint)
    trouble.register(app)
    return app


def _secret(journal: Journal) -> bytes:
    try:
        return journal.secret()
    except (StoreDamaged, StoreTooNew, NotRecorded):
        # The pages say what is wrong; until that is mended nothing is signed that must outlive this process.
        return os.urandom(32)


def _is_today(moment: datetime, zone: tzinfo | None) -> bool:
    return clock.local(moment, zone).date() == clock.local(clock.now().wall, zone).date()
