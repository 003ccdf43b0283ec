"""The PIN, and the lock."""

from datetime import timedelta

from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from kiosk import clock
from kiosk.actions import unlocking
from kiosk.views import DOOR, Desk, this_desk
from kiosk.views.staff import bp
from ui.language import html_lang

AWAY_MS = 60_000
"""Nobody types a PIN for so long: the students' page comes back."""


@bp.post("/unlock")
def unlock() -> ResponseReturnValue:
    """Open the staff's side with the PIN, at the page that was asked for. A wrong one, and any during the wait, gets
    the page that says how long."""
    here = this_desk()
    lock = here.journal.remembered().lock
    if lock is not None:
        key = unlocking.try_pin(here.journal, lock, request.form.get("pin", "").strip(), clock.now())
        if key is not None:
            _let_in(here, key, lock.salt)
    return redirect(url_for(_page_of_staff(request.form.get("next")), lang=html_lang()), 303)


@bp.post("/lock")
def lock() -> ResponseReturnValue:
    """Back to the students' side; nobody gets back without the PIN."""
    here = this_desk()
    here.door.lock()
    here.directory.forget()
    session.clear()
    return redirect(url_for("desk.ready"), 303)


def locked_page() -> str:
    """The page that asks for the PIN, or says when it may be tried again."""
    now = clock.now()
    here = this_desk()
    left_ms = unlocking.left_ms(here.journal, now)
    return render_template(
        "staff/locked.html",
        left_s=-(-left_ms // 1000),
        again_at=clock.local(now.wall + timedelta(milliseconds=left_ms), here.config.timezone),
        away_ms=AWAY_MS,
        asked_for=_page_of_staff(request.endpoint if request.method == "GET" else None),
    )


def _page_of_staff(endpoint: str | None) -> str:
    """That page, if it is one of the staff's side; else the first of them."""
    # By its name: an address could lead anywhere.
    pages = {
        rule.endpoint
        for rule in current_app.url_map.iter_rules()
        if rule.endpoint.startswith(("staff.", "setup.")) and "GET" in (rule.methods or ()) and not rule.arguments
    }
    return endpoint if endpoint and endpoint in pages - {"staff.awake"} else "staff.home"


def _let_in(here: Desk, key: bytes, salt: bytes) -> None:
    token = here.door.unlock(key, salt, clock.now().since_boot_ms)
    # Nothing of whoever used this browser before goes along.
    session.clear()
    session[DOOR] = token
    here.misses.forgive()
    here.directory.open(key, lambda: here.door.is_open(clock.now().since_boot_ms))
