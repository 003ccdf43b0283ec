"""Somebody who is not on the list."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk.actions import people as actions
from kiosk.actions.people import WalkIn
from kiosk.rules.verdicts import NotRecognised
from kiosk.views import this_desk
from kiosk.views.desk import arrived
from kiosk.views.staff import bp
from kiosk.views.staff.people import session_id


@bp.get("/walk-in")
def walk_in() -> ResponseReturnValue:
    """The form: a name, an address, or both."""
    return _page(None)


@bp.post("/walk-in")
def take_in() -> ResponseReturnValue:
    """Take them in; what could not be read stays in the form."""
    here = this_desk()
    return _page(actions.walk_in(here.stores, session_id(), request.form.get("name", ""), arrived(by_hand=True)))


def _page(taken_in: WalkIn | None) -> str:
    here = this_desk()
    again = taken_in is not None and isinstance(taken_in.verdict, NotRecognised)
    found = taken_in.found if taken_in else None
    remembered = here.journal.remembered()
    return render_template(
        "staff/walk_in.html",
        taken_in=taken_in,
        listing=here.directory.find(found.ref) if found else None,
        name=request.form.get("name", "") if taken_in else "",
        kept=request.form if again else {},
        session=remembered.session,
        leaving=remembered.leaving,
        intent_id=uuid7(),
    )
