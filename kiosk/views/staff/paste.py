"""A whole group at once."""

from collections import Counter

from flask import render_template, request
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk import clock
from kiosk.actions import paste as actions
from kiosk.actions.arrivals import Arrival
from kiosk.actions.paste import Result
from kiosk.rules.pasting import MOST_LINES, Refused
from kiosk.rules.verdicts import SeeStaff
from kiosk.views import this_desk
from kiosk.views.staff import bp
from kiosk.views.staff.people import is_leaving, session_id

READ_AT_MOST = 1024 * 1024
"""Bytes of a form: a list that is too long comes back with the reason and all of its text."""


@bp.get("/paste")
def paste() -> ResponseReturnValue:
    """The box for the list."""
    return _page()


@bp.post("/paste")
def paste_list() -> ResponseReturnValue:
    """Check in everybody on the list; what came of each line is shown once, and kept nowhere."""
    here = this_desk()
    outcome = actions.paste(here.stores, session_id(), request.form.get("pasted", ""), _arrival, is_leaving())
    if isinstance(outcome, Refused | SeeStaff):
        return _page(refused=outcome, pasted=request.form.get("pasted", "")), 422
    return _page(outcome)


def far_too_large() -> str:
    """A form that was too large even to be looked at."""
    return _page(refused=Refused("too_large", count=request.content_length))


def _arrival(text: str) -> Arrival:
    return Arrival(text, None, clock.now(), uuid7(), by_hand=True)


def _page(results: list[Result] | None = None, refused: Refused | SeeStaff | None = None, pasted: str = "") -> str:
    here = this_desk()
    remembered = here.journal.remembered()
    return render_template(
        "staff/paste.html",
        results=results,
        counts=Counter(each.verdict.code for each in results or ()),
        refused=refused,
        pasted=pasted,
        person=here.directory.find,
        session=remembered.session,
        leaving=remembered.leaving,
        most_lines=MOST_LINES,
    )
