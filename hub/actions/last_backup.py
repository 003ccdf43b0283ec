"""When this hub was last backed up: a small note in its data folder, for `hub doctor`."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from sync.messages import Instant

NOTE = "last-backup.json"


class LastBackup(msgspec.Struct, frozen=True):
    """A backup that was made and looked through."""

    at: Instant
    file: str


def keep(data_dir: Path, file: Path, at: datetime) -> None:
    """Write it down. Where the folder takes no note, the backup is as good without."""
    with suppress(OSError):
        (data_dir / NOTE).write_bytes(msgspec.json.encode(LastBackup(at, str(file.absolute()))))


def read(data_dir: Path) -> LastBackup | None:
    """The last one, or None when there was none yet."""
    try:
        return msgspec.json.decode((data_dir / NOTE).read_bytes(), type=LastBackup)
    except (OSError, msgspec.DecodeError):
        return None
