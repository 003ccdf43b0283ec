"""Check-in on people's own phones: switched on and off, and by which address."""

import re
from collections.abc import Iterable

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk import network
from kiosk.store.remembered import Phones
from kiosk.views import this_desk
from kiosk.views.phone import Network, is_near
from kiosk.views.phone_link import host, this_line
from kiosk.views.staff import bp
from ui.language import html_lang

# A name or an IPv4 address, without a port: the port is the desk's own to say.
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.ASCII)


@bp.get("/phone")
def phone() -> ResponseReturnValue:
    """How it stands."""
    return _page()


@bp.post("/phone")
def set_phone() -> ResponseReturnValue:
    """Switch it on or off, or say by which address phones find this desk; left empty, it finds that out itself."""
    here, line = this_desk(), this_line()
    typed = request.form.get("address", "").strip().lower()
    if typed and _HOST.fullmatch(typed) is None:
        return _page("not_an_address", typed), 422
    wanted = request.form.get("on") == "yes"
    if wanted and not typed and network.own_address() is None:
        return _page("no_network"), 422
    if wanted:
        try:
            line.open()
        except OSError:
            return _page("port_taken", typed), 503
    here.journal.serve_phones(Phones(on=wanted, address=typed or None))
    if not wanted:
        here.invitations.forget()
        line.close()
    return redirect(url_for("staff.phone", lang=html_lang()), 303)


def _page(problem: str | None = None, typed: str | None = None) -> str:
    here = this_desk()
    remembered = here.journal.remembered()
    port = this_line().port
    found = host(remembered)
    return render_template(
        "staff/phone.html",
        on=remembered.phones.on and port is not None,
        # Switched on in an earlier run of the program, and not to be had in this one.
        stuck=remembered.phones.on and port is None,
        address=typed if typed is not None else remembered.phones.address or "",
        found=found,
        far=found is not None and _is_far(found, here.config.phone_networks),
        port=port or here.config.phone_port,
        problem=problem,
    )


def _is_far(address: str, also: Iterable[Network]) -> bool:
    # A name may stand for any address.
    return address[-1].isdigit() and not is_near(address, also)
