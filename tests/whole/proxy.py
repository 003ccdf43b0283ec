"""A TCP proxy between a kiosk and its hub, for networks that fail at the worst moment."""

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from select import select
from typing import Literal, Self

Answers = Literal["pass", "cut", "hold"]

_PATIENCE_S = 90
_LOOKS_UP_S = 0.5
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """A connection ends as soon as it has carried `after` bytes of requests, or of answers; `reset`: not politely."""

    what: Literal["requests", "answers"]
    after: int
    reset: bool = False


@dataclass(slots=True)
class Carried:
    """How many bytes a connection has carried in each direction."""

    requests: int = 0
    answers: int = 0


class Proxy:
    """Requests always get through. What happens to answers is in `answers`, and may be changed at any time:
    they pass, or the connection is cut before their first byte, or they are held back for as long as somebody waits.
    With `cut`, every connection ends at that byte. `asked` is every byte of the requests, `carried` is what the newest
    connection has carried.

    Use as a context manager.
    """

    def __init__(self, hub_port: int) -> None:
        self.answers: Answers = "pass"
        self.cut: Cut | None = None
        self.asked = bytearray()
        self.carried = Carried()
        self._hub_port = hub_port
        self._withheld = threading.Event()
        self._asked = threading.Event()
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._listen)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        # Wakes the listener.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self._listener.getsockname()[1]), 5).close()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        self._listener.close()

    def withhold(self, answers: Answers) -> None:
        """From now on, do that to answers."""
        self._withheld.clear()
        self.answers = answers

    def wait_until_withheld(self) -> None:
        """Wait until an answer of the hub has come here and went no further: its request has been processed."""
        assert self._withheld.wait(_PATIENCE_S), "no answer came from the hub"

    def wait_until_asked(self, seconds: float = _PATIENCE_S) -> bool:
        """Wait for the next piece of a request on its way to the hub. False: none came in that time."""
        self._asked.clear()
        return self._asked.wait(seconds)

    def _listen(self) -> None:
        while True:
            kiosk, _ = self._listener.accept()
            if self._closing:
                kiosk.close()
                return
            thread = threading.Thread(target=self._carry, args=(kiosk,))
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]
            thread.start()

    def _carry(self, kiosk: socket.socket) -> None:
        with kiosk, suppress(OSError), socket.create_connection(("127.0.0.1", self._hub_port), 5) as hub:
            cut = self.cut
            carried = self.carried = Carried()
            ends = (kiosk, hub)
            for each in ends:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._closing and not _is_over(cut, carried):
                ready = select(ends, (), (), _LOOKS_UP_S)[0]
                if kiosk in ready and not self._carry_request(kiosk, hub, cut, carried):
                    break
                if hub in ready and not self._carry_answer(hub, kiosk, cut, carried):
                    break
            if cut is not None and cut.reset:
                for each in ends:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def _carry_request(self, kiosk: socket.socket, hub: socket.socket, cut: Cut | None, carried: Carried) -> bool:
        block = kiosk.recv(65_536)
        if cut is not None and cut.what == "requests":
            block = block[: cut.after - carried.requests]
        self.asked += block
        carried.requests += len(block)
        hub.sendall(block)
        self._asked.set()
        return bool(block)

    def _carry_answer(self, hub: socket.socket, kiosk: socket.socket, cut: Cut | None, carried: Carried) -> bool:
        block = hub.recv(65_536)
        if block and self.answers != "pass":
            # Held back: swallowed until one of the two ends has enough.
            self._withheld.set()
            return self.answers != "cut"
        if cut is not None and cut.what == "answers":
            block = block[: cut.after - carried.answers]
        carried.answers += len(block)
        kiosk.sendall(block)
        return bool(block)


def _is_over(cut: Cut | None, carried: Carried) -> bool:
    return cut is not None and (carried.requests if cut.what == "requests" else carried.answers) >= cut.after
