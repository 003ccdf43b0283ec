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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlite_utils import Database, Migrations

from kiosk.store.sqlite import (
    Connections,
    Kind,
    NotRecorded,
    StoreDamaged,
    StoreTooNew,
    explained,
    remove,
)
from sync import seals
from sync.engine import Cursor
from sync.errors import BadPattern, HubMismatch
from sync.identifiers import CompiledFormat, Identifier, compile_format, read
from sync.messages import CardFormat, Entry, FeedPage, Gone, Person, Session, Settings, encode

_migrations = Migrations("roster")


@_migrations()
def m001_people(db: Database) -> None:
    db.execute(
        "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), epoch BLOB NOT NULL,"
        " position INTEGER NOT NULL, roster_key BLOB NOT NULL, boot TEXT NOT NULL,"
        " institution TEXT NOT NULL, card_formats BLOB NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TABLE keys (tag BLOB NOT NULL, ref BLOB NOT NULL, greeting BLOB NOT NULL,"
        " PRIMARY KEY (tag, ref)) STRICT, WITHOUT ROWID"
    )
    # `tags`: all of a person's tags in a row, so that their old keys can be found without another index.
    db.execute(
        "CREATE TABLE people (ref BLOB PRIMARY KEY, state TEXT NOT NULL, position INTEGER NOT NULL,"
        " tags BLOB NOT NULL) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE TABLE sessions (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT")


_IN_USE = Kind(application_id=0x4B525354, migrations=_migrations, version=1, synchronous="FULL")
# A power cut while loading may spoil the file, which is then loaded again (see `boot`).
_LOADING = Kind(application_id=0x4B525354, migrations=_migrations, version=1, synchronous="OFF")

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody the roster knows. `state` is `active` or `disabled`."""

    ref: UUID
    state: str
    greeting: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What came in, and whom the roster at that position knows by it."""

    identifier: Identifier
    found: Found | None
    position: int


@dataclass(frozen=True, slots=True)
class RosterStatus:
    """How far the roster in use has come."""

    people: int
    position: int


@dataclass(frozen=True, slots=True)
class _Meta:
    epoch: UUID
    position: int
    roster_key: bytes
    boot: str
    card_formats: bytes


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
        self._counted: tuple[tuple[UUID, int], int] | None = None

    def close(self) -> None:
        with self._lock:
            self._let_go()

    # --- the desk

    def recognise(self, text: str) -> Recognised:
        """Reads what was typed, scanned or swiped by the institution's card formats and looks it up: one look at one
        roster. Without a roster there are no cards, and nobody is found. Raises `Unreadable`."""
        seen = self._asked(lambda db: _recognised(db, text), None)
        return seen or Recognised(read(text, ()), None, 0)

    def sessions(self) -> list[Session]:
        """Every session, the earliest first."""
        found: list[Session] = self._asked(_sessions, [])
        return sorted(found, key=lambda each: (each.starts, each.event, each.name))

    def session(self, session_id: UUID) -> Session | None:
        return self._asked(lambda db: _session(db, session_id), None)

    def status(self) -> RosterStatus | None:
        """None: there is no roster yet."""
        return self._asked(self._count, None)

    # --- catching up (sync.engine.Roster)

    def cursor(self) -> Cursor:
        """Where to go on: in the roster that is being loaded if there is one, else in the one in use."""
        loading = self._loading()
        if loading is not None:
            return loading
        meta = self._asked(_meta, None)
        return Cursor(None, 0) if meta is None else Cursor(meta.epoch, meta.position)

    def apply(self, page: FeedPage) -> None:
        """The page's entries and the cursor after them, both or neither. A page with `start` begins a new roster,
        which takes the place of the old one when its last page is in."""
        if page.start is not None:
            self._begin(page.epoch, page.start.roster_key)
        loading = _last(self._folder, "loading")
        if loading is None:
            self._add(self._current(), page)
            return
        with self._loader(loading) as files:
            self._add(files, page)
        if not page.more:
            self._put_in_use(loading)

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
            db.execute(
                "INSERT INTO meta VALUES (1, ?, 0, ?, ?, '', ?)",
                [epoch.bytes, roster_key, self._boot, b"[]"],
            )

    def _add(self, files: Connections | None, page: FeedPage) -> None:
        if files is None:
            raise HubMismatch("a page for a roster that is not here any more")
        try:
            with files.writing() as db:
                _take(db, page)
        except (StoreDamaged, StoreTooNew) as error:
            self._throw_away(files.path, error)
            raise

    def _loading(self) -> Cursor | None:
        path = _last(self._folder, "loading")
        if path is None:
            return None
        try:
            with self._loader(path) as files, files.reading() as db:
                meta = _meta(db)
        except (StoreDamaged, StoreTooNew) as error:
            self._throw_away(path, error)
            return None
        if meta.boot != self._boot:
            # Begun before the device went down: nobody knows what of it reached the disk.
            remove(path)
            return None
        return Cursor(meta.epoch, meta.position)

    @contextmanager
    def _loader(self, path: Path) -> Iterator[Connections]:
        files = Connections(path, _LOADING, create=True)
        try:
            yield files
        finally:
            files.close()

    def _put_in_use(self, loading: Path) -> None:
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
        meta = _meta(db)
        state = (meta.epoch, meta.position)
        counted = self._counted
        if counted is None or counted[0] != state:
            counted = self._counted = (state, db.execute("SELECT count(*) FROM people").fetchone()[0])
        return RosterStatus(people=counted[1], position=meta.position)


# --- questions


def _meta(db: Database) -> _Meta:
    row = db.execute("SELECT epoch, position, roster_key, boot, card_formats FROM meta").fetchone()
    if row is None:
        raise StoreDamaged(Path("roster"), "it does not say what it is")
    return _Meta(UUID(bytes=row[0]), *row[1:])


def _recognised(db: Database, text: str) -> Recognised:
    meta = _meta(db)
    identifier = read(text, _compiled(meta.card_formats))
    return Recognised(identifier, _find(db, meta, identifier), meta.position)


def _find(db: Database, meta: _Meta, identifier: Identifier) -> Found | None:
    """Whose identifier this is. A tag whose greeting does not open is somebody else's."""
    key = seals.lookup(meta.roster_key, identifier)
    rows = db.execute(
        "SELECT ref, greeting, state, position FROM keys JOIN people USING (ref) WHERE tag = ?",
        [key.tag],
    ).fetchall()
    for ref, sealed, state, position in rows:
        greeting = seals.open_greeting(key.box_key, sealed, meta.epoch, position)
        if greeting is not None:
            return Found(UUID(bytes=ref), state, greeting)
    return None


def _sessions(db: Database) -> list[Session]:
    rows = db.execute("SELECT body FROM sessions").fetchall()
    return [msgspec.json.decode(row[0], type=Session) for row in rows]


def _session(db: Database, session_id: UUID) -> Session | None:
    row = db.execute("SELECT body FROM sessions WHERE id = ?", [session_id.bytes]).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=Session)


@lru_cache(maxsize=4)
def _compiled(card_formats: bytes) -> tuple[CompiledFormat, ...]:
    return tuple(_usable(msgspec.json.decode(card_formats, type=list[CardFormat])))


def _usable(formats: Iterable[CardFormat]) -> Iterator[CompiledFormat]:
    for each in formats:
        try:
            yield compile_format(each)
        except BadPattern as error:
            # One format that is wrong must not take the other cards away.
            _log.warning("card format left out: %s", error.code)


# --- a page


def _take(db: Database, page: FeedPage) -> None:
    people: dict[UUID, Person | None] = {}
    for entry in page.entries:
        _sort(db, entry, people)
    _replace_people(db, people)
    db.execute("UPDATE meta SET position = ?", [page.to])


def _sort(db: Database, entry: Entry, people: dict[UUID, Person | None]) -> None:
    match entry:
        case Person():
            people[entry.ref] = entry
        case Session():
            db.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?)", [entry.id.bytes, encode(entry)])
        case Settings():
            db.execute(
                "UPDATE meta SET institution = ?, card_formats = ?",
                [entry.institution, msgspec.json.encode(entry.card_formats)],
            )
        case Gone(what="person"):
            people[entry.key] = None
        case Gone():
            db.execute("DELETE FROM sessions WHERE id = ?", [entry.key.bytes])


def _replace_people(db: Database, people: dict[UUID, Person | None]) -> None:
    refs = [ref.bytes for ref in people]
    old = [
        (tags[start : start + seals.TAG_SIZE], ref)
        for ref in refs
        for (tags,) in db.execute("SELECT tags FROM people WHERE ref = ?", [ref]).fetchall()
        for start in range(0, len(tags), seals.TAG_SIZE)
    ]
    known = [person for person in people.values() if person is not None]
    gone = [(ref.bytes,) for ref, person in people.items() if person is None]
    # Keys in the order of the table: neighbours land on the same page of the file.
    new = sorted((key.tag, each.ref.bytes, key.greeting) for each in known for key in each.keys)
    db.conn.executemany("DELETE FROM keys WHERE tag = ? AND ref = ?", old)
    db.conn.executemany("DELETE FROM people WHERE ref = ?", gone)
    db.conn.executemany(
        "INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?)",
        [(each.ref.bytes, each.state, each.position, b"".join(key.tag for key in each.keys)) for each in known],
    )
    db.conn.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", new)


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
