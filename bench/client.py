"""An HTTP client that costs little itself: prepared bytes over one connection that is kept open."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

PATIENCE_S = 60


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One kept connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: bytes) -> Answer:
        """Sends the request and reads one answer. Raises `OSError`."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        answer = self._read(self._socket)
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def _read(self, channel: socket.socket) -> Answer:
        data = b""
        while b"\r\n\r\n" not in data:
            data += _received(channel)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ", 2)[1])
        length = 0 if status in (204, 304) else int(headers["content-length"])
        while len(body) < length:
            body += _received(channel)
        return Answer(status, headers, body)


def _received(channel: socket.socket) -> bytes:
    data = channel.recv(256 * 1024)
    if not data:
        raise ConnectionResetError("the server closed the connection")
    return data


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request as bytes."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {text}" for name, text in (headers or {}).items()),
    ]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def form(path: str, **fields: str) -> bytes:
    """A form sent by a program at the desk, which wants JSON."""
    headers = {
        "Accept": "application/json",
        "X-Kiosk-Client": "bench",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return request("POST", path, headers, urlencode(fields).encode())


@dataclass(slots=True)
class Timed:
    """What a run of requests came to. `failed`: no answer, or none of those wanted."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    total_s: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.total_s


def for_a_while(requests: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    """The requests, as far as the time allows: a slow disk makes a run shorter, not the whole bench longer."""
    end = time.perf_counter() + seconds
    for each in requests:
        yield each
        if time.perf_counter() > end:
            return


def in_turn(port: int, requests: Iterable[bytes], wanted: bytes = b"", pause_s: float = 0.0) -> Timed:
    """One client, one request after the other. `wanted` is in every good answer; only status 200 and 304 are good."""
    timed = Timed()
    connection = Connection(port)
    begun = time.perf_counter()
    for each in requests:
        _one(connection, each, wanted, timed)
        if pause_s:
            time.sleep(pause_s)
    timed.total_s = time.perf_counter() - begun
    connection.close()
    return timed


def at_once(port: int, clients: Sequence[Sequence[bytes]], seconds: float, wanted: bytes = b"") -> Timed:
    """Several clients, each with its own connection and requests, beginning together; as far as the time allows."""
    parts = [Timed() for _ in clients]
    barrier = threading.Barrier(len(clients) + 1)

    def work(requests: Sequence[bytes], timed: Timed) -> None:
        connection = Connection(port)
        barrier.wait()
        for each in for_a_while(requests, seconds):
            _one(connection, each, wanted, timed)
        connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in zip(clients, parts, strict=True)]
    for thread in threads:
        thread.start()
    barrier.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    total_s = time.perf_counter() - begun
    return Timed([s for part in parts for s in part.seconds], sum(part.failed for part in parts), total_s)


def _one(connection: Connection, request: bytes, wanted: bytes, timed: Timed) -> None:
    begun = time.perf_counter()
    try:
        answer = connection.ask(request)
    except (OSError, ValueError, KeyError):
        connection.close()
        timed.failed += 1
        return
    timed.seconds.append(time.perf_counter() - begun)
    if answer.status not in (200, 304) or wanted not in answer.body:
        timed.failed += 1
