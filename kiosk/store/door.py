"""The door between the student's side of the desk and the staff's. In memory only: a restart locks it."""

import secrets
import threading
from dataclasses import dataclass


@dataclass(slots=True)
class _Opened:
    token: str
    key: bytes
    salt: bytes
    used_ms: int


class Door:
    """Open for one browser, with the directory key that the PIN gave; locks itself when unused for `idle_ms`.

    Moments count since the device was started: setting its date neither locks nor keeps open.
    """

    def __init__(self, idle_ms: int) -> None:
        self.idle_ms = idle_ms
        self._lock = threading.Lock()
        self._opened: _Opened | None = None

    def unlock(self, key: bytes, salt: bytes, at_ms: int) -> str:
        """Open it with the key that the lock of this salt gave; the token lets one browser through. Whoever was let
        through before is out."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._opened = _Opened(token, key, salt, at_ms)
        return token

    def enter(self, token: str | None, salt: bytes, at_ms: int) -> bytes | None:
        """The directory key for who holds the token, and the time starts again; None: the door is locked for them.

        Another salt is another lock: the PIN was changed, and who knew the old one is out.
        """
        with self._lock:
            opened = self._opened
            if opened is None or token is None or not secrets.compare_digest(opened.token.encode(), token.encode()):
                return None
            if opened.salt != salt or not 0 <= at_ms - opened.used_ms <= self.idle_ms:
                self._opened = None
                return None
            opened.used_ms = at_ms
            return opened.key

    def is_open(self, at_ms: int) -> bool:
        """Whether somebody may still come through. Asking keeps it open no longer."""
        with self._lock:
            return self._opened is not None and 0 <= at_ms - self._opened.used_ms <= self.idle_ms

    def lock(self) -> None:
        """Lock it, for everybody."""
        with self._lock:
            self._opened = None
