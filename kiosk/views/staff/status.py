"""How this desk is, in words."""

from flask import render_template
from flask.typing import ResponseReturnValue

from kiosk.config import APP
from kiosk.views import this_desk
from kiosk.views.staff import bp
from kiosk.views.status import operator_line


@bp.get("/status")
def status() -> ResponseReturnValue:
    """What staff want to know at a glance, then the details for whoever calls the office."""
    here = this_desk()
    remembered = here.journal.remembered()
    return render_template(
        "staff/status.html",
        operator=operator_line(here, remembered),
        waiting=here.journal.waiting(),
        rehearsed=here.journal.rehearsed(),
        remembered=remembered,
        salvage=here.journal.salvaged(),
        room_left=here.journal.room_left(),
        app=APP,
    )
