"""Before the doors open: how to enrol, and which session this desk checks in to."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk import actions, clock
from kiosk.views import refuse_strangers, this_desk
from sync.messages import Session

bp = Blueprint("setup", __name__)
bp.before_request(refuse_strangers)


@dataclass(frozen=True, slots=True)
class Agenda:
    """The sessions of the roster, as an organiser looks for them."""

    today: list[Session]
    later: list[Session]
    earlier: list[Session]


@bp.get("/sessions")
def sessions() -> ResponseReturnValue:
    return enrol_page() if this_desk().journal.standing() is None else choose_page()


@bp.post("/sessions")
def choose() -> ResponseReturnValue:
    """This desk is for that session from now on."""
    here = this_desk()
    try:
        session_id = UUID(request.form.get("session_id", ""))
    except ValueError:
        abort(400)
    if actions.choose_session(here.journal, here.roster, session_id) is None:
        return choose_page(missing=True), 404
    return redirect(url_for("desk.ready"), 303)


def enrol_page() -> str:
    return render_template("enrol.html")


def choose_page(missing: bool = False) -> str:
    """Today's sessions first: that is what a desk is for."""
    here = this_desk()
    agenda = sorted_out(here.roster.sessions(), clock.now().wall, here.config.timezone)
    return render_template("sessions.html", agenda=agenda, chosen=here.journal.session(), missing=missing)


def sorted_out(sessions: list[Session], now: datetime, zone: tzinfo | None) -> Agenda:
    """Which of the sessions, in order of their start, are today's where the desk stands."""

    def day(moment: datetime) -> date:
        return clock.local(moment, zone).date()

    today = day(now)
    return Agenda(
        today=[each for each in sessions if day(each.starts) <= today <= day(each.ends)],
        later=[each for each in sessions if day(each.starts) > today],
        earlier=[each for each in reversed(sessions) if day(each.ends) < today],
    )
