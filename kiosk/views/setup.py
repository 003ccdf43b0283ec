"""Which session this desk is for: before the doors open, and whenever staff switch it.

The staff's side guards these pages as its own.
"""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk import clock
from kiosk.actions import setting_up
from kiosk.store.remembered import Remembered
from kiosk.views import is_unlocked, refuse_strangers, this_desk
from sync.messages import Session
from ui.language import html_lang

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
    """This desk is for that session from now on: for those who come, or for those who are leaving it."""
    here = this_desk()
    leaving = request.form.get("leaving")
    try:
        session_id = UUID(leaving or request.form.get("session_id", ""))
    except ValueError:
        abort(400)
    if setting_up.choose_session(here.journal, here.roster, session_id, leaving is not None) is None:
        return choose_page(missing=True)
    if here.journal.remembered().lock is None:
        return redirect(url_for("desk.ready"), 303)
    # The way to the desk is the lock: nobody should walk away from an open one.
    flash("", "chosen")
    return redirect(url_for("setup.sessions", lang=html_lang()), 303)


def enrol_page() -> str:
    return render_template("enrol.html")


def choose_page(missing: bool = False) -> ResponseReturnValue:
    """Today's sessions first: that is what a desk is for. A locked desk leads to the page that asks for the PIN.

    `missing`: the session that was chosen is not on the list any more.
    """
    if not is_unlocked():
        return redirect(url_for("setup.sessions"), 303)
    here = this_desk()
    remembered = here.journal.remembered()
    return render_template(
        "sessions.html",
        agenda=sorted_out(here.roster.sessions(), clock.now().wall, here.config.timezone),
        chosen=remembered.session,
        leaving=remembered.leaving,
        sent_to=_sent_to(remembered),
        missing=missing,
    ), 404 if missing else 200


def sorted_out(sessions: list[Session], now: datetime, zone: tzinfo | None) -> Agenda:
    """Which of the sessions, in order of their start, are today's where the desk stands."""

    def day(moment: datetime) -> date:
        return clock.local(moment, zone).date()

    today = day(now)
    return Agenda(
        today=[each for each in sessions if day(each.starts) <= today <= day(each.ends)],
        later=[each for each in sessions if day(each.starts) > today],
        earlier=[each for each in reversed(sessions) if day(each.ends) < today and day(each.starts) <= today],
    )


def _sent_to(remembered: Remembered) -> UUID | None:
    return None if remembered.assignment is None else remembered.assignment.session_id
