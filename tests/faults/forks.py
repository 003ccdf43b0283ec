"""Kiosks and hubs that are quick to start: what serves is forked as well (see `tests.forks`), so a thousand of them can
be killed."""

import random
import socket
from contextlib import suppress
from pathlib import Path

from tests.forks import Forks
from tests.whole.programs import Forked, Hub, Kiosk, Program

_QUIET_PORTS = range(20_000, 32_000)
"""The system gives none of these to somebody who connects: a port stays free while its program is dead."""


class _FromForks(Program):
    """A program whose processes are all forked."""

    def start(self, *arguments: str) -> Forked:
        return self._fork(self.folder / f"{arguments[0]}.log", *arguments)

    def began(self) -> Forked:
        """Start to serve, and do not wait."""
        process = self._server = self.start("serve", "--port", str(self.port))
        return process

    def answers(self) -> bool:
        """Whether it is ready now."""
        return self._ready()


class ForkedHub(_FromForks, Hub):
    def __init__(self, forks: Forks, folder: Path, database_url: str) -> None:
        super().__init__(folder, database_url, forks)
        self.port = quiet_port()
        self.database_url = database_url


class ForkedKiosk(_FromForks, Kiosk):
    def __init__(self, forks: Forks, folder: Path) -> None:
        super().__init__(folder, forks)
        self.port = quiet_port()


def quiet_port() -> int:
    """A port nobody listens on, and that nobody is given by chance."""
    while True:
        port = random.choice(_QUIET_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
