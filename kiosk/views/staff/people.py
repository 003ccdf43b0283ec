"""Finding somebody by name, and checking them in by hand."""

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk.actions import people as actions
from kiosk.actions.people import Match
from kiosk.views import this_desk, wants_fragment
from kiosk.views.desk import arrived
from kiosk.views.staff import bp


@bp.route("/people", methods=["GET", "POST"])
def people() -> ResponseReturnValue:
    """Whoever has that name. By POST, so that no name is in an address, a history or a log."""
    return _page("staff/people_found.html" if wants_fragment() else "staff/people.html")


@bp.post("/people/<uuid:ref>/check-in")
def check_in_person(ref: UUID) -> ResponseReturnValue:
    """Somebody who was found stands at the desk; where people are leaving, they leave."""
    here = this_desk()
    reading = here.directory.reading()
    listing = here.directory.find(ref)
    if reading is None or listing is None:
        return _page("staff/people.html", gone=True), 404
    verdict = actions.by_hand(here.stores, listing, reading.position, session_id(), arrived(by_hand=True), is_leaving())
    if wants_fragment():
        match = actions.match(here.stores, here.journal.session(), listing)
        return render_template("staff/people_done.html", verdict=verdict, **_around(match=match))
    return _page("staff/people.html", verdict=verdict, listing=listing)


def session_id() -> UUID | None:
    """The session that the page of this form was about."""
    try:
        return UUID(request.form.get("session_id", ""))
    except ValueError:
        return None


def is_leaving() -> bool:
    """Whether the page of this form checks people out."""
    return request.form.get("leaving") == "yes"


def _page(template: str, **also: object) -> str:
    here = this_desk()
    query = request.form.get("q", "")
    reading = here.directory.reading()
    matches = None if reading is None else actions.search(here.stores, reading, query)
    told = {"verdict": None, "listing": None, "gone": False, **also}
    return render_template(template, query=query, matches=matches, **told, **_around())


def _around(match: Match | None = None) -> dict[str, object]:
    remembered = this_desk().journal.remembered()
    return {
        "match": match,
        "session": remembered.session,
        "leaving": remembered.leaving,
        "has_pin": remembered.lock is not None,
        "new_intent": uuid7,
    }
