"""How the kiosk is: for programs, and in one quiet line for whoever looks after the desk."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, jsonify, make_response, render_template
from flask.typing import ResponseReturnValue

from kiosk.store.journal import Remembered
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew
from kiosk.views import Desk, this_desk

WITHDRAWN_HEADER = "Kiosk-Withdrawn"
"""On the operator's line: the desk's page is not the one to show any more."""

bp = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class OperatorLine:
    """`list_from`: when the roster last agreed with the hub's; None as long as it never has."""

    institution: str
    people: int | None
    list_from: datetime | None
    waiting: int
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
    """The operator's line, for the page to renew. A kiosk that was cut off meanwhile needs another page altogether."""
    here = this_desk()
    remembered = here.journal.remembered()
    response = make_response(render_template("partials/operator.html", operator=operator_line(here, remembered)))
    if remembered.withdrawn:
        response.headers[WITHDRAWN_HEADER] = "yes"
    return response


def operator_line(here: Desk, remembered: Remembered) -> OperatorLine:
    standing, exchange = remembered.standing, remembered.exchange
    status = here.roster.status()
    return OperatorLine(
        institution=standing.enrolled.institution if standing else "",
        people=status.people if status else None,
        list_from=exchange.well_at if exchange else None,
        waiting=here.journal.marks().waiting,
        problem=exchange.problem if exchange else None,
    )
