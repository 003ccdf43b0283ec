"""The events: which there are, who came, and where files of attendees go in and out."""

from typing import get_args
from uuid import UUID

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_security import auth_required

from hub.actions import agenda
from hub.actions.imports import jobs
from hub.store.agenda import When
from hub.views import engine, institution_id, now, page_number, place
from hub.views.imports import may_look

bp = Blueprint("events", __name__, url_prefix="/events")


@bp.get("")
@auth_required("session")
def listed() -> ResponseReturnValue:
    """Events, upcoming or past."""
    wished = request.args.get("when", "")
    when: When = "past" if wished == get_args(When)[1] else "upcoming"
    named, page = request.args.get("q", "").strip()[:100], page_number()
    found = agenda.listed(engine(), institution_id(), now(), when, named, page)
    pages = -(-(found.past if when == "past" else found.upcoming) // agenda.PAGE)
    return render_template("events.html", agenda=found, when=when, named=named, page=page, pages=pages)


@bp.get("/<uuid:event_id>")
@auth_required("session")
def one(event_id: UUID) -> ResponseReturnValue:
    """An event: its sessions with their numbers, and its files."""
    found = agenda.occasion(engine(), institution_id(), event_id)
    if found is None:
        abort(404)
    its_imports = jobs.listed(place(), now(), session_ids=[session.id for session, _ in found.sessions])
    return render_template("event.html", occasion=found, imports=its_imports, may_look=may_look)
