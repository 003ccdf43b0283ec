"""The one page that phones get: check in, with one's own hands, to what the desk stands at."""

import ipaddress
from collections.abc import Iterable
from typing import cast
from uuid import UUID

from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from uuid_utils.compat import uuid7
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from kiosk import clock
from kiosk.actions import arrivals
from kiosk.rules.verdicts import (
    AlreadyIn,
    CheckedOut,
    Noted,
    NotRecognised,
    NotRecorded,
    SeeStaff,
    Verdict,
    Welcome,
)
from kiosk.store import sqlite
from kiosk.store.invitations import Invitation, TurnedAway, Turnstile
from kiosk.store.remembered import Remembered
from kiosk.views import this_desk
from kiosk.views.once import Said
from kiosk.views.phone_link import site, this_line
from sync.messages import Moment
from ui.language import html_lang

HOLDER = "holder"
"""Where a phone's cookie holds what it opened its link with."""
MISSES_A_LINK = 3

# The neighbourhood: this device, its network, and nobody beyond a router. 100.64/10 belongs to carriers, whose other
# customers are strangers.
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NEAR = [
    ipaddress.ip_network(each)
    for each in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
]

bp = Blueprint("phone", __name__)


def guard(app: Flask) -> None:
    """Lets in who may come, before anything else looks at a request, and answers whatever goes wrong in words."""
    app.before_request(_let_in)
    app.register_error_handler(TurnedAway, lambda error: _turned_away(error.code, 410))
    app.register_error_handler(CSRFError, lambda _: _turned_away("expired", 400))
    app.register_error_handler(RequestEntityTooLarge, lambda _: _turned_away("too_long", 413))
    app.register_error_handler(HTTPException, lambda error: _turned_away("nothing", error.code or 500))
    for trouble in (sqlite.StoreDamaged, sqlite.StoreTooNew, sqlite.NotRecorded):
        app.register_error_handler(trouble, lambda _: _turned_away("out_of_order", 503))


@bp.get("/p/<token>")
def page(token: str) -> ResponseReturnValue:
    """Open the link; with it open, the form or the answer it got."""
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        # Somebody looks ahead. The link is for who comes.
        return "", 503
    here = this_desk()
    invitation = here.invitations.open(token, session.get(HOLDER), clock.now().since_boot_ms)
    if session.get(HOLDER) != invitation.holder:
        # A link of before is done with.
        session.clear()
        session[HOLDER] = invitation.holder
    return _page(here.journal.remembered(), invitation, moved=request.args.get("moved") == "yes")


@bp.post("/p/<token>")
def check_in(token: str) -> ResponseReturnValue:
    """Somebody typed something on their phone. The answer stays with the link for as long as the link lives."""
    here = this_desk()
    moment = clock.now()
    invitation = here.invitations.held(token, session.get(HOLDER), moment.since_boot_ms)
    remembered = here.journal.remembered()
    if remembered.session is None or request.form.get("purpose") != purpose(remembered):
        # The desk was switched while the form was open: whoever filled it in should know what for.
        return redirect(_address(token, moved="yes"), 303)
    with invitation.turn:
        if not invitation.spent:
            verdict = _verdict(remembered.session.id, remembered.leaving, moment, invitation.misses)
            if isinstance(verdict, NotRecorded):
                return make_response(_page(remembered, invitation, Said(verdict, remembered.session.id)), 503)
            _keep(invitation, Said(verdict, remembered.session.id))
    return redirect(_address(token), 303)


def purpose(remembered: Remembered) -> str:
    """What a form is for: which session, and whether people come to it or leave."""
    session_id = "" if remembered.session is None else str(remembered.session.id)
    return f"{session_id} {'out' if remembered.leaving else 'in'}"


def _address(token: str, moved: str | None = None) -> str:
    return url_for("phone.page", token=token, lang=html_lang(), moved=moved)


def _verdict(session_id: UUID, leaving: bool, moment: Moment, misses: int) -> Verdict:
    if misses >= MISSES_A_LINK:
        return SeeStaff("too_many_misses")
    here = this_desk()
    who = arrivals.Arrival(request.form.get("identifier", ""), None, moment, uuid7())
    ask = arrivals.check_out if leaving else arrivals.check_in
    return ask(here.stores, session_id, who, here.misses)


def _keep(invitation: Invitation[Said], said: Said) -> None:
    """Whoever is in, or was sent to staff too often, is done with the link; others may try again."""
    verdict = said.verdict
    invitation.answer = said
    # Being sent to staff tells somebody who tries out addresses just as much as not being known.
    unknown = isinstance(verdict, NotRecognised) and verdict.reason in ("unknown_card", "unknown_pass")
    invitation.misses += unknown or isinstance(verdict, SeeStaff)
    done = isinstance(verdict, Welcome | AlreadyIn | Noted | CheckedOut)
    invitation.spent = done or verdict == SeeStaff("too_many_misses")


def _page(remembered: Remembered, invitation: Invitation[Said], said: Said | None = None, moved: bool = False) -> str:
    here = this_desk()
    moved = moved and not invitation.spent
    # What was said about another session would only confuse now.
    said = None if moved else said or invitation.answer
    verdict = None if said is None else said.verdict
    about = remembered.session
    if said is not None and said.session_id is not None:
        about = arrivals.session_for(remembered, here.roster, said.session_id)
    return render_template(
        "phone/check_in.html",
        standing=remembered.standing,
        session=about,
        now_for=remembered.session,
        leaving=remembered.leaving,
        purpose=purpose(remembered),
        verdict=verdict,
        spent=invitation.spent,
        moved=moved,
    )


def _let_in() -> ResponseReturnValue | None:
    where = site(this_desk().journal.remembered(), this_line().port)
    if where is None:
        return _turned_away("nothing", 404)
    if request.endpoint in ("static", "ui.static"):
        # They hold nothing, and whoever is turned away reads why on a page that has its looks.
        return None
    if not is_near(request.remote_addr, this_desk().config.phone_networks):
        return _turned_away("outside", 403)
    if request.headers.get("Host", "").lower() != where.lower():
        # Another name that leads here is another site's doing (DNS rebinding).
        return _turned_away("wrong_name", 421)
    turnstile = cast(Turnstile, current_app.extensions["turnstile"])
    wait_s = turnstile.wait_s(request.remote_addr or "", clock.now().since_boot_ms)
    return _turned_away("too_often", 429, wait_s) if wait_s else None


def is_near(address: str | None, also: Iterable[Network] = ()) -> bool:
    """Whether that is an address of a private network, or of one of those that count as near here."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in each for each in (*_NEAR, *also))


def _turned_away(code: str, status: int, wait_s: int | None = None) -> ResponseReturnValue:
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return render_template("phone/turned_away.html", code=code, wait_s=wait_s), status, headers
