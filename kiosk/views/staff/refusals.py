"""Why somebody was sent away, in words for staff."""

from flask import render_template
from flask.typing import ResponseReturnValue

from kiosk.actions import arrivals
from kiosk.rules.codes import CODES
from kiosk.views import this_desk
from kiosk.views.staff import bp


@bp.get("/refusals")
def refusals() -> ResponseReturnValue:
    """The latest of this desk, and what every code means."""
    here = this_desk()
    remembered = here.journal.remembered()
    latest = here.refusals.latest()
    sessions = {each.session_id: None for each in latest}
    return render_template(
        "staff/refusals.html",
        latest=latest,
        sessions={each: arrivals.session_for(remembered, here.roster, each) for each in sessions},
        codes=CODES,
    )
