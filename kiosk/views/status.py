"""How the kiosk is: for programs, and in one quiet line for whoever looks after the desk."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, jsonify, make_response, render_template
from flask.typing import ResponseReturnValue

from kiosk import clock
from kiosk.rules.clocks import ahead
from kiosk.store.remembered import Remembered
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew
from kiosk.views import Desk, this_desk

WITHDRAWN_HEADER = "Kiosk-Withdrawn"
"""On the operator's line: the desk's page is not the one to show any more."""

SESSION_HEADER = "Kiosk-Session"
"""On the operator's line: what the desk is for now, as the desk's page carries it."""

bp = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class OperatorLine:
    """`list_from`: when the roster last agreed with the hub's; None as long as it never has.

    `waiting`: what the hub does not have yet, rehearsals left out; `last_sent`, when it last was given something.
    `clock_s`: seconds this device's clock is ahead of the hub's, negative when it is behind; None: nobody knows.
    """

    institution: str
    people: int | None
    list_from: datetime | None
    waiting: int
    last_sent: datetime | None
    clock_s: int | None
    problem: str | None


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The program runs. Touches no file."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """Whether somebody could check in now: the kiosk belongs to a hub and its disk takes a write."""
    here = this_desk()
    try:
        here.journal.probe()
        remembered = here.journal.remembered()
    except NotRecorded as error:
        return jsonify(status="not_ready", problem=error.reason), 503
    except (StoreDamaged, StoreTooNew) as error:
        return jsonify(status="not_ready", problem=error.code), 503
    if remembered.standing is None:
        return jsonify(status="not_ready", problem="not_enrolled"), 503
    if remembered.withdrawn:
        return jsonify(status="not_ready", problem="withdrawn"), 503
    return jsonify(status="ready", problem=None)


@bp.get("/status")
def line() -> ResponseReturnValue:
    """The operator's line, for the page to renew. A kiosk that was cut off meanwhile needs another page altogether,
    and so does one that was switched to another session."""
    here = this_desk()
    remembered = here.journal.remembered()
    response = make_response(render_template("partials/operator.html", operator=operator_line(here, remembered)))
    if remembered.withdrawn:
        response.headers[WITHDRAWN_HEADER] = "yes"
    response.headers[SESSION_HEADER] = purpose(remembered)
    return response


def purpose(remembered: Remembered) -> str:
    """Which session the desk is for, and which way people go there; empty as long as none is chosen."""
    session = remembered.session
    return "" if session is None else f"{session.id} {'out' if remembered.leaving else 'in'}"


def operator_line(here: Desk, remembered: Remembered) -> OperatorLine:
    standing, exchange = remembered.standing, remembered.exchange
    status = here.roster.status()
    off = ahead(exchange.sample, clock.now()) if exchange else None
    return OperatorLine(
        institution=standing.enrolled.institution if standing else "",
        people=status.people if status else None,
        list_from=exchange.well_at if exchange else None,
        waiting=here.journal.waiting().all,
        last_sent=exchange.sent_at if exchange else None,
        clock_s=None if off is None else round(off.total_seconds()),
        problem=exchange.problem if exchange else None,
    )
