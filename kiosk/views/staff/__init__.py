"""The staff's side of the desk: nothing of it shows, or does anything, in a browser that the PIN has not let in."""

from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from kiosk.views import is_unlocked, refuse_strangers, setup, this_desk, wants_fragment
from sync.messages import Session

bp = Blueprint("staff", __name__, url_prefix="/staff")


@dataclass(frozen=True, slots=True)
class Place:
    """Where staff stand: the top of every page of theirs. `has_pin`: this desk can be locked."""

    institution: str
    session: Session | None
    leaving: bool
    has_pin: bool
    lock_ms: int


@bp.app_template_global()
def staff_place() -> Place:
    """The desk as the top of a staff page tells it."""
    here = this_desk()
    remembered = here.journal.remembered()
    standing = remembered.standing
    return Place(
        institution=standing.enrolled.institution if standing else "",
        session=remembered.session,
        leaving=remembered.leaving,
        has_pin=remembered.lock is not None,
        lock_ms=here.door.idle_ms,
    )


def staff_only() -> ResponseReturnValue | None:
    """Before every request to the staff's side. The page that asks for the PIN stands in for all of them."""
    if request.endpoint == "staff.unlock" or is_unlocked():
        return None
    # A fragment's place is on a page that should not be open any more: staff.js leaves it.
    return ("", 403) if wants_fragment() else (unlock.locked_page(), 403)


@bp.before_request
def _make_room() -> None:
    if request.endpoint == "staff.paste_list":
        request.max_content_length = request.max_form_memory_size = paste.READ_AT_MOST


bp.before_request(refuse_strangers)
bp.before_request(staff_only)
# What a desk is for is staff's business as well.
setup.bp.before_request(staff_only)


@bp.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    # Read to its end before it is answered: a browser that is still sending would hear of nothing but a cut line.
    request.environ["wsgi.input"].read(min(request.content_length or 0, 4 * paste.READ_AT_MOST))
    if not is_unlocked():
        return unlock.locked_page(), 403
    if request.endpoint == "staff.paste_list":
        return paste.far_too_large(), 413
    return render_template("error.html", status=413), 413


@bp.app_template_global()
def is_served(endpoint: str) -> bool:
    """Whether this desk has such a page."""
    return endpoint in current_app.view_functions


@bp.get("/")
def home() -> ResponseReturnValue:
    """Everything staff can do here."""
    return render_template("staff/home.html")


@bp.get("/awake")
def awake() -> ResponseReturnValue:
    """Somebody is still at work on a page of this side, which may be a long form: the door stays open for them."""
    return "", 204


from kiosk.views.staff import (  # noqa: E402, F401 - the pages hang themselves on the blueprint
    everyone_out,
    paste,
    people,
    phone,
    preflight,
    recent,
    refusals,
    scanner,
    status,
    unlock,
    walk_in,
)
