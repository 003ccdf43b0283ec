"""Files on their way out: who may have been at an event, and all students.

Each export reads one moment of the database, writes it into a file of the caller's, and is in the audit log before
anybody is given that file.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from hub.actions import audit
from hub.actions.exports.words import Language
from hub.database import writing
from hub.errors import NotWritten

_SCRATCH = ".export-"
_A_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Export:
    """Whose export it is, for whom, and in which language and time zone. `folder`: the hub's own, for what is written
    on the way."""

    engine: Engine
    institution_id: UUID
    who: str
    now: datetime
    language: Language
    zone: ZoneInfo
    folder: Path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that nobody else can read, for the length of the block. An `OSError` in it becomes `NotWritten`."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._tidy()
            with TemporaryDirectory(prefix=_SCRATCH, dir=self.folder) as folder:
                yield Path(folder)
        except OSError as error:
            raise NotWritten(
                f"The export cannot be written: {error.strerror}. It needs room in {self.folder} and where it goes."
            ) from error

    def _tidy(self) -> None:
        # A power cut leaves names and addresses behind; no export takes a day.
        for left in self.folder.glob(f"{_SCRATCH}*"):
            with suppress(OSError):
                if self.now.timestamp() - left.stat().st_mtime > _A_DAY:
                    rmtree(left)

    def note(self, what: str, **about: str | int | None) -> None:
        """Write it into the audit log."""
        with writing(self.engine) as conn:
            audit.note(conn, self.institution_id, self.now, self.who, what, **about)

    def local(self, moment: datetime | None) -> datetime | None:
        """A moment as clocks show it at this place."""
        return None if moment is None else moment.astimezone(self.zone)
