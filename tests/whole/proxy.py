"""A TCP proxy between a kiosk and its hub, for networks that fail at the worst moment."""

import socket
import threading
from contextlib import suppress
from typing import Literal, Self

Answers = Literal["pass", "cut", "hold"]

_PATIENCE_S = 90


class Proxy:
    """Requests always get through. What happens to answers is in `answers`, and may be changed at any time:
    they pass, or the connection is cut before their first byte, or they are held back for as long as somebody waits.
    `asked` is every byte of the requests.

    Use as a context manager.
    """

    def __init__(self, hub_port: int) -> None:
        self.answers: Answers = "pass"
        self.asked = bytearray()
        self._hub_port = hub_port
        self._withheld = threading.Event()
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

    def _listen(self) -> None:
        while True:
            kiosk, _ = self._listener.accept()
            if self._closing:
                kiosk.close()
                return
            thread = threading.Thread(target=self._carry, args=(kiosk,))
            self._threads.append(thread)
            thread.start()

    def _carry(self, kiosk: socket.socket) -> None:
        with kiosk, suppress(OSError), socket.create_connection(("127.0.0.1", self._hub_port), 5) as hub:
            there = threading.Thread(target=self._carry_requests, args=(kiosk, hub))
            there.start()
            self._carry_answers(hub, kiosk)
            # Ends the other direction, and with it a kiosk that still waits.
            for each in (kiosk, hub):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            there.join(_PATIENCE_S)

    def _carry_answers(self, hub: socket.socket, kiosk: socket.socket) -> None:
        while block := hub.recv(65_536):
            if self.answers == "pass":
                kiosk.sendall(block)
                continue
            self._withheld.set()
            if self.answers == "cut":
                return
            # Held back: swallowed until one of the two ends has enough.

    def _carry_requests(self, kiosk: socket.socket, hub: socket.socket) -> None:
        with suppress(OSError):
            while block := kiosk.recv(65_536):
                self.asked += block
                hub.sendall(block)
            # The kiosk is gone: so is whoever carries its answers.
            hub.shutdown(socket.SHUT_RDWR)
