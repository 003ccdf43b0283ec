"""The desk itself: the page students stand before, and their check-ins."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk import clock
from kiosk.actions import arrivals
from kiosk.rules.verdicts import NotRecorded, Verdict
from kiosk.store.remembered import Remembered
from kiosk.views import Desk, refuse_strangers, this_desk, wants_fragment, wants_json
from kiosk.views.ease import PATIENCE, ready_page
from kiosk.views.once import Said
from kiosk.views.phone_link import link
from kiosk.views.setup import choose_page, enrol_page
from kiosk.views.status import operator_line, purpose
from sync.messages import Session

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
    if remembered.session is None:
        return choose_page()
    said = here.once.take(request.args.get("said"))
    if said is None:
        return desk_page(here, remembered, None)
    return desk_page(here, remembered, said.verdict, said.session_id), {VERDICT_HEADER: said.verdict.code}


@bp.post("/sessions/<uuid:session_id>/check-ins")
def check_in(session_id: UUID) -> ResponseReturnValue:
    """Somebody typed, scanned or swiped something."""
    here = this_desk()
    return answer(arrivals.check_in(here.stores, session_id, arrived(), here.misses), session_id=session_id)


@bp.post("/sessions/<uuid:session_id>/check-outs")
def check_out(session_id: UUID) -> ResponseReturnValue:
    """Somebody leaves."""
    here = this_desk()
    return answer(arrivals.check_out(here.stores, session_id, arrived(), here.misses), session_id=session_id)


def arrived(by_hand: bool = False) -> arrivals.Arrival:
    """Who stands there, from the form of this request."""
    return arrivals.Arrival(
        text=request.form.get("identifier", ""),
        intent_id=_uuid(request.form.get("intent_id")),
        moment=clock.now(),
        new_id=uuid7(),
        by_hand=by_hand,
    )


def answer(verdict: Verdict, status: int | None = None, session_id: UUID | None = None) -> Response:
    """The verdict as JSON, as a fragment for htmx or as a page of its own."""
    here = this_desk()
    status = status or (503 if isinstance(verdict, NotRecorded) else 200)
    if wants_json():
        response = jsonify(_as_json(verdict))
    elif wants_fragment():
        # A verdict of trouble is told without asking the stores again, which may be what is in trouble.
        session = None if status != 200 else _session(here, here.journal.remembered(), session_id)
        leaving = request.endpoint == "desk.check_out"
        parts = {"verdict": verdict, "session": session, "leaving": leaving, "intent_id": uuid7()}
        response = make_response(render_template("partials/answer.html", **parts))
    elif status == 200:
        response = make_response(redirect(ready_page(said=here.once.keep(Said(verdict, session_id)))))
        status = 303
    else:
        response = make_response(desk_page(here, here.journal.remembered(), verdict, session_id))
    response.status_code = status
    response.headers[VERDICT_HEADER] = verdict.code
    return response


def _session(here: Desk, remembered: Remembered, session_id: UUID | None) -> Session | None:
    chosen = remembered.session
    wanted = session_id or (chosen.id if chosen else None)
    return None if wanted is None else arrivals.session_for(remembered, here.roster, wanted)


def desk_page(
    here: Desk,
    remembered: Remembered,
    verdict: Verdict | None,
    session_id: UUID | None = None,
    template: str = "desk.html",
) -> str:
    """The whole page students stand before, or another `template` with the same things on it."""
    settings = here.roster.settings()
    return render_template(
        template,
        session=_session(here, remembered, session_id),
        leaving=remembered.leaving,
        purpose=purpose(remembered),
        verdict=verdict,
        domains=settings.domains if settings else (),
        scanner={"map": remembered.scanner.changes} if remembered.scanner else None,
        keyboard=here.config.keyboard,
        intent_id=uuid7(),
        reset_ms=round(here.config.reset_s * 1000),
        default_language=here.config.language,
        patience=PATIENCE,
        sound=here.config.sound,
        operator=operator_line(here, remembered),
        phones=remembered.phones.on,
        phone=link(here, remembered),
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
