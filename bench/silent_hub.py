"""A hub that takes a connection and never says a word, as wifi at a real door does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class SilentHub:
    """`called` is set as soon as somebody waits for its answer."""

    port: int
    called: threading.Event = field(default_factory=threading.Event)


@contextmanager
def silent_hub() -> Iterator[SilentHub]:
    """Listens up to the end of the block."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hub = SilentHub(listener.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return
                hub.called.set()

        threading.Thread(target=listen, daemon=True).start()
        yield hub
        listener.shutdown(socket.SHUT_RDWR)
    for each in kept:
        each.close()
