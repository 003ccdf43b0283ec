"""Mends a damaged journal while the desk goes on: starts `kiosk salvage`, and lets it work.

A process of its own, because SQLite's locks on a file belong to the process: in this one other threads hold some.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_AGAIN_MS = 60_000

_log = logging.getLogger(__name__)


class Mender:
    """Of one data folder. One salvage at a time, and not one after the other when it does not help."""

    def __init__(self, data_dir: Path, now_ms: Callable[[], int]) -> None:
        self._data_dir, self._now_ms = data_dir, now_ms
        self._lock = threading.Lock()
        self._at_work: subprocess.Popen[bytes] | None = None
        self._began_ms: int | None = None

    def mend(self) -> None:
        """Begins, unless it has begun lately. Does not wait: whoever asks again finds out how it went."""
        with self._lock:
            now_ms = self._now_ms()
            if self._is_at_work() or (self._began_ms is not None and now_ms - self._began_ms < _AGAIN_MS):
                return
            _log.error("the journal is damaged: kiosk salvage begins")
            try:
                self._at_work = self._begun()
                self._began_ms = now_ms
            except OSError as error:
                # No memory for another process, for one: whoever meets the damage next has it tried again.
                _log.warning("kiosk salvage cannot begin: %s", error.strerror)

    def close(self) -> None:
        """Waits until what has begun is done."""
        with self._lock:
            if self._at_work is not None:
                self._at_work.wait()

    def _begun(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "kiosk", "salvage"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "KIOSK_DATA_DIR": str(self._data_dir)},
        )

    def _is_at_work(self) -> bool:
        return self._at_work is not None and self._at_work.poll() is None
