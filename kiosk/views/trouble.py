"""What is answered when a request cannot be: always with a way out, never with a success."""

import logging

from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from kiosk.rules.verdicts import NotRecognised, NotRecorded, Verdict
from kiosk.store import sqlite
from kiosk.views import wants_fragment, wants_json
from kiosk.views.desk import answer

_READ_AT_MOST = 4 * 1024 * 1024

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    app.register_error_handler(sqlite.StoreDamaged, _out_of_order)
    app.register_error_handler(sqlite.StoreTooNew, _out_of_order)
    app.register_error_handler(sqlite.NotRecorded, _out_of_order)
    app.register_error_handler(CSRFError, _page_expired)
    app.register_error_handler(RequestEntityTooLarge, _too_long)
    app.register_error_handler(SecurityError, _wrong_name)
    app.register_error_handler(HTTPException, _refused)


def _out_of_order(
    error: sqlite.StoreDamaged | sqlite.StoreTooNew | sqlite.NotRecorded,
) -> ResponseReturnValue:
    code = error.reason if isinstance(error, sqlite.NotRecorded) else error.code
    _log.error("out of order: %s", code)
    if wants_json():
        return jsonify(status="out_of_order", problem=code), 503
    if wants_fragment():
        # The page that is open stays as it was; it is not told that all is well.
        return "", 503
    return render_template("out_of_order.html", code=code), 503


def _page_expired(error: CSRFError) -> ResponseReturnValue:
    if _is_check_in():
        # The answer carries a fresh token: the next try works.
        return _answered(NotRecorded("page_expired"), 400)
    return _refused(error)


def _too_long(error: RequestEntityTooLarge) -> ResponseReturnValue:
    # Read to its end before it is answered: a browser that is still sending would hear of nothing but a cut line.
    request.environ["wsgi.input"].read(min(request.content_length or 0, _READ_AT_MOST))
    return _answered(NotRecognised("too_long")) if _is_check_in() else _refused(error)


def _answered(verdict: Verdict, status: int | None = None) -> ResponseReturnValue:
    try:
        return answer(verdict, status)
    except (sqlite.StoreDamaged, sqlite.StoreTooNew, sqlite.NotRecorded) as error:
        # What a handler raises no other handler is asked about.
        return _out_of_order(error)


def _refused(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if wants_json():
        return jsonify(status=status, problem=error.name), status
    return render_template("error.html", status=status), status


def _wrong_name(error: SecurityError) -> ResponseReturnValue:
    # No address of ours can be built under a name we do not answer to: this page links nothing.
    return render_template("wrong_name.html"), error.code or 400


def _is_check_in() -> bool:
    return request.endpoint in ("desk.check_in", "desk.check_out")
