"""What a browser or a program at the desk may ask: parse, one action, render."""

import ipaddress
from dataclasses import dataclass, field
from typing import cast

from flask import current_app, request, session
from flask_wtf.csrf import CSRFProtect

from kiosk import clock
from kiosk.actions.arrivals import Stores
from kiosk.actions.preflight import Connect, connect
from kiosk.config import Config
from kiosk.rules.names import Index
from kiosk.store.directory import OpenDirectory
from kiosk.store.door import Door
from kiosk.store.invitations import Invitations
from kiosk.store.journal import Journal
from kiosk.store.misses import Misses
from kiosk.store.refusals import Refusals
from kiosk.store.roster import Roster
from kiosk.views.once import Once, Said

DOOR = "door"
"""Where a browser's cookie holds the token that the door knows it by."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every view works with. The PIN opens `door` and `directory`; `misses` are those at the student's side;
    `once` holds answers until they are shown, `refusals` why people were sent away; `connect` reaches the hub, for
    whoever asks to try it."""

    config: Config
    journal: Journal
    roster: Roster
    door: Door
    directory: OpenDirectory[Index]
    misses: Misses
    once: Once = field(default_factory=Once)
    invitations: Invitations[Said] = field(default_factory=Invitations)
    refusals: Refusals = field(default_factory=Refusals)
    connect: Connect = connect

    @property
    def stores(self) -> Stores:
        return Stores(self.journal, self.roster, self.refusals)

    def close(self) -> None:
        self.directory.close()
        self.journal.close()
        self.roster.close()


def this_desk() -> Desk:
    """The desk of this app."""
    return cast(Desk, current_app.extensions["desk"])


def refuse_strangers() -> None:
    """Before every POST: a browser brings the page's token. A program on this very machine needs none: it says what it
    is in a header that no other site's page can send."""
    if request.method != "POST":
        return
    if "X-Kiosk-Client" in request.headers and wants_json() and _from_here():
        return
    csrf: CSRFProtect = current_app.extensions["csrf"]
    csrf.protect()


def is_unlocked() -> bool:
    """Whether staff are at work in this browser. A desk that was given no PIN is not locked."""
    here = this_desk()
    lock = here.journal.remembered().lock
    return lock is None or here.door.enter(session.get(DOOR), lock.salt, clock.now().since_boot_ms) is not None


def wants_json() -> bool:
    """Whether a program asks, rather than a browser."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"


def wants_fragment() -> bool:
    """Whether htmx asks, and the page around the answer is there already."""
    return "HX-Request" in request.headers


def _from_here() -> bool:
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
