"""Why people were sent away at this desk lately, for staff to look up. In memory only: not who, not what they gave."""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sync.messages import Method


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody was not let in, or not recorded. `at` is by this device's clock; `method` None: what came in could not
    be read."""

    at: datetime
    reason: str
    session_id: UUID
    method: Method | None


class Refusals:
    """The newest few."""

    AT_MOST = 50

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: deque[Refusal] = deque(maxlen=self.AT_MOST)

    def note(self, refusal: Refusal) -> None:
        """One more; beyond the limit the oldest goes."""
        with self._lock:
            self._noted.append(refusal)

    def latest(self) -> list[Refusal]:
        """The newest first."""
        with self._lock:
            return list(reversed(self._noted))
