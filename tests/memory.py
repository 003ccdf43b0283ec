"""Files that need not outlive the machine, where nobody waits for a disk."""

import os
import shutil
from pathlib import Path

_PLACE = Path("/dev/shm")
_ROOM = 1 << 30
"""Less than this, as containers have it, is soon full."""


def memory() -> Path | None:
    """A folder whose files are in memory; None: there is none with room, so take any."""
    there = _PLACE.is_dir() and os.access(_PLACE, os.W_OK) and shutil.disk_usage(_PLACE).free > _ROOM
    return _PLACE if there else None
