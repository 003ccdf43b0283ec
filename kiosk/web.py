"""Wires the web program together, and decides nothing."""

import os
from pathlib import Path

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from kiosk import clock, phone
from kiosk.config import Config
from kiosk.pages import init_pages
from kiosk.rules.names import Index
from kiosk.store.directory import OpenDirectory
from kiosk.store.door import Door
from kiosk.store.journal import Journal
from kiosk.store.misses import Misses
from kiosk.store.roster import Roster
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew
from kiosk.views import Desk, desk, phone_link, scan, setup, staff, status, trouble

MAX_REQUEST_BYTES = 64 * 1024
"""No swipe and no form of ours is longer."""
MISSES_WINDOW_MS = 5 * 60 * 1000


def wire(config: Config) -> Flask:
    """A Flask app that serves the desk of one data folder."""
    app = Flask("kiosk", root_path=str(Path(__file__).parent))
    journal = Journal(config.journal_path)
    roster = Roster(config.data_dir, clock.boot())
    app.config.update(
        SECRET_KEY=_secret(journal),
        SESSION_COOKIE_NAME="kiosk",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        # Another site's name that leads to this machine must not open the desk (DNS rebinding).
        TRUSTED_HOSTS=["localhost", "127.0.0.1", config.host],
        WTF_CSRF_CHECK_DEFAULT=False,
        # A desk page stays open for the whole event.
        WTF_CSRF_TIME_LIMIT=None,
        DEFAULT_LANGUAGE=config.language,
    )
    here = app.extensions["desk"] = Desk(
        config=config,
        journal=journal,
        roster=roster,
        door=Door(idle_ms=round(config.lock_s * 1000)),
        directory=OpenDirectory(roster, Index),
        misses=Misses(config.misses, MISSES_WINDOW_MS),
    )
    app.extensions["phone_line"] = phone.Socket(here)
    CSRFProtect(app)
    init_pages(app, config)
    for blueprint in (desk.bp, phone_link.bp, scan.bp, setup.bp, staff.bp, status.bp):
        app.register_blueprint(blueprint)
    trouble.register(app)
    return app


def _secret(journal: Journal) -> bytes:
    try:
        return journal.secret()
    except (StoreDamaged, StoreTooNew, NotRecorded):
        # The pages say what is wrong; until that is mended nothing is signed that must outlive this process.
        return os.urandom(32)
