"""The kiosk API of docs/wire.md: enrol, hand over, catch up. JSON in and out, problems as RFC 9457."""

import gzip
import zlib
from typing import TypeVar
from uuid import UUID

import msgspec
from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from hub import tls
from hub.actions import kiosks, receive, serve_roster
from hub.store.kiosks import Kiosk
from hub.views import config, engine, hub_id, hub_id_if_ready, now
from hub.views.openapi import document
from hub.views.problems import database, problem, refused
from hub.views.turns import NoTurn, Turns
from sync import SPOKEN
from sync.digests import BUCKETS
from sync.errors import CheckinError, DeviceUnknown, ProtocolTooOld, TooLarge, Unreadable
from sync.messages import HUB_HEADER, MAX_FACTS, MAX_PUSH_BYTES, Enrolment, Push, encode

bp = Blueprint("api", __name__, url_prefix="/api/v1")

WRITERS = 4
"""How many kiosks may wait for the database at once, in one process. On SQLite a large import keeps it to itself for as
long as it is being applied; the other half of the threads (`hub.server.THREADS`) is for people and for reading."""
_writing = Turns(WRITERS, wait_s=0.5)

_T = TypeVar("_T")


bp.register_error_handler(CheckinError, refused)
bp.register_error_handler(SQLAlchemyError, database)
bp.register_error_handler(NoTurn, lambda _: problem(503, "busy"))


@bp.post("/enrolments")
def enrol() -> ResponseReturnValue:
    """A kiosk exchanges its one-time code for its standing."""
    enrolment = _body(Enrolment)
    with _writing.one():
        return _json(kiosks.enrol(engine(), hub_id(), enrolment, now()), 201)


@bp.post("/streams/<uuid:stream_id>/facts")
def push(stream_id: UUID) -> ResponseReturnValue:
    """A kiosk hands over facts, or none of them: a heartbeat."""
    kiosk = _kiosk()
    pushed = _body(Push)
    if pushed.proto not in SPOKEN:
        raise ProtocolTooOld()
    if len(pushed.facts) > MAX_FACTS:
        raise TooLarge()
    with _writing.one():
        return _json(receive.receive(engine(), hub_id(), kiosk, stream_id, pushed, now()))


@bp.get("/feed")
def feed() -> ResponseReturnValue:
    """A kiosk catches up. 304 when there is nothing new."""
    kiosk = _kiosk()
    epoch, after, mark = _cursor()
    page = serve_roster.page_after(engine(), hub_id(), kiosk, epoch, after, mark)
    return Response(status=304) if page is None else _json(page)


@bp.get("/feed/digests")
def digests() -> ResponseReturnValue:
    """What the kiosk's roster should be made of by now."""
    return _json(serve_roster.digested(engine(), hub_id(), _kiosk()))


@bp.get("/feed/buckets/<int:number>")
def bucket(number: int) -> ResponseReturnValue:
    """Everything in one bucket of the roster."""
    kiosk = _kiosk()
    if number >= BUCKETS:
        raise Unreadable("not_a_bucket")
    return _json(serve_roster.bucket(engine(), hub_id(), kiosk, number))


@bp.get("/ca.pem")
def authority() -> ResponseReturnValue:
    """The authority under which this hub's certificate is, for a kiosk that was told its fingerprint. 404: none."""
    pem = tls.authority_pem(config().tls_folder)
    return abort(404) if pem is None else Response(pem, mimetype="application/x-pem-file")


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """This API, described."""
    return Response(document(), mimetype="application/json")


@bp.after_request
def name_the_hub(response: Response) -> Response:
    """Every answer says whose it is, so that no captive portal is taken for the hub."""
    known = hub_id_if_ready()
    if known is not None:
        response.headers[HUB_HEADER] = str(known)
    return response


def _kiosk() -> Kiosk:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise DeviceUnknown()
    return kiosks.recognise(engine(), token.strip())


def _cursor() -> tuple[UUID | None, int, UUID | None]:
    epoch = request.args.get("epoch", "")
    after = request.args.get("after", "0")
    mark = request.args.get("mark", "")
    try:
        return UUID(epoch) if epoch else None, min(_natural(after), 2**53), UUID(mark) if mark else None
    except ValueError as error:
        raise Unreadable("not_a_cursor") from error


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(text[:20])
    return int(text)


def _body(shape: type[_T]) -> _T:
    if request.mimetype != "application/json":
        raise Unreadable("media_type")
    try:
        return msgspec.json.decode(_bytes(), type=shape)
    except msgspec.ValidationError as error:
        raise Unreadable("wrong_shape", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("not_json") from error


def _bytes() -> bytes:
    raw = request.get_data()
    if request.headers.get("Content-Encoding", "").lower() == "gzip":
        raw = _unzipped(raw)
    if len(raw) > MAX_PUSH_BYTES:
        raise TooLarge()
    return raw


def _unzipped(raw: bytes) -> bytes:
    # Bounded, because a few kilobytes of gzip can hold gigabytes.
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        data = unzip.decompress(raw, MAX_PUSH_BYTES + 1)
    except zlib.error as error:
        raise Unreadable("not_gzip") from error
    if len(data) > MAX_PUSH_BYTES:
        raise TooLarge()
    if not unzip.eof:
        raise Unreadable("not_gzip")
    return data


def _json(message: msgspec.Struct, status: int = 200) -> Response:
    body = encode(message)
    response = Response(body, status, mimetype="application/json")
    if len(body) > 1_000 and request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(body, compresslevel=1, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response
