"""The end of a session that asks for check-out: everybody has left."""

from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk import clock
from kiosk.actions import arrivals, leaving
from kiosk.store.sqlite import NotRecorded
from kiosk.views import this_desk
from kiosk.views.staff import bp
from kiosk.views.staff.recent import answered
from sync.messages import Session


@bp.get("/everyone-out")
def everyone_out() -> ResponseReturnValue:
    """How many are in, and the way to check all of them out; with `sure=ask` the question before that."""
    here = this_desk()
    session = here.journal.remembered().session
    return render_template(
        "staff/everyone_out.html",
        session=None if session is None else _session(session.id),
        inside=0 if session is None else here.journal.inside(session.id),
        sure=request.args.get("sure") == "ask",
        intent_id=uuid7(),
    )


@bp.post("/everyone-out")
def check_everyone_out() -> ResponseReturnValue:
    """Everybody has left the session that the page was about."""
    here = this_desk()
    try:
        session_id, intent_id = UUID(request.form.get("session_id", "")), UUID(request.form.get("intent_id", ""))
    except ValueError:
        abort(400)
    session = _session(session_id)
    if session is None or not session.check_out:
        abort(404)
    position = (here.roster.state() or (None, 0, 0))[1]
    new_id = uuid7()
    try:
        fact_id = leaving.everyone_out(here.journal, session.id, intent_id, clock.now(), new_id, position)
    except NotRecorded:
        return answered("not_recorded", new_id)
    return answered("everyone_out", fact_id)


def _session(session_id: UUID) -> Session | None:
    here = this_desk()
    return arrivals.session_for(here.journal.remembered(), here.roster, session_id)
