"""The desk itself: the page students stand before, and their check-ins."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk import actions, clock
from kiosk.rules import NotRecorded, Verdict
from kiosk.store.journal import Remembered
from kiosk.views import Desk, refuse_strangers, this_desk, wants_fragment, wants_json
from kiosk.views.setup import choose_page, enrol_page
from kiosk.views.status import operator_line

VERDICT_HEADER = "Kiosk-Verdict"
"""Names the verdict on every answer to a check-in: without it the page knows that no kiosk has answered."""

bp = Blueprint("desk", __name__)
bp.before_request(refuse_strangers)


@bp.get("/")
def ready() -> ResponseReturnValue:
    """The desk, or what is still missing before there can be one."""
    here = this_desk()
    remembered = here.journal.remembered()
    if remembered.standing is None:
        return enrol_page()
    if remembered.withdrawn:
        return render_template("withdrawn.html")
    return choose_page() if remembered.session is None else _page(here, remembered, None)


@bp.post("/sessions/<uuid:session_id>/check-ins")
def check_in(session_id: UUID) -> ResponseReturnValue:
    """Somebody typed, scanned or swiped something."""
    here = this_desk()
    arrival = actions.Arrival(
        text=request.form.get("identifier", ""),
        intent_id=_uuid(request.form.get("intent_id")),
        moment=clock.now(),
        new_id=uuid7(),
    )
    return answer(actions.check_in(here.journal, here.roster, session_id, arrival))


def answer(verdict: Verdict, status: int | None = None) -> Response:
    """The verdict as JSON, as a fragment for htmx or as a page of its own."""
    if wants_json():
        response = jsonify(_as_json(verdict))
    elif wants_fragment():
        response = make_response(render_template("partials/answer.html", verdict=verdict, intent_id=uuid7()))
    else:
        here = this_desk()
        response = make_response(_page(here, here.journal.remembered(), verdict))
    response.status_code = status or (503 if isinstance(verdict, NotRecorded) else 200)
    response.headers[VERDICT_HEADER] = verdict.code
    return response


def _page(here: Desk, remembered: Remembered, verdict: Verdict | None) -> str:
    return render_template(
        "desk.html",
        session=remembered.session,
        verdict=verdict,
        intent_id=uuid7(),
        reset_ms=round(here.config.reset_s * 1000),
        default_language=here.config.language,
        operator=operator_line(here, remembered),
        unanswered=NotRecorded("no_answer"),
    )


def _as_json(verdict: Verdict) -> dict[str, str | None]:
    check_in_id = getattr(verdict, "check_in_id", None)
    since = getattr(verdict, "since", None)
    return {
        "verdict": verdict.code,
        "greeting": getattr(verdict, "greeting", None),
        "check_in_id": None if check_in_id is None else str(check_in_id),
        "since": None if since is None else since.isoformat().replace("+00:00", "Z"),
        "reason": getattr(verdict, "reason", None),
    }


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
