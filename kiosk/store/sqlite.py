"""SQLite files: opening them, sharing their connections, and the only door for writes.

Nothing here knows what is in a file. What SQLite says when it fails becomes one of three errors, each with a code.
"""

import errno
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from sqlite_utils import Database, Migrations

from kiosk.store.ballast import Ballast
from sync.errors import Refused, TryLater

TIMEOUT_S = 10.0
"""Seconds to wait for another process that is writing."""

_TRUNCATE = "TRUNCATE"
_SYNCHRONOUS = {"OFF": 0, "NORMAL": 1, "FULL": 2}


_log = logging.getLogger(__name__)


class StoreDamaged(Refused):
    """The file is not a database of ours any more."""

    code = "store_damaged"

    def __init__(self, path: Path, detail: str = "") -> None:
        super().__init__(f"{path.name}: {detail}" if detail else path.name)
        self.path = path


class NotOurs(StoreDamaged):
    """The file is a database of another program, and holds nothing of ours."""

    code = "not_ours"


class StoreTooNew(Refused):
    """The file was written by a newer version of this program."""

    code = "store_too_new"

    def __init__(self, path: Path, detail: str = "") -> None:
        super().__init__(f"{path.name}: {detail}" if detail else path.name)
        self.path = path


class NotRecorded(TryLater):
    """The disk did not take it: nothing of this write is there. `reason` is a stable code."""

    code = "not_recorded"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Garbled(Exception):
    """What a file holds cannot have been written by this program; within `Connections` it becomes `StoreDamaged`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes a file one of ours: its mark, its version, how its tables come to be, how durable a write is.

    `precious`: nobody could give it again, and it is copied before its tables are changed.
    """

    application_id: int
    migrations: Migrations
    version: int
    synchronous: Literal["OFF", "NORMAL", "FULL"]
    precious: bool = False

    @property
    def journal_mode(self) -> str:
        # What is precious is all in one file: nothing is left in a log for somebody to overlook, and whoever mends it
        # finds nobody who holds it while idle.
        return _TRUNCATE if self.precious else _journal_mode()


@dataclass(frozen=True, slots=True)
class _Connection:
    """`file` is what it leads to; None when that is not certain, and then it serves once."""

    db: Database
    file: tuple[int, int] | None


class Connections:
    """The connections to one file. Each serves one thread at a time and is kept for the next.

    Opening costs more than a check-in, and threads come and go: so an idle connection goes to whoever asks next.
    `ballast` is given up when there is no room for a write. `when_damaged` is called whenever the file turns out to be,
    before `StoreDamaged` goes on its way.
    """

    def __init__(self, path: Path, kind: Kind, *, create: bool = False, ballast: Ballast | None = None) -> None:
        self.path = path
        self._ballast = ballast
        self.when_damaged: Callable[[], None] = lambda: None
        self._kind = kind
        self._create = create
        self._idle: list[_Connection] = []
        self._closed = False
        # Threads that wait for SQLite's own lock are overtaken by others; here they queue.
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """A connection to ask questions with. Raises `StoreDamaged`, `StoreTooNew` or `NotRecorded`."""
        with self._borrowed() as connection:
            yield connection.db

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One write transaction: all of it or nothing. Raises as `reading` does."""
        with self._turn, self._eased(), self._borrowed() as connection, write_tx(connection.db):
            # While this waited for its turn the file may have been put aside: nobody would look for a fact there.
            if connection.file is not None and connection.file != _identity(self.path):
                raise NotRecorded("busy", self.path.name)
            yield connection.db

    def close(self) -> None:
        """Closes what is idle; what is in use is closed when it comes back."""
        self._closed = True
        self.let_go()

    def let_go(self) -> None:
        """Closes what is idle, and opens it again when it is asked for."""
        with suppress(IndexError):
            while True:
                _close(self._idle.pop().db)

    @contextmanager
    def _eased(self) -> Iterator[None]:
        if self._ballast is not None:
            self._ballast.make_way()
        try:
            yield
        except NotRecorded as error:
            # Others fill the disk as well. This write is lost for good: whoever tries again finds room.
            if self._ballast is not None and error.reason == "disk_full":
                self._ballast.give_up()
            raise

    @contextmanager
    def _borrowed(self) -> Iterator[_Connection]:
        try:
            with explained(self.path), self._lent() as connection:
                yield connection
        except StoreDamaged:
            # Whoever mends it needs the file for itself.
            self.let_go()
            self.when_damaged()
            raise

    @contextmanager
    def _lent(self) -> Iterator[_Connection]:
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error:
            _close(connection.db)
            raise
        except BaseException:
            self._give_back(connection)
            raise
        self._give_back(connection)

    def _take(self) -> _Connection:
        file = _identity(self.path)
        # Other threads take from the same list: ask for one more until there is none.
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.file == file:
                    return connection
                # A file that was moved away takes its connections with it: nothing more may be written there.
                _close(connection.db)
        db = open_database(self.path, self._kind, create=self._create)
        return _Connection(db, file if file == _identity(self.path) else None)

    def _give_back(self, connection: _Connection) -> None:
        if connection.file is None or connection.file != _identity(self.path):
            _close(connection.db)
            return
        self._idle.append(connection)
        if self._closed:
            self.let_go()


@contextmanager
def write_tx(db: Database) -> Iterator[None]:
    """The only door for writes. Immediate: a transaction that reads first and writes later would not wait its turn."""
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.conn.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors, a full disk among them.
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        raise


def open_database(path: Path, kind: Kind, *, create: bool = False) -> Database:
    """The file, checked and brought up to date. Raises `StoreDamaged`, `StoreTooNew` or `NotRecorded`."""
    with explained(path):
        if create:
            _make_private(path)
        db = Database(_connect(path), execute_plugins=False)
        try:
            _prepare(db, path, kind)
        except BaseException:
            _close(db)
            raise
        return db


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what SQLite and the file system say into our errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _meaning(error, path) from error
    # SQLite's own words may quote what is in the file, and that is text no more.
    except (Garbled, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreDamaged(path, "not what was written") from error
    except OSError as error:
        raise NotRecorded(_os_reason(error), os.strerror(error.errno or 0)) from error


def room(path: Path) -> int:
    """Bytes that are free where a file lies."""
    with explained(path):
        disk = os.statvfs(path.parent)
        return disk.f_bavail * disk.f_frsize


def settle(path: Path) -> None:
    """Finishes or takes back what a killed writer left beside the file, if SQLite opens it. Raises `NotRecorded`."""
    try:
        with explained(path), closing(_connect(path)) as conn:
            conn.execute("PRAGMA journal_mode = TRUNCATE")
            conn.execute("SELECT count(*) FROM sqlite_master")
    except StoreDamaged:
        pass
    except NotRecorded as error:
        if not is_unreadable(error):
            raise


def is_unreadable(error: NotRecorded) -> bool:
    """Whether the disk cannot read a part of the file, which is no matter of waiting."""
    return getattr(error.__cause__, "sqlite_errorcode", None) in _UNREADABLE


def is_newer(path: Path, kind: Kind) -> bool:
    """Whether a newer program has been at work on the file, and it does not only say so."""
    question = "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = ?"
    try:
        with explained(path), closing(_connect(path)) as conn:
            return bool(conn.execute(question, [kind.migrations.name]).fetchone()[0] > kind.version)
    except StoreDamaged:
        return False


def sync_folder(folder: Path) -> None:
    """What was renamed in it stays so, through a power cut. Raises `NotRecorded`."""
    with explained(folder):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(path: Path) -> None:
    """The file and what SQLite may have left beside it. Raises `NotRecorded`."""
    with explained(path):
        for suffix in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    # Never created by SQLite itself: a file that has just been taken away must not come back empty.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


def _prepare(db: Database, path: Path, kind: Kind) -> None:
    _check_mark(db, path, kind)
    if _pragma(db, f"journal_mode = {kind.journal_mode}") != kind.journal_mode.lower():
        raise NotRecorded("journal_mode", path.name)
    db.conn.execute(f"PRAGMA synchronous = {kind.synchronous}")
    db.conn.execute("PRAGMA foreign_keys = ON")
    # Both are silent when they are not heard, and hold for this connection only.
    if (_pragma(db, "synchronous"), _pragma(db, "foreign_keys")) != (_SYNCHRONOUS[kind.synchronous], 1):
        raise NotRecorded("journal_mode", path.name)
    version = _pragma(db, "user_version")
    if version != kind.version:
        copy = _copied(db, path, kind) if kind.precious and version else None
        with write_tx(db):
            _check_mark(db, path, kind)
            kind.migrations.apply(db)
            db.conn.execute(f"PRAGMA application_id = {kind.application_id}")
            db.conn.execute(f"PRAGMA user_version = {kind.version}")
        if copy is not None:
            _remove_older(copy, path)


def _copied(db: Database, path: Path, kind: Kind) -> Path | None:
    """A copy of the file as it is, which was opened and looked through; None: the disk has no room for one.

    Without one the desk goes on all the same: students wait, and the tables are changed in one transaction or not.
    """
    copy = path.with_name(f"{path.stem}.before-v{kind.version}{path.suffix}")
    part = copy.with_name(f"{copy.name}.{os.getpid()}.part")
    try:
        with explained(part):
            _make_private(part)
            with closing(_connect(part)) as conn:
                db.conn.backup(conn)
                if conn.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                    raise StoreDamaged(path, "its copy is damaged")
            part.rename(copy)
            sync_folder(path.parent)
        return copy
    except NotRecorded as error:
        _log.warning("%s is brought up to date without a copy of it: %s", path.name, error.reason)
        return None
    finally:
        remove(part)


def _remove_older(copy: Path, path: Path) -> None:
    for each in path.parent.glob(f"{path.stem}.before-v*{path.suffix}"):
        if each != copy:
            remove(each)


def _check_mark(db: Database, path: Path, kind: Kind) -> None:
    mark = _pragma(db, "application_id")
    tables = db.conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if mark != kind.application_id and (mark or tables):
        raise StoreDamaged(path, "another program's file")
    version = _pragma(db, "user_version")
    if not isinstance(version, int) or version > kind.version:
        raise StoreTooNew(path, f"version {version}, this program knows {kind.version}")


def _pragma(db: Database, text: str) -> int | str:
    value: int | str = db.conn.execute(f"PRAGMA {text}").fetchone()[0]
    return value


def _journal_mode() -> str:
    """WAL only where SQLite's rare loss of a WAL after a checkpoint is mended (3.51.3, 3.50.7, 3.44.6)."""
    version = sqlite3.sqlite_version_info[:3]
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return "WAL" if mended else _TRUNCATE


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    # Only while it is not there: closing it lets go of every lock this process holds on the file, SQLite's own too.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    # SQLite gives its own files beside this one the same mode.
    path.chmod(0o600)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        file = path.stat()
    except OSError:
        return None
    return file.st_dev, file.st_ino


def _close(db: Database) -> None:
    db.conn.close()


_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}
_REASONS = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_IOERR: "disk_error",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
}


def _meaning(error: sqlite3.Error, path: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in _DAMAGE:
        return StoreDamaged(path, str(error))
    if primary in _REASONS:
        return NotRecorded(_REASONS[primary], path.name)
    # A missing table or column, a text that is none: the mark is ours, the content is not.
    if primary in (None, sqlite3.SQLITE_ERROR) and isinstance(error, sqlite3.OperationalError):
        return StoreDamaged(path, str(error))
    return error


def _os_reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "read_only"
    return "disk_full" if error.errno == errno.ENOSPC else "cannot_open"
