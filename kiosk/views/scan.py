"""The desk with a camera. The one page that may use it, and that may run the reader of codes that we bring along."""

from flask import Blueprint, make_response, redirect, url_for
from flask.typing import ResponseReturnValue

from kiosk.views import refuse_strangers, this_desk
from kiosk.views.desk import desk_page
from ui.headers import content_security_policy, permissions_policy

bp = Blueprint("scan", __name__)
bp.before_request(refuse_strangers)

# Of all that `unsafe` could mean, only to compile WebAssembly that comes from here.
_CSP = content_security_policy({"script-src": ("'wasm-unsafe-eval'",)})
_PERMISSIONS = permissions_policy(allowed=("camera",))


@bp.get("/scan")
def page() -> ResponseReturnValue:
    """The camera in the place of the welcome; whatever it reads is sent as the desk's form."""
    here = this_desk()
    remembered = here.journal.remembered()
    if remembered.session is None or remembered.withdrawn:
        return redirect(url_for("desk.ready"), 303)
    response = make_response(desk_page(here, remembered, None, template="scan.html"))
    response.headers["Content-Security-Policy"] = _CSP
    response.headers["Permissions-Policy"] = _PERMISSIONS
    return response
