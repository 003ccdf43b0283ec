"""Where an institution's imports are: their rows in the database, their files in a folder of their own each.

The upload, how far it has got, what was reported and the failed rows are files; what counts is in the database. Files
hold names and addresses: nobody else on this machine may read them, and after `KEPT_FOR` they are gone.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Engine

from hub.actions.imports import Report

KEPT_FOR = timedelta(days=30)
"""Uploads, reports, failed rows, and what an undoing needs."""

_T = TypeVar("_T")
Goal = Literal["check", "apply", "undo"]


class Progress(msgspec.Struct, frozen=True):
    """How far an import has got: rows done, and which part of the file that is, from 0 to 1."""

    rows: int
    part: float


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one import."""

    folder: Path

    @property
    def upload(self) -> Path:
        """The file as it came."""
        return self.folder / "upload"

    def make(self) -> None:
        """Make room for them."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def failed_rows(self, file: str | None) -> Path | None:
        """The failed-rows file of a result, if it is one of these and still there."""
        if not file:
            return None
        path = self.folder / Path(file).name
        hidden = path.with_name(f".{path.name}.part")
        if not path.exists() and hidden.is_file():
            # Whole, since it is synced before the import counts; whoever wrote it was stopped before it had its name.
            hidden.replace(path)
        return path if path.is_file() else None

    def write_progress(self, progress: Progress | None) -> None:
        """Say how far it has got; None: nothing is going on."""
        if progress is None:
            (self.folder / "progress.json").unlink(missing_ok=True)
        else:
            _write(self.folder / "progress.json", progress)

    def progress(self) -> Progress | None:
        """How far it has got, as far as that was said."""
        return _read(self.folder / "progress.json", Progress)

    def write_report(self, goal: Goal, report: Report) -> None:
        """Keep what people look at."""
        _write(self.folder / f"{goal}.json", report)

    def report(self, goal: Goal) -> Report | None:
        """What people look at, if it is still there."""
        return _read(self.folder / f"{goal}.json", Report)

    @contextmanager
    def held(self) -> Iterator[int]:
        """The lock of whoever is at work on this import, as a file's number; waits for who has it.

        Who is given that number holds the lock too, until the last of them closes it or ends, however it ends.
        """
        self.make()
        with open(self.folder / "lock", "a", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock.fileno()

    def at_work(self) -> bool:
        """Whether somebody is at work on this import now."""
        if not self.folder.is_dir():
            return False
        with open(self.folder / "lock", "a", opener=_private) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Place:
    """An institution's imports."""

    engine: Engine
    institution_id: UUID
    folder: Path

    def files(self, import_id: UUID) -> Files:
        """The files of one of them."""
        return Files(self.folder / str(import_id))

    def untouched_since(self, then: datetime) -> list[UUID]:
        """The imports whose files nobody has touched since."""
        if not self.folder.is_dir():
            return []
        found = []
        for folder in self.folder.iterdir():
            # There may be more than ours in it (`lost+found`), and somebody else may tidy up at the same time.
            with suppress(ValueError, OSError):
                import_id = UUID(folder.name)
                if folder.stat().st_mtime < then.timestamp():
                    found.append(import_id)
        return found

    @contextmanager
    def in_turn(self, name: str = "turn") -> Iterator[None]:
        """Until the block ends nobody else passes a turn of this name: imports wait as long as it takes."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.folder / f".{name}", "a", opener=_private) as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(path: Path, value: msgspec.Struct) -> None:
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb", opener=_private) as file:
        file.write(msgspec.json.encode(value))
    part.replace(path)


def _read(path: Path, kind: type[_T]) -> _T | None:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=kind)
    return None
