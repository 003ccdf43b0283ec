"""The office: identities and addresses live here and nowhere else; events, kiosks and live counts."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine

    from hub.config import Config


def create_app(config: "Config | None" = None, engine: "Engine | None" = None) -> "Flask":
    """The hub's web program, for any WSGI server and for `flask --app hub`.

    Raises `NotReady` when a setting is wrong, or the secret key is missing, well known or short.
    """
    # Imported here: the commands live in this package too, and most of them need no web server.
    import os

    from hub.config import read
    from hub.web import wire

    return wire(config or read(os.environ), engine)
