"""What a browser or a program at the desk may ask: parse, one action, render."""

import ipaddress
from dataclasses import dataclass
from typing import cast

from flask import current_app, request
from flask_wtf.csrf import CSRFProtect

from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster


@dataclass(frozen=True, slots=True)
class Desk:
    """What every view works with."""

    config: Config
    journal: Journal
    roster: Roster

    def close(self) -> None:
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
