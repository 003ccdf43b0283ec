"""The staff's page: today's events with live counts, and the kiosks."""

from datetime import date, datetime
from hashlib import blake2b
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_datetime, format_decimal, format_time, get_locale
from flask_security import auth_required, current_user

from hub.actions import attendance
from hub.views import config, engine, now

bp = Blueprint("pages", __name__)


@bp.get("/")
@auth_required("session")
def today() -> ResponseReturnValue:
    """Today's events and the kiosks."""
    return render_template("today.html", **_live())


@bp.get("/live")
@auth_required("session")
def live() -> ResponseReturnValue:
    """The part of the page that changes; 304 while nothing did."""
    response = Response()
    response.set_etag(_stamp())
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie, Accept-Language"
    if request.if_none_match.contains(response.get_etag()[0] or ""):
        response.status_code = 304
        return response
    response.set_data(render_template("partials/live.html", **_live()))
    return response


def _live() -> dict[str, object]:
    moment = now()
    day = _local(moment).date()
    found = attendance.today(engine(), _institution_id(), day, config().time_zone)
    return {"today": found, "day": day, "moment": moment}


def _stamp() -> str:
    # The minute too: what is going on now changes without anybody doing anything.
    told = (attendance.stamp(engine(), _institution_id()), f"{_local(now()):%F %H:%M}", str(get_locale()))
    return blake2b(repr(told).encode(), digest_size=12).hexdigest()


def _institution_id() -> UUID:
    institution_id: UUID = current_user.institution_id
    return institution_id


def _local(moment: datetime) -> datetime:
    return moment.astimezone(config().time_zone)


@bp.app_template_filter("clock")
def clock(moment: datetime) -> str:
    """The time of day at this place, in 24 hours: no reader mistakes it."""
    return str(format_time(_local(moment), "HH:mm", rebase=False))


@bp.app_template_filter("in_full")
def in_full(day: date) -> str:
    """A day in full."""
    return str(format_date(day, "EEEE d MMMM y", rebase=False))


@bp.app_template_filter("day_and_time")
def day_and_time(moment: datetime) -> str:
    """Day and time, short."""
    return str(format_datetime(_local(moment), "d MMM, HH:mm", rebase=False))


@bp.app_template_filter("number")
def number(value: int) -> str:
    """A number, as this language groups its digits."""
    return str(format_decimal(value))
