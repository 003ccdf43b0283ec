"""What goes wrong under /api/, as RFC 9457 problem documents with stable codes."""

from http import HTTPStatus

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from hub.errors import NotReady
from hub.views import hub_id_if_ready
from sync.errors import (
    CheckinError,
    CodeRefused,
    DeviceRevoked,
    DeviceUnknown,
    ForeignStream,
    Fork,
    Gap,
    ProtocolTooOld,
    TooLarge,
    Unreadable,
)
from sync.messages import HUB_HEADER, MAX_PUSH_BYTES, Problem, StreamMark, encode

STATUS: dict[type[CheckinError], int] = {
    DeviceUnknown: 401,
    DeviceRevoked: 403,
    ForeignStream: 403,
    CodeRefused: 403,
    Gap: 409,
    Fork: 409,
    TooLarge: 413,
    ProtocolTooOld: 426,
    NotReady: 503,
}
HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "too_many_requests"}
UNREADABLE_STATUS = {"not_json": 400, "not_gzip": 400, "media_type": 415}
TITLES = {
    "device_unknown": "This token is not known here. Enrol the kiosk again.",
    "device_revoked": "This kiosk was cut off. It keeps its facts; hand it to staff.",
    "foreign_stream": "This stream belongs to another kiosk.",
    "code_refused": "This code is wrong, used, or older than ten minutes. Make a new one with `hub kiosks invite`.",
    "gap": "Facts are missing between what the hub holds and what was sent.",
    "fork": "The hub holds another history of this stream.",
    "too_large": f"A push has at most 200 facts and {MAX_PUSH_BYTES} bytes.",
    "proto_too_old": "This hub does not speak that version of the protocol.",
    "not_ready": "The hub is not ready.",
    "busy": "Not now. Send the same bytes again in a moment.",
    "not_json": "The body is not JSON.",
    "not_gzip": "The body is not the gzip it is said to be.",
    "media_type": "The body must be application/json.",
    "wrong_shape": "The JSON has not the shape that /api/v1/openapi.json describes.",
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not take that method.",
    "not_a_cursor": "`epoch` and `mark` are UUIDs or empty, `after` a number of 0 or more.",
    "not_a_bucket": "Buckets are numbered from 0 to 255.",
}


def refused(error: CheckinError) -> Response:
    """The problem document of an error from the tree in `sync.errors`."""
    if isinstance(error, Unreadable):
        return problem(UNREADABLE_STATUS.get(error.reason, 422), error.reason, detail=error.detail)
    return problem(
        STATUS.get(type(error), 500),
        error.code,
        stream=StreamMark(acked_seq=error.acked_seq, acked_hash=error.acked_hash) if isinstance(error, Gap) else None,
        at_seq=error.at_seq if isinstance(error, Fork) else None,
    )


def database(error: SQLAlchemyError) -> Response:
    """Nothing was kept; the kiosk sends the same bytes again."""
    _log(error)
    return problem(503, "busy")


def answer_with_problems(app: Flask) -> None:
    """Let what no view answers say so: under /api/ as a problem document, elsewhere as a page."""

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.response is not None:
            return error
        if not request.path.startswith("/api/"):
            page = current_app.jinja_env.get_template("refused.html").render(code=error.code)
            return Response(page, error.code, [each for each in error.get_headers() if each[0] != "Content-Type"])
        response = problem(error.code, HTTP_CODES.get(error.code, f"http_{error.code}"))
        for name, value in error.get_headers():
            if name.lower() == "allow":
                response.headers[name] = value
        return response

    @app.errorhandler(SQLAlchemyError)
    @app.errorhandler(NotReady)
    def not_now(error: Exception) -> tuple[str, int, dict[str, str]]:
        _log(error)
        # Not render_template: it would look up who is signed in, in the database that does not answer.
        return current_app.jinja_env.get_template("not_now.html").render(), 503, {"Retry-After": "5"}


def _log(error: Exception) -> None:
    # Never the statement or its values: they hold addresses.
    original = getattr(error, "orig", None)
    current_app.logger.warning("not now: %s %s", type(error).__name__, type(original).__name__ if original else "")


def problem(
    status: int,
    code: str,
    *,
    detail: str | None = None,
    stream: StreamMark | None = None,
    at_seq: int | None = None,
) -> Response:
    """A problem document; it names the hub, so that no captive portal's refusal is taken for ours."""
    document = Problem(
        type="about:blank",
        title=TITLES.get(code, HTTPStatus(status).phrase),
        status=status,
        code=code,
        hub_id=hub_id_if_ready(),
        detail=detail,
        stream=stream,
        at_seq=at_seq,
    )
    response = Response(encode(document), status, mimetype="application/problem+json")
    if document.hub_id is not None:
        # Whoever asks by HEAD gets no body.
        response.headers[HUB_HEADER] = str(document.hub_id)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response
