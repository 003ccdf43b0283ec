"""The link on the desk's screen by which a phone comes in."""

import hashlib
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from kiosk import clock, network
from kiosk.store.remembered import Remembered
from kiosk.views import Desk, this_desk

bp = Blueprint("phone_link", __name__)


class Line(Protocol):
    """The socket for phones."""

    @property
    def port(self) -> int | None: ...

    def open(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link as a code to scan. `mark` tells one from another and opens nothing."""

    url: str
    code: Markup
    mark: str


def this_line() -> Line:
    """The line of this desk."""
    return cast(Line, current_app.extensions["phone_line"])


def host(remembered: Remembered) -> str | None:
    """By what phones find this device: as staff say, else its address on the network. None: there is none."""
    if remembered.phones.address is not None:
        return remembered.phones.address
    hub = None if remembered.standing is None else urlsplit(remembered.standing.url).hostname
    return network.own_address(hub)


def site(remembered: Remembered, port: int | None) -> str | None:
    """Host and port as they stand in the link, and so in what phones ask for. None: phones are not served."""
    if not remembered.phones.on or port is None:
        return None
    found = host(remembered)
    return None if found is None else found if port == 80 else f"{found}:{port}"


def link(here: Desk, remembered: Remembered) -> Link | None:
    """What to show for phones now. None: nothing."""
    where = site(remembered, this_line().port)
    if where is None or remembered.session is None or remembered.withdrawn:
        return None
    url = f"http://{where}/p/{here.invitations.on_screen(clock.now().since_boot_ms)}"
    return Link(url, as_code(url), hashlib.sha256(url.encode()).hexdigest()[:12])


def as_code(text: str) -> Markup:
    """A QR code as SVG."""
    # Imported where it is needed: most desks show none.
    import qrcode
    from qrcode.image.svg import SvgPathImage

    image = qrcode.make(text, image_factory=SvgPathImage, border=2, error_correction=qrcode.ERROR_CORRECT_M)
    return Markup(image.to_string(encoding="unicode"))  # noqa: S704 - made of nothing but squares


@bp.get("/phone-link")
def code() -> ResponseReturnValue:
    """The link to show now, for the page to renew; 204 when it is the one it shows."""
    here = this_desk()
    found = link(here, here.journal.remembered())
    if request.args.get("shown", "") == ("" if found is None else found.mark):
        return "", 204
    return render_template("partials/phone.html", phone=found)
