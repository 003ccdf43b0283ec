"""The desk: takes check-ins on its own disk, with the network gone for as long as it likes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from kiosk.config import Config


def create_app(config: "Config | None" = None) -> "Flask":
    """The desk's web program, for any WSGI server and for `flask --app kiosk`."""
    # Imported here: the postman and `kiosk status` live in this package too, and carry no web server.
    from kiosk.config import Config
    from kiosk.web import wire

    return wire(config or Config.from_environment())
