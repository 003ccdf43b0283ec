"""The roster: the people and sessions this kiosk knows. Disposable: the hub gives it again whenever asked.

Lives in files called `roster-<number>-<random>.sqlite`; the greatest name is in use. A new one is loaded beside it as
`.loading` and renamed when its last page is in. It never takes the old one's name: SQLite names its journal after the
file, so a file replaced in place under an open reader could have a stranger's journal rolled into it. Numbers, not
moments, order the names, because a kiosk's clock may go back.

Somebody who copies these files reads tags and sealed greetings: no address, no card, no name.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sqlite_utils import Database

from kiosk.store import roster_rows as rows
from kiosk.store.roster_rows import Directory, Recognised, State
from kiosk.store.sqlite import (
    Connections,
    Kind,
    NotRecorded,
    StoreDamaged,
    StoreTooNew,
    explained,
    remove,
)
from sync.engine import Cursor
from sync.errors import HubMismatch
from sync.identifiers import Identifier, read
from sync.messages import Bucket, FeedPage, Session, Settings

_IN_USE = Kind(application_id=rows.APPLICATION_ID, migrations=rows.migrations, version=rows.VERSION, synchronous="FULL")
# A power cut while loading may spoil the file, which is then loaded again (see `boot`).
_LOADING = Kind(application_id=rows.APPLICATION_ID, migrations=rows.migrations, version=rows.VERSION, synchronous="OFF")

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RosterStatus:
    """How far the roster in use has come."""

    people: int
    position: int


class Roster:
    """The roster of one folder. Safe to share between threads; only the postman applies pages.

    A file that is damaged or from a newer version is thrown away, and until the next pull nobody is known.
    `boot` names this run of the device's kernel.
    """

    def __init__(self, folder: Path, boot: str) -> None:
        self._folder = folder
        self._boot = boot
        # Eight threads ask at once, and the postman's new file is noticed by whichever comes first.
        self._lock = threading.Lock()
        self._open: Connections | None = None
        self._counted: tuple[State, int] | None = None
        self._begins_anew = False

    def close(self) -> None:
        with self._lock:
            self._let_go()

    # --- the desk

    def recognise(self, text: str) -> Recognised:
        """Reads what was typed, scanned or swiped by the institution's card formats and looks it up: one look at one
        roster. Without a roster there are no cards, and nobody is found. Raises `Unreadable`."""
        seen = self._asked(lambda db: rows.recognised(db, text), None)
        return seen or Recognised(read(text, ()), None, 0)

    def look_up(self, identifier: Identifier) -> Recognised:
        """Whose identifier this is, in one look at one roster."""
        return self._asked(lambda db: rows.looked_up(db, identifier), Recognised(identifier, None, 0))

    def sessions(self) -> list[Session]:
        """Every session, the earliest first."""
        found: list[Session] = self._asked(rows.sessions, [])
        return sorted(found, key=lambda each: (each.starts, each.event, each.name))

    def session(self, session_id: UUID) -> Session | None:
        return self._asked(lambda db: rows.session(db, session_id), None)

    def settings(self) -> Settings | None:
        """What holds for the whole institution. None: there is no roster yet."""
        return self._asked(rows.settings, None)

    def directory(self) -> Directory | None:
        """Every person's sealed line. None: there is no roster yet."""
        return self._asked(rows.directory, None)

    def state(self) -> State | None:
        """Changes whenever the roster does. None: there is no roster yet."""
        return self._asked(rows.state, None)

    def status(self) -> RosterStatus | None:
        """None: there is no roster yet."""
        return self._asked(self._count, None)

    # --- catching up (sync.engine.Roster)

    def cursor(self) -> Cursor:
        """Where to go on: in the roster that is being loaded if there is one, else in the one in use."""
        loading = self._loading()
        if loading is not None:
            return loading
        if self._begins_anew:
            return Cursor(None, 0)
        return self._asked(_cursor, Cursor(None, 0))

    def apply(self, page: FeedPage) -> None:
        """The page's entries and the cursor after them, both or neither. A page with `start` begins a new roster,
        which takes the place of the old one when its last page is in."""
        if page.start is not None:
            self._begin(page.epoch, page.start.roster_key)
            self._begins_anew = False
        loading = _last(self._folder, "loading")
        if loading is None:
            self._add(self._current(), page)
            return
        with self._loader(loading) as files:
            self._add(files, page)
        if not page.more:
            self._put_in_use(loading)

    def digests(self) -> tuple[bytes, ...]:
        """What the roster in use is made of, by its own rows; a row that has rotted counts as not there."""
        return self._asked(rows.digested, ())

    def mend(self, bucket: Bucket) -> None:
        """Put everything of a bucket in the place of what is in it now."""
        files = self._current()
        if files is not None:
            with self._or_without(files), files.writing() as db:
                rows.mend(db, bucket)

    def begin_anew(self) -> None:
        """Ask for everything from the start; until it has come, what is there serves."""
        self._begins_anew = True

    def wipe(self) -> None:
        """Forget everybody: this kiosk was cut off."""
        self.close()
        for path in _files(self._folder, "loading", "sqlite"):
            remove(path)

    # --- files

    def _begin(self, epoch: UUID, roster_key: bytes) -> None:
        for unfinished in _files(self._folder, "loading"):
            remove(unfinished)
        number = max((_number(path) for path in _files(self._folder, "sqlite")), default=0) + 1
        path = self._folder / f"roster-{number:08d}-{secrets.token_hex(4)}.loading"
        with self._loader(path) as files, files.writing() as db:
            rows.begin(db, epoch, roster_key, self._boot)

    def _add(self, files: Connections | None, page: FeedPage) -> None:
        if files is None:
            raise HubMismatch("a page for a roster that is not here any more")
        with self._or_without(files), files.writing() as db:
            rows.take(db, page)

    @contextmanager
    def _or_without(self, files: Connections) -> Iterator[None]:
        """A file that cannot be read is thrown away."""
        try:
            yield
        except (StoreDamaged, StoreTooNew) as error:
            self._throw_away(files.path, error)
            raise

    def _loading(self) -> Cursor | None:
        path = _last(self._folder, "loading")
        if path is None:
            return None
        try:
            with self._loader(path) as files, files.reading() as db:
                meta = rows.meta(db)
        except (StoreDamaged, StoreTooNew) as error:
            self._throw_away(path, error)
            return None
        if meta.boot != self._boot:
            # Begun before the device went down: nobody knows what of it reached the disk.
            remove(path)
            return None
        if meta.whole:
            # Its last page was in, and then the disk or the program failed: nobody would send another.
            self._put_in_use(path)
            return None
        return Cursor(meta.epoch, meta.position, meta.mark)

    @contextmanager
    def _loader(self, path: Path) -> Iterator[Connections]:
        files = Connections(path, _LOADING, create=True)
        try:
            yield files
        finally:
            files.close()

    def _put_in_use(self, loading: Path) -> None:
        if loading.with_name(loading.name + "-wal").exists():
            # SQLite could not bring all of it into the file, and would not look for it under the other name.
            raise NotRecorded("disk_error", loading.name)
        with explained(loading):
            _fsync(loading)
            # Empty by now, but named after a file that is about to be called otherwise.
            loading.with_name(loading.name + "-journal").unlink(missing_ok=True)
            path = loading.with_suffix(".sqlite")
            loading.rename(path)
            _fsync(self._folder)
        for older in _files(self._folder, "sqlite"):
            if older != path:
                remove(older)

    def _asked(self, question: Callable[[Database], _T], nobody: _T) -> _T:
        """The roster's answer, or `nobody` when there is no roster that can be read."""
        try:
            return self._answer(question, nobody)
        except NotRecorded:
            # A newer roster may have taken the place of this one between two looks.
            pass
        try:
            return self._answer(question, nobody)
        except NotRecorded as error:
            _log.warning("roster not read, addresses are noted: %s", error.reason)
            return nobody

    def _answer(self, question: Callable[[Database], _T], nobody: _T) -> _T:
        files = self._current()
        if files is None:
            return nobody
        try:
            with files.reading() as db:
                return question(db)
        except (StoreDamaged, StoreTooNew) as error:
            self._throw_away(files.path, error)
            return nobody

    def _current(self) -> Connections | None:
        """The file in use now: a new one is noticed by its name."""
        with self._lock:
            path = _last(self._folder, "sqlite")
            if self._open is None or self._open.path != path:
                self._let_go()
                self._open = None if path is None else Connections(path, _IN_USE)
            return self._open

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _throw_away(self, path: Path, error: StoreDamaged | StoreTooNew) -> None:
        _log.warning("roster thrown away, the hub will give it again: %s", error.code)
        self.close()
        remove(path)

    def _count(self, db: Database) -> RosterStatus:
        state = rows.state(db)
        counted = self._counted
        if counted is None or counted[0] != state:
            counted = self._counted = (state, rows.count(db))
        return RosterStatus(people=counted[1], position=state[1])


def _cursor(db: Database) -> Cursor:
    meta = rows.meta(db)
    return Cursor(meta.epoch, meta.position, meta.mark)


# --- names of files


def _files(folder: Path, *endings: str) -> list[Path]:
    with explained(folder):
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            return []
    return [
        folder / name for name in sorted(names) if name.startswith("roster-") and name.rpartition(".")[2] in endings
    ]


def _last(folder: Path, ending: str) -> Path | None:
    return max(_files(folder, ending), default=None)


def _number(path: Path) -> int:
    number = path.name.split("-")[1]
    return int(number) if number.isdigit() else 0


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
