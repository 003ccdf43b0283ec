"""Few at a time: so that what takes long never has all the threads (`hub.server.THREADS`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from hub.errors import HubRefused


class NoTurn(HubRefused):
    """As many do this already as may at once; nothing was done, and the same may be asked again."""

    code = "no_turn"


class Turns:
    """`places` requests of one process at once; whoever comes then waits for `wait_s` seconds at most."""

    def __init__(self, places: int, wait_s: float) -> None:
        self._free, self._wait_s = BoundedSemaphore(places), wait_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """Be one of them until the block ends. Raises `NoTurn`."""
        if not self._free.acquire(timeout=self._wait_s):
            raise NoTurn("Others do this already. Try again in a moment.")
        try:
            yield
        finally:
            self._free.release()
