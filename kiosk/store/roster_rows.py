"""What is in a roster file: its tables, what can be asked of them, and how a page of the feed changes them."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from uuid import UUID

import msgspec
from sqlite_utils import Database, Migrations

from kiosk.store.sqlite import StoreDamaged
from sync import seals
from sync.digests import Line, digests
from sync.errors import BadPattern
from sync.identifiers import CompiledFormat, Identifier, compile_format, read
from sync.messages import Bucket, CardFormat, Entry, FeedPage, Gone, Person, Session, Settings, encode

migrations = Migrations("roster")


@migrations()
def m001_people(db: Database) -> None:
    db.execute(
        "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), epoch BLOB NOT NULL, position INTEGER NOT NULL,"
        " mark BLOB, roster_key BLOB NOT NULL, boot TEXT NOT NULL, settings BLOB NOT NULL, whole INTEGER NOT NULL,"
        " mended INTEGER NOT NULL,"
        " proof BLOB NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TABLE keys (tag BLOB NOT NULL, ref BLOB NOT NULL, greeting BLOB NOT NULL,"
        " PRIMARY KEY (tag, ref)) STRICT, WITHOUT ROWID"
    )
    # `tags`: all of a person's tags in a row, so that their old keys can be found without another index; `registered`:
    # the ids of their sessions in a row. `proof` is made of everything a row was given, the person's keys included.
    db.execute(
        "CREATE TABLE people (ref BLOB PRIMARY KEY, state TEXT NOT NULL, position INTEGER NOT NULL,"
        " tags BLOB NOT NULL, registered BLOB NOT NULL, directory BLOB, proof BLOB NOT NULL) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE TABLE sessions (id BLOB PRIMARY KEY, body BLOB NOT NULL, proof BLOB NOT NULL) STRICT")


APPLICATION_ID = 0x4B525333
"""Another one for each shape of the tables: a roster of an older shape is thrown away, and the hub gives it again."""
VERSION = 1

_ID_SIZE = 16
_MOST_OF_A_TAG = 3
"""Rows that may have one tag: two people's are the same once in 2**64."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody the roster knows. `state` is `active` or `disabled`; `registered`: ids of sessions."""

    ref: UUID
    state: str
    greeting: str
    registered: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognised:
    """What came in, and whom the roster at that position knows by it."""

    identifier: Identifier
    found: Found | None
    position: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A person's sealed line of the directory."""

    ref: UUID
    state: str
    position: int
    registered: tuple[UUID, ...]
    line: bytes


State = tuple[UUID, int, int]
"""Another one whenever a roster is another."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Every sealed line of one state of the roster."""

    epoch: UUID
    position: int
    mended: int
    lines: list[Listed]

    @property
    def state(self) -> State:
        return self.epoch, self.position, self.mended


@dataclass(frozen=True, slots=True)
class Meta:
    """What a roster says of itself."""

    epoch: UUID
    position: int
    mark: UUID | None
    roster_key: bytes
    boot: str
    settings: bytes
    whole: bool
    mended: int


def begin(db: Database, epoch: UUID, roster_key: bytes, boot: str) -> None:
    """Make a new roster, with nobody in it."""
    nothing = encode(Settings(position=0, institution=""))
    db.execute(
        "INSERT INTO meta VALUES (1, ?, 0, NULL, ?, ?, ?, 0, 0, ?)", [epoch.bytes, roster_key, boot, nothing, _proof()]
    )
    _prove_meta(db)


# --- questions


def meta(db: Database) -> Meta:
    """Raises `StoreDamaged` when it says nothing."""
    row = db.execute(_META).fetchone()
    if row is None or _proof(*row[:-1]) != row[-1]:
        raise StoreDamaged(Path("roster"), "it does not say what it is")
    epoch, position, mark, roster_key, boot, settings, whole, mended, _ = row
    mark = mark and UUID(bytes=mark)
    return Meta(UUID(bytes=epoch), position, mark, roster_key, boot, settings, bool(whole), mended)


def settings(db: Database) -> Settings:
    """What holds for the whole institution."""
    return _decoded(meta(db).settings)


def recognised(db: Database, text: str) -> Recognised:
    """What came in, and whose it is. Raises `Unreadable`."""
    here = meta(db)
    identifier = read(text, _compiled(_decoded(here.settings).card_formats))
    return Recognised(identifier, _find(db, here, identifier), here.position)


def looked_up(db: Database, identifier: Identifier) -> Recognised:
    """Whose identifier this is."""
    here = meta(db)
    return Recognised(identifier, _find(db, here, identifier), here.position)


def directory(db: Database) -> Directory:
    """The sealed lines of everybody who has one."""
    here = meta(db)
    rows = db.execute("SELECT ref, state, position, registered, directory FROM people WHERE directory IS NOT NULL")
    lines = [
        Listed(UUID(bytes=ref), state, position, _ids(registered), line)
        for ref, state, position, registered, line in rows
    ]
    return Directory(here.epoch, here.position, here.mended, lines)


def digested(db: Database) -> tuple[bytes, ...]:
    """What this roster is made of (`sync.digests`). A row that is not as it was written counts as not there."""
    return digests(chain(_intact_people(db), _intact_sessions(db)), meta(db).roster_key)


def _intact_people(db: Database) -> Iterator[Line]:
    for ref, *said, proof in db.execute(_PEOPLE):
        tags = said[2]
        greetings = (
            db.execute("SELECT greeting FROM keys WHERE tag = ? AND ref = ?", [tag, ref]).fetchone()
            for tag in _tags(tags)
        )
        if len(ref) == _ID_SIZE and _proof(ref, *said, *(row and row[0] for row in greetings)) == proof:
            yield "person", UUID(bytes=ref), said[1]


def _intact_sessions(db: Database) -> Iterator[Line]:
    for key, body in _intact_bodies(db.execute(_SESSIONS)):
        yield "session", UUID(bytes=key), _decoded_session(body).position


def state(db: Database) -> State:
    """Changes whenever the roster does: its epoch and position, and how often something in it was mended."""
    here = meta(db)
    return here.epoch, here.position, here.mended


def count(db: Database) -> int:
    """How many people there are."""
    return int(db.execute("SELECT count(*) FROM people").fetchone()[0])


def _find(db: Database, here: Meta, identifier: Identifier) -> Found | None:
    """Whose identifier this is. A tag whose greeting does not open is somebody else's."""
    key = seals.lookup(here.roster_key, identifier)
    # From where the tag is or would be: an unknown one opens its neighbour in vain, so that both take as long.
    rows = db.execute(
        "SELECT tag, ref, greeting, state, position, registered FROM keys JOIN people USING (ref)"
        " WHERE tag >= ? ORDER BY tag LIMIT ?",
        [key.tag, _MOST_OF_A_TAG],
    ).fetchall()
    found = None
    for tag, ref, sealed, known_as, position, registered in rows:
        greeting = seals.open_greeting(key.box_key, sealed, here.epoch, position)
        if tag == key.tag and greeting is not None:
            found = Found(UUID(bytes=ref), known_as, greeting, _ids(registered))
    return found


def sessions(db: Database) -> list[Session]:
    """Every session, in no order."""
    return [_decoded_session(body) for _, body in _intact_bodies(db.execute(_SESSIONS))]


def session(db: Database, session_id: UUID) -> Session | None:
    """The session with this id."""
    found = db.execute(f"{_SESSIONS} WHERE id = ?", [session_id.bytes])
    return next((_decoded_session(body) for _, body in _intact_bodies(found)), None)


def _intact_bodies(found: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The sessions that are as they were written; the audit fetches the others again."""
    return ((key, body) for key, body, proof in found if _proof(key, body) == proof)


# Settings that stay the same from one check-in to the next are read once.
@lru_cache(maxsize=4)
def _decoded(body: bytes) -> Settings:
    return msgspec.json.decode(body, type=Settings)


@lru_cache(maxsize=512)
def _decoded_session(body: bytes) -> Session:
    return msgspec.json.decode(body, type=Session)


@lru_cache(maxsize=4)
def _compiled(card_formats: tuple[CardFormat, ...]) -> tuple[CompiledFormat, ...]:
    return tuple(_usable(card_formats))


def _ids(row: bytes) -> tuple[UUID, ...]:
    return tuple(UUID(bytes=row[start : start + _ID_SIZE]) for start in range(0, len(row), _ID_SIZE))


def _usable(formats: Iterable[CardFormat]) -> Iterator[CompiledFormat]:
    for each in formats:
        try:
            yield compile_format(each)
        except BadPattern as error:
            # One format that is wrong must not take the other cards away.
            _log.warning("card format left out: %s", error.code)


# --- a page


def take(db: Database, page: FeedPage) -> None:
    """Change the tables as a page says, and go on to its position."""
    people: dict[UUID, Person | None] = {}
    for entry in page.entries:
        _sort(db, entry, people)
    _replace_people(db, people)
    said = [page.to, page.mark and page.mark.bytes, not page.more]
    db.execute("UPDATE meta SET position = ?, mark = ?, whole = ?", said)
    _prove_meta(db)


def mend(db: Database, bucket: Bucket) -> None:
    """Put everything of a bucket in the place of what is in it."""
    last = bytes([bucket.number])
    db.execute("DELETE FROM keys WHERE substr(ref, -1) = ?", [last])
    db.execute("DELETE FROM people WHERE substr(ref, -1) = ?", [last])
    db.execute("DELETE FROM sessions WHERE substr(id, -1) = ?", [last])
    people: dict[UUID, Person | None] = {}
    for entry in bucket.entries:
        _sort(db, entry, people)
    _replace_people(db, people)
    db.execute("UPDATE meta SET mended = mended + 1")
    _prove_meta(db)


def _sort(db: Database, entry: Entry, people: dict[UUID, Person | None]) -> None:
    match entry:
        case Person():
            people[entry.ref] = entry
        case Session():
            body = encode(entry)
            db.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)",
                [entry.id.bytes, body, _proof(entry.id.bytes, body)],
            )
        case Settings():
            db.execute("UPDATE meta SET settings = ?", [encode(entry)])
        case Gone(what="person"):
            people[entry.key] = None
        case Gone():
            db.execute("DELETE FROM sessions WHERE id = ?", [entry.key.bytes])


def _replace_people(db: Database, people: dict[UUID, Person | None]) -> None:
    refs = [ref.bytes for ref in people]
    old = [
        (tag, ref)
        for ref in refs
        for (tags,) in db.execute("SELECT tags FROM people WHERE ref = ?", [ref]).fetchall()
        for tag in _tags(tags)
    ]
    known = [person for person in people.values() if person is not None]
    gone = [(ref.bytes,) for ref, person in people.items() if person is None]
    # Keys in the order of the table: neighbours land on the same page of the file.
    new = sorted((key.tag, each.ref.bytes, key.greeting) for each in known for key in each.keys)
    db.conn.executemany("DELETE FROM keys WHERE tag = ? AND ref = ?", old)
    db.conn.executemany("DELETE FROM people WHERE ref = ?", gone)
    db.conn.executemany("INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, known))
    db.conn.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", new)


def _row(person: Person) -> tuple[object, ...]:
    said = (
        person.ref.bytes,
        person.state,
        person.position,
        b"".join(key.tag for key in person.keys),
        b"".join(session_id.bytes for session_id in person.registered),
        person.directory,
    )
    return (*said, _proof(*said, *(key.greeting for key in person.keys)))


_META = "SELECT epoch, position, mark, roster_key, boot, settings, whole, mended, proof FROM meta"
_SESSIONS = "SELECT id, body, proof FROM sessions"
_PEOPLE = "SELECT ref, state, position, tags, registered, directory, proof FROM people"


def _prove_meta(db: Database) -> None:
    said = db.execute(_META).fetchone()[:-1]
    db.execute("UPDATE meta SET proof = ?", [_proof(*said)])


def _proof(*said: object) -> bytes:
    """Eight bytes that are others when anything of this is."""
    return blake2b(repr(said).encode(), digest_size=8).digest()


def _tags(row: bytes) -> Iterator[bytes]:
    return (row[start : start + seals.TAG_SIZE] for start in range(0, len(row), seals.TAG_SIZE))
