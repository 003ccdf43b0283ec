"""Whatever answers at the hub's address: the desk goes on as if nobody did, and nothing it says moves a mark.

The desk and the postman are real processes. Between them and a real hub stands one that misbehaves in every way there
is a name for.
"""

import base64
import gzip
import json
import os
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any, Self
from uuid import uuid4

from bench import people
from bench.client import Connection, form
from bench.report import percentile
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync import chain
from sync.hub_client import MAX_ANSWER_BYTES
from tests.faults.fair import Fair, Kept, Said, Visit, kept_in, on_disk, reckon, say
from tests.faults.outcome import Effort, Outcome
from tests.forks import Forks
from tests.whole.programs import PATIENCE_S, Kiosk, Process
from tests.whole.proxy import Proxy

PEOPLE, SESSIONS = 600, 200
LONGEST_S = 4.0
"""How long each of them misbehaves at full effort."""
QUIET = "quiet"
MIB = 1024 * 1024
_NEVER_MIB = 100
"""A postman that needs more than this for an answer is in danger on a small computer."""
_BLOCK = bytes(64 * 1024)


def bad_hubs(effort: Effort) -> Outcome:
    """All of them, or as many as the effort allows, with quiet in between."""
    return attempt(effort, BEHAVIOURS)


def attempt(effort: Effort, behaviours: dict[str, "Behaviour"]) -> Outcome:
    chance = Random(effort.seed)
    names = chance.sample(sorted(behaviours), min(len(behaviours), effort.share(20 * len(behaviours), least=5)))
    seconds = max(0.4, min(LONGEST_S, LONGEST_S * effort.scale * 10))
    with ExitStack() as ended:
        folder = ended.enter_context(on_disk("bad-hubs"))
        fair = Fair(ended.enter_context(Forks()), folder, PEOPLE, SESSIONS)
        ended.callback(fair.hub.kill)
        proxy = ended.enter_context(Proxy(fair.hub.port))
        kiosk = Kiosk(folder / "kiosk")
        ended.callback(kiosk.kill)
        with BadHub(behaviours) as bad:
            bad.stands_before(proxy)
            kiosk.enrol(fair.hub, bad.url)
            kiosk.serve()
            desk = _Desk(fair, kiosk)
            ended.callback(desk.close)
            trial = _Trial(kiosk, bad, desk, seconds)
            trial.go(QUIET)
            for number, name in enumerate(names):
                trial.go(name)
                if number % 3 == 2:
                    trial.go(QUIET)
            bad.behave(PASS)
            for _ in range(3):
                told = kiosk.post()
            kept = {kiosk.folder.name: desk.kept()}
            found = reckon(desk.said, kept, fair.held(), fair.counted())
    worst = max(trial.p99_ms, key=lambda name: trial.p99_ms[name])
    say("\n".join(f"  {name}: check-in p99 {p99:.1f} ms" for name, p99 in sorted(trial.p99_ms.items())))
    return Outcome(
        what=f"hubs that misbehave (slowest desk: {worst})",
        tried={"hubs": len(names), "check-ins": len(desk.said)},
        wrong={
            "lost": found.lost + told["waiting"],
            "doubled": found.doubled,
            "wrong screens": found.wrong_screens,
            "marks moved": len(trial.moved),
            "dead postmen": len(trial.dead),
        },
        measured={
            "quiet_p99_ms": trial.quiet_p99_ms,
            "worst_p99_ms": trial.p99_ms[worst],
            "worst_over_quiet": trial.p99_ms[worst] / trial.quiet_p99_ms,
            "postman_peak_mib": max(trial.peak_mib.values()),
        },
        told=tuple([*found.told, *trial.moved, *trial.dead, *trial.greedy()][:40]),
    )


@dataclass
class _Desk:
    """Somebody checks in, and then the next one, without a pause."""

    fair: Fair
    kiosk: Kiosk
    said: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = Connection(self.kiosk.port)
        self._visitors = ((session, each) for session in self.fair.sessions for each in range(self.fair.count))

    def take(self, seconds: float) -> list[float]:
        """How long each answer took."""
        took: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or not took:
            session, person = next(self._visitors)
            visit = Visit(self.kiosk.folder.name, session, person, people.address(person), str(uuid4()))
            asked = form(f"/sessions/{session}/check-ins", identifier=visit.identifier, intent_id=visit.intent_id)
            began = time.perf_counter()
            answer = json.loads(self._connection.ask(asked).body)
            took.append(time.perf_counter() - began)
            self.said.append(Said(visit, answer["verdict"], answer["check_in_id"]))
        return took

    def kept(self) -> Kept:
        """All that is in the kiosk's journal."""
        journal = Journal(self.kiosk.folder / "journal.sqlite")
        kept = kept_in(journal)
        journal.close()
        return kept

    def close(self) -> None:
        self._connection.close()


@dataclass
class _Trial:
    """One behaviour after the other, and what it did to the kiosk."""

    kiosk: Kiosk
    bad: "BadHub"
    desk: _Desk
    seconds: float
    p99_ms: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    _quiet: list[float] = field(default_factory=list)

    @property
    def quiet_p99_ms(self) -> float:
        return 1000 * percentile(self._quiet, 99)

    def go(self, name: str) -> None:
        if name == QUIET:
            self._quiet += self.desk.take(self.seconds)
            return
        before = self._state()
        self.bad.behave(name)
        postman = self.kiosk.start("post")
        try:
            # Somebody who refuses connections is never heard of.
            self.bad.called.wait(30 if name != REFUSES else 1)
            took = self.desk.take(self.seconds)
            self.p99_ms[name] = 1000 * percentile(took, 99)
            self.peak_mib[name] = _peak_mib(postman)
            if not postman.runs:
                self.dead.append(f"{name}: the postman ended: {postman.log.read_text('utf-8', 'replace')[-300:]}")
        finally:
            postman.kill()
        after = self._state()
        if name not in HONEST and before != after:
            self.moved.append(f"{name}: mark and roster were {before}, are {after}")

    def greedy(self) -> list[str]:
        """Who made the postman take much memory."""
        return [f"{name}: the postman took {mib:.0f} MiB" for name, mib in self.peak_mib.items() if mib > _NEVER_MIB]

    def _state(self) -> tuple[int, int, object]:
        journal, roster = Journal(self.kiosk.folder / "journal.sqlite"), Roster(self.kiosk.folder, "")
        status = roster.status()
        state = (journal.marks().acked_seq, status.people if status else 0, roster.state())
        journal.close()
        roster.close()
        return state


def _peak_mib(process: Process) -> float:
    with suppress(OSError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return 0.0


# --- the one that misbehaves


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came, unpacked."""

    line: str
    body: bytes
    hub_id: str

    @property
    def is_push(self) -> bool:
        return self.line.startswith("POST")

    @property
    def push(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body) if self.is_push else {}
        return told


Behaviour = Callable[[Asked], Iterator[bytes]]
"""The bytes that come back; the connection is closed after the last of them."""


class BadHub:
    """Stands where the kiosk believes its hub. `called` is set as soon as somebody asks. Use as a context manager."""

    def __init__(self, behaviours: dict[str, Behaviour]) -> None:
        self.called = Event()
        self.hub_id = ""
        self._behaviours = behaviours
        self._name = PASS
        self._ended = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._proxy: Proxy | None = None
        self._lines: list[tuple[socket.socket, Thread]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        Thread(target=self._listen, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._close()
        for kiosk, thread in self._lines:
            with suppress(OSError):
                kiosk.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)

    def stands_before(self, proxy: Proxy) -> None:
        """What it passes on goes there."""
        self._proxy = proxy

    def behave(self, name: str) -> None:
        """From now on, do that."""
        self.called.clear()
        if REFUSES in (name, self._name):
            self._close()
        if self._name == REFUSES != name:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            Thread(target=self._listen, args=(self._listener,), daemon=True).start()
        self._name = name

    def _close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                kiosk, _ = listener.accept()
                thread = Thread(target=self._answer, args=(kiosk,), daemon=True)
                self._lines = [*(each for each in self._lines if each[1].is_alive()), (kiosk, thread)]
                thread.start()

    def _answer(self, kiosk: socket.socket) -> None:
        name = self._name
        with kiosk, suppress(OSError, ValueError):
            if name == PASS:
                self._pass_on(kiosk)
                return
            if name == HANGS:
                self.called.set()
                self._ended.wait()
                return
            asked = self._read(kiosk)
            self.called.set()
            for block in self._behaviours[name](asked):
                kiosk.sendall(block)
                if self._ended.is_set() or self._name != name:
                    return

    def _pass_on(self, kiosk: socket.socket) -> None:
        self.called.set()
        assert self._proxy is not None
        host, _, port = self._proxy.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as hub:
            there = Thread(target=_carry, args=(kiosk, hub), daemon=True)
            there.start()
            _carry(hub, kiosk, self._learn)
            there.join(PATIENCE_S)

    def _learn(self, block: bytes) -> None:
        found = re.search(rb"Kiosk-Hub: ([0-9a-f-]{36})", block)
        if found:
            self.hub_id = found[1].decode()

    def _read(self, kiosk: socket.socket) -> Asked:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _some(kiosk)
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += _some(kiosk)
        if b"gzip" in head.lower().partition(b"content-encoding:")[2][:20]:
            body = gzip.decompress(body)
        return Asked(head.partition(b"\r\n")[0].decode("latin-1"), body, self.hub_id)


def _some(end: socket.socket) -> bytes:
    data = end.recv(65_536)
    if not data:
        raise ConnectionError
    return data


def _carry(here: socket.socket, there: socket.socket, see: Callable[[bytes], None] | None = None) -> None:
    with suppress(OSError):
        while block := here.recv(65_536):
            if see:
                see(block)
            there.sendall(block)
    for each in (here, there):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


# --- how it misbehaves

PASS = "passes everything on"
HANGS = "hangs"
REFUSES = "refuses connections"
HONEST = (PASS,)


def _whole(status: str, body: bytes = b"", kind: str = "application/json", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


def _endless(kind: str = "application/json", *more: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Type: {kind}", "Connection: close", *more, "", ""]).encode()


def _answer(asked: Asked, **changed: Any) -> dict[str, Any]:
    """What our hub would have said to this push, but for what is changed."""
    push = asked.push
    bodies = [json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode() for each in push["facts"]]
    before = base64.b64decode(push["prev_hash"])
    last = [before, *chain.hashes(before, bodies)][-1]
    mark = {"acked_seq": push["from_seq"] - 1 + len(bodies), "acked_hash": base64.b64encode(last).decode()}
    said = {
        "hub_id": asked.hub_id,
        "epoch": str(uuid4()),
        "hub_time": "2026-03-04T09:00:41Z",
        "stream": mark | changed.pop("stream", {}),
        "receipts": [],
    }
    return said | changed


def says(**changed: Any) -> Behaviour:
    """The answer our hub would give, but for what is changed. Nothing is kept."""

    def behave(asked: Asked) -> Iterator[bytes]:
        if asked.is_push:
            yield _whole("200 OK", json.dumps(_answer(asked, **changed)).encode())

    return behave


def _always(answer: bytes) -> Behaviour:
    return lambda _: iter((answer,))


def _problem(status: int, **told: Any) -> bytes:
    problem = {"type": "about:blank", "title": "No", "status": status} | told
    return _whole(f"{status} No", json.dumps(problem).encode(), "application/problem+json")


def _later(status: int, retry_after: str) -> Behaviour:
    return _always(_whole(f"{status} Later", b"", "text/plain", f"Retry-After: {retry_after}"))


def _drips(_: Asked) -> Iterator[bytes]:
    # To be slow is what this hub does wrong; the next one as well.
    yield _endless()
    while True:
        yield b" "
        time.sleep(1)


def _drips_its_head(_: Asked) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in count():
        yield f"X-{number}: a\r\n".encode()
        time.sleep(0.05)


def _heads_without_end(_: Asked) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    while True:
        yield b"x" * 65_536


def _floods(_: Asked) -> Iterator[bytes]:
    yield _endless()
    while True:
        yield os.urandom(65_536)


def _promises_ten_gigabytes(_: Asked) -> Iterator[bytes]:
    yield _endless("application/json", f"Content-Length: {10 * 1024 * MIB}")
    while True:
        yield _BLOCK


def _bombs(_: Asked) -> Iterator[bytes]:
    yield _endless("application/json", "Content-Encoding: gzip")
    squeezed = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _block in range(10 * 1024):
        yield squeezed.compress(bytes(MIB))
    yield squeezed.flush()


def _nests(_: Asked) -> Iterator[bytes]:
    yield _whole("200 OK", b"[" * (MAX_ANSWER_BYTES - 1))


def _nests_an_object(_: Asked) -> Iterator[bytes]:
    yield _whole("200 OK", b'{"hub_id":' * (MAX_ANSWER_BYTES // 12))


def _lies_about_its_length(_: Asked) -> Iterator[bytes]:
    yield _whole("200 OK", b"{}").replace(b"Content-Length: 2", b"Content-Length: 2000")


def _goes_round(asked: Asked) -> Iterator[bytes]:
    place = asked.line.split()[1]
    yield _whole("307 Temporary Redirect", b"", "text/plain", f"Location: {place}")


_START = {"acked_seq": 0, "acked_hash": "A" * 43 + "="}
_OTHER = "01990c1e-5a00-7c3e-8a51-0d6f3b1e9a11"
_PORTAL = b"<!doctype html><title>Welcome to our free Wi-Fi</title><a href=/accept>I agree</a>"

BEHAVIOURS: dict[str, Behaviour] = {
    PASS: lambda _: iter(()),
    HANGS: lambda _: iter(()),
    REFUSES: lambda _: iter(()),
    "closes at once": lambda _: iter(()),
    "drips": _drips,
    "drips its head": _drips_its_head,
    "heads without end": _heads_without_end,
    "floods": _floods,
    "promises ten gigabytes": _promises_ten_gigabytes,
    "bombs": _bombs,
    "nests": _nests,
    "nests an object": _nests_an_object,
    "speaks no HTTP": lambda _: iter((os.urandom(65_536),)),
    "lies about its length": _lies_about_its_length,
    "has more than there is": says(stream={"acked_seq": 2**52}),
    "has more than can be counted": says(stream={"acked_seq": 10**18}),
    "has less than nothing": says(stream={"acked_seq": -1}),
    "has another history": says(stream={"acked_hash": "A" * 43 + "="}),
    "is another hub": says(hub_id=_OTHER),
    "does not say who it is": says(hub_id=None),
    "asks for another hub": _always(_problem(409, code="gap", hub_id=_OTHER, stream=_START)),
    "cuts off for another hub": _always(_problem(403, code="device_revoked", hub_id=_OTHER)),
    "cuts off for nobody": _always(_problem(403, code="device_revoked")),
    "knows nobody": _always(_problem(401, code="device_unknown", hub_id=_OTHER)),
    "redirects": _always(_whole("302 Found", b"", "text/plain", "Location: http://127.0.0.1:1/")),
    "goes round": _goes_round,
    "is a captive portal": _always(_whole("200 OK", _PORTAL, "text/html")),
    "says nothing is new": _always(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"),
    "says nothing": _always(_whole("200 OK")),
    "says null": _always(_whole("200 OK", b"null")),
    "has no content": _always(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
    "is not here": _always(_whole("404 Not Found", b"<h1>404</h1>", "text/html")),
    "is broken": _always(_whole("500 Internal Server Error", b"<h1>500</h1>", "text/html")),
    "is busy": _later(503, "2"),
    "is busy for ever": _later(503, "1e308"),
    "is busy for longer": _later(429, "inf"),
    "is busy backwards": _later(429, "-5"),
    "is busy for no number": _later(503, "nan"),
    "is busy until a day": _later(503, "Fri, 31 Dec 1999 23:59:59 GMT"),
    "comes after a hundred others": _always(b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000),
}
"""By what the postman would call it."""
