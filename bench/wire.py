"""A wire to a server that counts what comes over it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Wire:
    """`received`: bytes from the server, headers and all."""

    port: int
    received: int = 0


@contextmanager
def counted_wire(server_port: int) -> Iterator[Wire]:
    """Listens up to the end of the block and passes everything on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(listener.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    near = listener.accept()[0]
                    far = socket.create_connection(("127.0.0.1", server_port))
                except OSError:
                    return
                threading.Thread(target=_pass_on, args=(near, far, None), daemon=True).start()
                threading.Thread(target=_pass_on, args=(far, near, wire), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield wire
        listener.shutdown(socket.SHUT_RDWR)


def _pass_on(source: socket.socket, target: socket.socket, count: Wire | None) -> None:
    with source, target:
        try:
            while data := source.recv(256 * 1024):
                if count is not None:
                    count.received += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
