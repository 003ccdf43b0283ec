"""Wires the program that phones meet, and decides nothing: one page behind a one-time link, on a socket of its own.

Of the desk it shares the stores and the templates of the verdicts, and no other page.
"""

import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from kiosk.pages import init_pages
from kiosk.store.invitations import Turnstile
from kiosk.views import Desk, phone
from kiosk.views.phone_link import Line

if TYPE_CHECKING:
    from waitress.server import TcpWSGIServer

MAX_REQUEST_BYTES = 16 * 1024
A_MINUTE_FROM_ONE_PHONE, A_MINUTE_FROM_ALL = 30, 300
"""Requests; a check-in takes three."""


def wire(desk: Desk, line: Line) -> Flask:
    """A Flask app with the page for phones of this desk."""
    app = Flask("kiosk", root_path=str(Path(__file__).parent))
    app.config.update(
        # Links end with this process, and so do the cookies that go with them.
        SECRET_KEY=os.urandom(32),
        SESSION_COOKIE_NAME="kiosk_phone",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        # The phone's own language.
        DEFAULT_LANGUAGE=None,
    )
    app.extensions["desk"] = desk
    app.extensions["phone_line"] = line
    app.extensions["turnstile"] = Turnstile(A_MINUTE_FROM_ONE_PHONE, A_MINUTE_FROM_ALL)
    # First of all, before a token is looked at.
    phone.guard(app)
    CSRFProtect(app)
    init_pages(app, desk.config)
    app.register_blueprint(phone.bp)
    return app


class Socket:
    """The line to phones. Closed until it is opened."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._serving: tuple[TcpWSGIServer, threading.Thread] | None = None

    @property
    def port(self) -> int | None:
        """Where phones find it; None: it is closed."""
        return None if self._serving is None else int(self._serving[0].effective_port)

    def open(self) -> None:
        """Listen, in a thread of its own. Raises OSError when the address cannot be had."""
        from waitress import create_server

        with self._lock:
            if self._serving is not None:
                return
            config = self._desk.config
            # First of all: where there is nothing to listen on, nothing is started.
            listening = socket.create_server((config.phone_host, config.phone_port))
            # Few threads, and short patience: whoever is slow out there makes nobody wait at the desk.
            server = create_server(
                wire(self._desk, self),
                sockets=[listening],
                threads=4,
                ident=None,
                channel_timeout=20,
                clear_untrusted_proxy_headers=True,
            )
            thread = threading.Thread(target=server.run, name="phones", daemon=True)
            thread.start()
            self._serving = server, thread

    def close(self) -> None:
        """Hang up on everybody and listen no more."""
        from waitress import wasyncore

        with self._lock:
            if self._serving is None:
                return
            server, thread = self._serving
            # First whoever is at work ends: they wake the loop through what is closed next.
            while server.task_dispatcher.threads:
                server.task_dispatcher.shutdown()
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
            thread.join()
            self._serving = None
