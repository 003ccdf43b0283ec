"""Ballast: room that is taken while there is plenty, and given up for check-ins when the disk has run full."""

import os
from contextlib import suppress
from pathlib import Path

SIZE = 2 * 1024 * 1024
"""Bytes: room for two thousand check-ins."""
_SPARE = 1024 * 1024
_LEAST_FREE = 256 * 1024


class Ballast:
    """The ballast in one file, beside what it is for. Several programs may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def held(self) -> int:
        """Bytes that can be had by giving it up."""
        try:
            return self._path.stat().st_blocks * 512
        except OSError:
            return 0

    def take_on(self) -> None:
        """Takes the room, if there is plenty; else nothing happens."""
        if self.held >= SIZE or _free(self._path.parent) < SIZE + _SPARE:
            return
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                # A file that is only as long as this has no room of its own.
                os.posix_fallocate(handle, 0, SIZE)
            finally:
                os.close(handle)
        except OSError:
            self.give_up()

    def make_way(self) -> None:
        """Gives the room up when little else is left."""
        if _free(self._path.parent) < _LEAST_FREE:
            self.give_up()

    def give_up(self) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _free(folder: Path) -> int:
    try:
        disk = os.statvfs(folder)
    except OSError:
        # Not made yet: nothing is known to be lacking.
        return SIZE
    return disk.f_bavail * disk.f_frsize
