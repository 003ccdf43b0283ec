"""Before the doors open: everything that must be well, what to do about what is not, and what a scanner sends."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk import clock
from kiosk.actions import preflight as actions
from kiosk.actions.scanning import Heard, hear
from kiosk.rules.preflight import all_well
from kiosk.store.sqlite import NotRecorded
from kiosk.views import this_desk
from kiosk.views.staff import bp
from ui.language import html_lang


@bp.get("/preflight")
def preflight() -> ResponseReturnValue:
    """Everything as it is; nothing is changed by looking."""
    return _page()


@bp.post("/preflight")
def check_everything() -> ResponseReturnValue:
    """Try everything now; or, when something was scanned into the field for it, say what came in."""
    here = this_desk()
    if "heard" in request.form:
        heard = hear(here.stores, request.form["heard"], request.form.get("took_ms"), request.form.get("suffix"))
        return _page(heard=heard)
    try:
        actions.try_everything(here.stores, here.config.data_dir, clock.now, uuid7(), here.connect)
    except NotRecorded as error:
        return _page(problem=error.reason), 503
    return redirect(url_for("staff.preflight", lang=html_lang()), 303)


def _page(problem: str | None = None, heard: Heard | None = None) -> str:
    here = this_desk()
    now = clock.now()
    checks = actions.examine(here.stores, now, here.config.timezone, problem)
    remembered = here.journal.remembered()
    return render_template(
        "staff/preflight.html",
        checks=checks,
        well=all_well(checks),
        looked_at=now.wall,
        remembered=remembered,
        heard=heard,
    )
