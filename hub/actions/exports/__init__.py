"""Files on their way out: who may have been at an event, and all students.

Each export reads one moment of the database, writes it into a file of the caller's, and is in the audit log before
anybody is given that file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from hub.actions import audit
from hub.actions.exports.words import Language
from hub.database import writing
from hub.errors import NotWritten
from hub.scratch import clear_abandoned, scratch

_SCRATCH = ".export-"


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
            with scratch(self.folder, _SCRATCH) as folder:
                yield folder
        except OSError as error:
            raise NotWritten(
                f"The export cannot be written: {error.strerror}. It needs room in {self.folder} and where it goes."
            ) from error

    def note(self, what: str, **about: str | int | None) -> None:
        """Write it into the audit log."""
        with writing(self.engine) as conn:
            audit.note(conn, self.institution_id, self.now, self.who, what, **about)

    def local(self, moment: datetime | None) -> datetime | None:
        """A moment as clocks show it at this place."""
        return None if moment is None else moment.astimezone(self.zone)


def clear_scratch(folder: Path) -> None:
    """Remove from the hub's own folder what exports wrote on the way when they were ended."""
    clear_abandoned(folder, _SCRATCH)
