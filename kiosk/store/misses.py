"""How often something nobody knows was tried at this desk lately. In memory only, and nothing of what was tried."""

import threading
from collections import deque


class Misses:
    """At most `limit` within `window_ms`, then it is `too_many` until the oldest are that long ago, or forgiven.

    A limit of 0 never is reached. Moments count since the device was started, so that setting its date changes nothing.
    """

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit, self._window_ms = limit, window_ms
        self._lock = threading.Lock()
        self._at: deque[int] = deque(maxlen=max(limit, 1))

    def note(self, at_ms: int) -> None:
        """One more."""
        with self._lock:
            self._at.append(at_ms)

    def too_many(self, at_ms: int) -> bool:
        """Whether staff should look."""
        with self._lock:
            if self._limit == 0 or len(self._at) < self._limit:
                return False
            return at_ms - self._at[0] < self._window_ms

    def forgive(self) -> None:
        """Staff have looked."""
        with self._lock:
            self._at.clear()
