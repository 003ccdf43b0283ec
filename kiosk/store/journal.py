"""The journal: every check-in this kiosk has made, in order, and what it must remember to hand them over.

Precious and append-only: the only thing that may change about a fact is the hub's verdict on it, and there is no way
to delete one. Holds no clear address and no name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

import msgspec
from sqlite_utils import Database, Migrations
from uuid_utils.compat import uuid7

from kiosk.store import ballast, recent, vouching
from kiosk.store.ballast import Ballast
from kiosk.store.recent import Kept
from kiosk.store.remembered import Exchange, Phones, Remembered, Salvaged, Scanner, Standing, Tries
from kiosk.store.soundness import Head, Noted, Row, Walk, read
from kiosk.store.sqlite import Connections, Garbled, Kind, NotRecorded, room
from sync import chain, seals
from sync.engine import Marks
from sync.errors import ChainBroken, Unreadable
from sync.messages import (
    MAX_FACT_BYTES,
    Assignment,
    DeskLock,
    Fact,
    Receipt,
    Session,
    StreamMark,
    Undo,
    encode,
)

OWN = ("local_key", "secret")
"""Keys of this kiosk alone, made with its journal."""

_migrations = Migrations("journal")


@_migrations()
def m001_facts(db: Database) -> None:
    db.execute(
        "CREATE TABLE stream (one INTEGER PRIMARY KEY CHECK (one = 1), stream_id TEXT NOT NULL,"
        " head_seq INTEGER NOT NULL, head_hash BLOB NOT NULL,"
        " acked_seq INTEGER NOT NULL, acked_hash BLOB NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TABLE facts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, intent_id TEXT,"
        " subject TEXT, session_id TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,"
        " hash BLOB NOT NULL, occurred TEXT NOT NULL, verdict TEXT) STRICT"
    )
    db.execute("CREATE INDEX facts_of_a_subject ON facts (session_id, subject, seq)")
    db.execute(
        "CREATE UNIQUE INDEX facts_of_an_intent ON facts (intent_id, session_id, subject) WHERE intent_id IS NOT NULL"
    )
    db.execute("CREATE TABLE undone (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
    db.execute("CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    db.execute(
        "CREATE TRIGGER facts_stay BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END"
    )
    db.execute(
        "CREATE TRIGGER facts_are_fixed BEFORE UPDATE OF"
        " seq, id, intent_id, subject, session_id, kind, body, hash, occurred ON facts"
        " BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END"
    )


@_migrations()
def m002_a_stream_from_the_start(db: Database) -> None:
    if db.execute("SELECT 1 FROM stream").fetchone():
        return
    db.execute(
        "INSERT INTO stream (one, stream_id, head_seq, head_hash, acked_seq, acked_hash) VALUES (1, ?, 0, ?, 0, ?)",
        [str(uuid7()), chain.START, chain.START],
    )
    for name in OWN:
        _put(db, name, seals.new_key().hex())


@_migrations()
def m003_a_stream_that_goes_on_from_another(db: Database) -> None:
    db.execute("ALTER TABLE stream ADD COLUMN parent TEXT")


KIND = Kind(application_id=0x4B4A524E, migrations=_migrations, version=3, synchronous="FULL", precious=True)


_SYNCHRONOUS_FULL = 2
BALLAST = "ballast"
"""The name of the ballast, beside the journal."""
CHECK_IN_BYTES = 1024
"""What a check-in takes on the disk, with everything by which it is looked up."""
LEAST_ROOM = 1024 * 1024
"""Bytes that must be free: room for a thousand check-ins."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A check-in that is in the journal."""

    id: UUID
    since: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the hub does not have yet: check-ins, and what else staff would miss. A rehearsal is neither."""

    check_ins: int
    others: int

    @property
    def all(self) -> int:
        return self.check_ins + self.others


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The last rehearsal: when, None if there was none, and whether the hub has it."""

    at: datetime | None
    at_hub: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Facts of a stream in order, from number `from_seq` on, and the chain's hashes before and after them."""

    stream_id: UUID
    from_seq: int
    prev_hash: bytes
    facts: Sequence[bytes]
    last_hash: bytes


class Journal:
    """The journal in one file. Opened when first used, and safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = Ballast(path.with_name(BALLAST))
        self._files = Connections(path, KIND, create=True, ballast=self._ballast)

    def tend(self) -> None:
        """Takes room for when the disk runs full, while there is plenty. Raises nothing."""
        self._ballast.take_on()

    def room_left(self) -> int | None:
        """For how many more check-ins there is room, on a disk that has run full; None: it has not."""
        free = room(self.path)
        if self._ballast.held or free >= ballast.SIZE + LEAST_ROOM:
            return None
        return free // CHECK_IN_BYTES

    def when_damaged(self, call: Callable[[], None]) -> None:
        """From now on that is called whenever the file turns out to be damaged."""
        self._files.when_damaged = call

    def let_go(self) -> None:
        """Closes what is open and idle: whoever mends the file needs it for itself."""
        self._files.let_go()

    def close(self) -> None:
        self._files.close()

    # --- the desk

    @contextmanager
    def writing(self) -> Iterator["Page"]:
        """Look, decide and write in one transaction. Raises `NotRecorded`, and then nothing is written."""
        with self._files.writing() as db:
            yield Page(db)

    def probe(self, least_room: int = LEAST_ROOM) -> None:
        """Writes for the sake of writing. Raises `NotRecorded` when the disk takes nothing, or will soon."""
        with self._files.writing() as db:
            _put(db, "probe", "1" if _setting(db, "probe") == "0" else "0")
        self.tend()
        if room(self.path) + self._ballast.held < least_room:
            raise NotRecorded("disk_full", self.path.name)

    # --- staff

    @contextmanager
    def looking(self) -> Iterator["Page"]:
        """Look several times at one state, and write nothing."""
        with self._files.reading() as db:
            yield Page(db)

    def tries(self) -> Tries | None:
        """The wrong PINs since the last right one; None: there were none."""
        with self.looking() as page:
            return page.tries()

    def latest(self, limit: int, session_id: UUID | None = None) -> list[Kept]:
        """The newest facts first, at most `limit`; with `session_id`, of that session only."""
        with self._files.reading() as db:
            return recent.latest(db, limit, session_id)

    def kept(self, fact_id: UUID) -> Kept | None:
        """The fact with this id, or None when this journal has none."""
        with self._files.reading() as db:
            return recent.kept(db, fact_id)

    def inside(self, session_id: UUID) -> int:
        """How many have checked in to a session at this desk and not out again."""
        with self._files.reading() as db:
            return recent.inside(db, session_id)

    def durable(self) -> bool:
        """Whether what is written would outlive a power cut."""
        return int(self._ask("PRAGMA synchronous")[0][0]) >= _SYNCHRONOUS_FULL

    def fault(self) -> str | None:
        """What of this journal is not as it was written, and where; None: all is. Reads every fact.

        Raises `StoreDamaged` when SQLite finds that out itself, `StoreTooNew` or `NotRecorded`.
        """
        with self._at_one_moment() as db:
            wrong = _wrong_tables(db) or _wrong_setting(db)
        walk = Walk()
        while wrong is None:
            # Somebody checks in between two blocks: facts that were looked at stay as they are.
            with self._at_one_moment() as db:
                rows = db.execute(_ROWS, [walk.seq, _BLOCK]).fetchall()
                wrong = walk.past(map(Row._make, rows))
                if wrong is None and len(rows) < _BLOCK:
                    return walk.ended(Head._make(db.execute(_HEAD).fetchone()), _undone(db))
        return wrong

    def salvaged(self) -> Salvaged | None:
        """How this journal came out of a damaged one; None: it did not, or somebody has taken the damaged file away."""
        with self._files.reading() as db:
            text = _setting(db, "salvaged")
            found = None if text is None else msgspec.json.decode(text, type=Salvaged)
        told = [each for each in found.all if self.path.with_name(each.kept_as).exists()] if found else []
        return msgspec.structs.replace(told[-1], before=tuple(told[:-1])) if told else None

    def waiting(self) -> Waiting:
        kinds = dict(
            self._ask("SELECT kind, count(*) FROM facts WHERE seq > (SELECT acked_seq FROM stream) GROUP BY kind")
        )
        kinds.pop("rehearsal", None)
        check_ins = kinds.pop("check_in", 0)
        return Waiting(check_ins, sum(kinds.values()))

    def rehearsed(self) -> Rehearsed:
        rows = self._ask(
            "SELECT occurred, seq <= acked_seq FROM facts, stream WHERE kind = 'rehearsal' ORDER BY seq DESC LIMIT 1"
        )
        return Rehearsed(datetime.fromisoformat(rows[0][0]), bool(rows[0][1])) if rows else Rehearsed(None, False)

    # --- handing over (sync.engine.Journal)

    def marks(self) -> Marks:
        row = self._ask("SELECT stream_id, head_seq, acked_seq, parent FROM stream")[0]
        stream_id, head_seq, acked_seq, parent = row
        return Marks(UUID(stream_id), head_seq, acked_seq, None if parent is None else UUID(parent))

    def facts_after(self, seq: int, limit: int) -> Sequence[bytes]:
        """The bytes of facts seq + 1, seq + 2, … as first written; at most `limit`."""
        rows = self._ask("SELECT body FROM facts WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
        return [row[0] for row in rows]

    def hash_at(self, seq: int) -> bytes | None:
        """The chain's hash after fact `seq`, or None when this journal has no such fact."""
        if seq == 0:
            return chain.START
        rows = self._ask("SELECT hash FROM facts WHERE seq = ?", seq)
        return rows[0][0] if rows else None

    def unsent(self, *, everything: bool = False) -> Stretch:
        """The facts the hub does not hold yet, or all there are, as they stand at one moment.

        Raises `ChainBroken` when one of them is not as it was written, or missing.
        """
        with self._at_one_moment() as db:
            stream_id, head_seq, head_hash, acked_seq, acked_hash = db.execute(_HEAD).fetchone()
            before, start = (0, chain.START) if everything else (acked_seq, acked_hash)
            rows = db.execute("SELECT seq, body FROM facts WHERE seq > ? ORDER BY seq", [before]).fetchall()
        facts = [body for _, body in rows]
        last = (start, *chain.hashes(start, facts))[-1]
        if [seq for seq, _ in rows] != list(range(before + 1, head_seq + 1)) or last != head_hash:
            raise ChainBroken(f"facts after {before}")
        return Stretch(UUID(stream_id), before + 1, start, facts, last)

    def settle(self, mark: StreamMark, receipts: Sequence[Receipt]) -> None:
        """Take over the hub's mark, even when it is lower than ours, and its verdicts."""
        if not receipts and self.marks().acked_seq == mark.acked_seq:
            return
        with self._files.writing() as db:
            db.execute(
                "UPDATE stream SET acked_seq = ?, acked_hash = ?",
                [mark.acked_seq, mark.acked_hash],
            )
            db.conn.executemany(
                "UPDATE facts SET verdict = ? WHERE seq = ?",
                [(receipt.verdict, receipt.seq) for receipt in receipts],
            )

    def start_new_stream(self) -> None:
        """Go on under another name: the same facts, in the same order, none of them known to be at the hub."""
        with self._files.writing() as db:
            db.execute(
                "UPDATE stream SET parent = stream_id, stream_id = ?, acked_seq = 0, acked_hash = ?",
                [str(uuid7()), chain.START],
            )

    # --- what is remembered

    def remembered(self) -> Remembered:
        with self._files.reading() as db:
            settings = dict(db.execute("SELECT key, value FROM settings").fetchall())
            return _understood(*(settings.get(key) for key in _REMEMBERED))

    def standing(self) -> Standing | None:
        return self.remembered().standing

    def enrolled(self, standing: Standing) -> None:
        self._remember("standing", standing)

    def session(self) -> Session | None:
        return self.remembered().session

    def choose(self, session: Session, leaving: bool = False) -> None:
        """From now on this desk is for that session: for those who come, or for those who are `leaving`."""
        with self._files.writing() as db:
            _stand_at(db, session, leaving)

    def exchange(self) -> Exchange | None:
        return self.remembered().exchange

    def note(self, exchange: Exchange) -> None:
        self._remember("exchange", exchange)

    def lock_with(self, lock: DeskLock | None) -> None:
        """From now on this lock is the desk's; None: the desk has no PIN."""
        self._remember("lock", lock)

    def serve_phones(self, phones: Phones) -> None:
        """From now on phones are served like that."""
        self._remember("phones", phones)

    def learn_scanner(self, scanner: Scanner | None) -> None:
        """From now on this is what scanners type; None: take it as it is."""
        self._remember("scanner", scanner)

    def assigned(self, assignment: Assignment, session: Session) -> None:
        """The office has sent this desk to a session: it stands there now, until it is switched again."""
        with self._files.writing() as db:
            _put(db, "assignment", encode(assignment).decode())
            _stand_at(db, session, leaving=False)

    def secret(self) -> bytes:
        """Signs the browser's cookies."""
        with self._files.reading() as db:
            return _key(_setting(db, "secret"))

    def _remember(self, key: str, value: msgspec.Struct | None) -> None:
        with self._files.writing() as db:
            _put(db, key, "null" if value is None else encode(value).decode())

    @contextmanager
    def _at_one_moment(self) -> Iterator[Database]:
        """A connection whose answers all are of the same state. Nothing is written meanwhile."""
        with self._files.reading() as db:
            db.conn.execute("BEGIN")
            try:
                yield db
            finally:
                if db.conn.in_transaction:
                    db.conn.execute("ROLLBACK")

    def _ask(self, question: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._files.reading() as db:
            return db.execute(question, values).fetchall()


class Page:
    """The journal inside one transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def repeated(self, intent_id: UUID | None, session_id: UUID, subject: str, kind: str) -> Seen | None:
        """The check-in, or check-out, that an earlier sending of the same form has made and that still stands. Another
        person's is none of it."""
        if intent_id is None:
            return None
        return self._seen(
            "intent_id = ? AND session_id = ? AND subject = ? AND kind = ? AND id NOT IN (SELECT id FROM undone)",
            intent_id,
            session_id,
            subject,
            kind,
        )

    def present(self, session_id: UUID, subject: str, tag: str) -> Seen | None:
        """The check-in by which somebody known as either is in a session: the first that was not undone since they last
        checked out."""
        gone = self._last_out(session_id, subject, tag)
        return self._seen(
            "session_id = ? AND subject IN (?, ?) AND seq > ? AND kind = 'check_in'"
            " AND id NOT IN (SELECT id FROM undone)",
            session_id,
            subject,
            tag,
            gone,
        )

    def _last_out(self, session_id: UUID, *subjects: str) -> int:
        # Everybody leaves with a check-out of nobody in particular.
        row = self._db.execute(
            "SELECT coalesce(max(seq), 0) FROM facts WHERE session_id = ? AND (subject IN (?, ?) OR subject IS NULL)"
            " AND kind = 'check_out' AND id NOT IN (SELECT id FROM undone)",
            [str(session_id), *subjects],
        ).fetchone()
        return int(row[0])

    def kept(self, fact_id: UUID) -> Kept | None:
        """The fact with this id, or None when this journal has none."""
        return recent.kept(self._db, fact_id)

    def everyone_out_by(self, intent_id: UUID, session_id: UUID) -> UUID | None:
        """The check-out of everybody that an earlier sending of the same form has made."""
        return recent.everyone_out_by(self._db, intent_id, session_id)

    def tries(self) -> Tries | None:
        """The wrong PINs since the last right one; None: there were none."""
        text = _setting(self._db, "tries")
        return None if text is None else msgspec.json.decode(text, type=Tries | None)

    def keep_tries(self, tries: Tries | None) -> None:
        """From now on so many were tried; None: the right one was."""
        _put(self._db, "tries", "null" if tries is None else encode(tries).decode())

    def append(self, fact: Fact, subject: str | None = None, intent_id: UUID | None = None) -> None:
        """Writes the next fact of the stream. Raises `Unreadable("fact_too_large")`."""
        body = encode(fact)
        if len(body) > MAX_FACT_BYTES:
            raise Unreadable("fact_too_large")
        if intent_id is not None and self._is_used(intent_id, fact.session_id, subject):
            # By a fact that was taken back, or by one of another kind: this one stands for itself.
            intent_id = None
        noted = Noted(
            str(fact.id), subject, str(fact.session_id), str(fact.__struct_config__.tag), fact.at.wall.isoformat()
        )
        undoes = [str(each) for each in fact.undoes] if isinstance(fact, Undo) else []
        _keep(self._db, noted, None if intent_id is None else str(intent_id), body, undoes)

    def _is_used(self, intent_id: UUID, session_id: UUID, subject: str | None) -> bool:
        used = self._db.execute(
            "SELECT 1 FROM facts WHERE intent_id = ? AND session_id = ? AND subject = ?",
            [str(intent_id), str(session_id), subject],
        )
        return used.fetchone() is not None

    def _seen(self, where: str, *values: object) -> Seen | None:
        row = self._db.execute(
            f"SELECT id, occurred FROM facts WHERE {where} ORDER BY seq LIMIT 1",  # noqa: S608
            [value if isinstance(value, int) else str(value) for value in values],
        ).fetchone()
        return None if row is None else Seen(UUID(row[0]), datetime.fromisoformat(row[1]))


_REMEMBERED = ("local_key", "leaving", "standing", "session", "exchange", "lock", "assignment", "scanner", "phones")
_KINDS = (Standing, Session, Exchange, DeskLock, Assignment, Scanner, Phones)


# Texts that stay the same from one check-in to the next are read once.
@lru_cache(maxsize=4)
def _understood(local_key: str | None, leaving: str | None, *texts: str | None) -> Remembered:
    standing, session, exchange, lock, assignment, scanner, phones = (
        None if text is None else msgspec.json.decode(text, type=kind | None)
        for text, kind in zip(texts, _KINDS, strict=True)
    )
    return Remembered(
        standing=standing,
        session=session,
        exchange=exchange,
        local_key=_key(local_key),
        leaving=leaving == "yes",
        lock=lock,
        assignment=assignment,
        scanner=scanner,
        phones=phones or Phones(),
    )


def carry_over(
    db: Database, facts: Sequence[vouching.Kept], settings: Mapping[str, str], parent: str | None, told: Salvaged
) -> None:
    """Makes a new journal of what was salvaged: a stream of its own, of which the hub has nothing yet."""
    ids: set[str] = set()
    intents: set[tuple[str | None, str, str | None]] = set()
    for each in facts:
        noted, intent = each.noted, (each.intent_id, each.noted.session_id, each.noted.subject)
        if noted.id not in ids:
            said = read(each.body)
            _keep(db, noted, None if intent in intents else each.intent_id, each.body, said.undoes if said else ())
        ids.add(noted.id)
        intents.add(intent)
    for key, value in settings.items():
        _put(db, key, value)
    _put(db, "salvaged", encode(told).decode())
    db.execute("UPDATE stream SET parent = ?", [parent])


def _keep(db: Database, noted: Noted, intent_id: str | None, body: bytes, undoes: Sequence[str]) -> None:
    """Writes the next fact of the stream."""
    seq, before = db.execute("SELECT head_seq + 1, head_hash FROM stream").fetchone()
    after = chain.advance(before, body)
    db.execute(
        "INSERT INTO facts (seq, id, intent_id, subject, session_id, kind, body, hash, occurred)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [seq, noted.id, intent_id, noted.subject, noted.session_id, noted.kind, body, after, noted.occurred],
    )
    db.conn.executemany("INSERT OR IGNORE INTO undone (id) VALUES (?)", [(each,) for each in undoes])
    db.execute("UPDATE stream SET head_seq = ?, head_hash = ?", [seq, after])


def _stand_at(db: Database, session: Session, leaving: bool) -> None:
    _put(db, "session", encode(session).decode())
    _put(db, "leaving", "yes" if leaving else "no")


def _setting(db: Database, key: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
    return None if row is None else str(row[0])


def _put(db: Database, key: str, value: str) -> None:
    # No chain vouches for settings: each has its sum beside it.
    db.conn.executemany(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(key, value), (SUM + key, sum_of(key, value))],
    )


# --- is it still what was written?

SUM = "sum:"
"""Before a setting's name: under that name stands the sum of it."""
_DECODED: Mapping[str, type[msgspec.Struct]] = {
    **dict(zip(_REMEMBERED[2:], _KINDS, strict=True)),
    "tries": Tries,
    "salvaged": Salvaged,
}


def sum_of(key: str, value: str) -> str:
    """What tells whether a setting is still what was written."""
    return blake2b(f"{key}={value}".encode(errors="surrogateescape"), digest_size=8).hexdigest()


def intact(settings: Mapping[str, str]) -> dict[str, str]:
    """Those settings that are as they were written, out of all that are there, sums included."""
    return {
        key: value
        for key, value in settings.items()
        if not key.startswith(SUM)
        and settings.get(SUM + key) in (None, sum_of(key, value))
        and _is_readable(key, value)
    }


def _is_readable(key: str, value: str) -> bool:
    try:
        f"{key}{value}".encode()
        if key in OWN:
            return len(_key(value)) == seals.KEY_SIZE
        if key in _DECODED:
            msgspec.json.decode(value, type=_DECODED[key] | None)
    except (Garbled, msgspec.DecodeError, UnicodeError):
        return False
    return True


def _key(text: str | None) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        raise Garbled("key") from None


_HEAD = "SELECT stream_id, head_seq, head_hash, acked_seq, acked_hash FROM stream"
_ROWS = "SELECT seq, id, subject, session_id, kind, body, hash, occurred FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"
_BLOCK = 1_000


def _undone(db: Database) -> set[str]:
    return {row[0] for row in db.execute("SELECT id FROM undone")}


def _wrong_tables(db: Database) -> str | None:
    said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        return f"sqlite: {said.splitlines()[-1]}"
    if set(db.execute(_TABLES)) != _tables():
        return "tables"
    return None if db.execute("SELECT 1 FROM stream").fetchone() else "stream: missing"


def _wrong_setting(db: Database) -> str | None:
    settings = dict(db.execute("SELECT key, value FROM settings").fetchall())
    known = {key.removeprefix(SUM) for key in settings} | set(OWN)
    wrong = sorted(known - set(intact(settings)))
    return f"setting {wrong[0]}" if wrong else None


# Somebody who had SQLite count (ANALYZE) has spoilt nothing.
_TABLES = (
    "SELECT type, name, tbl_name, sql FROM sqlite_master"
    " WHERE tbl_name NOT LIKE '\\_sqlite%' ESCAPE '\\' AND tbl_name NOT LIKE 'sqlite\\_stat%' ESCAPE '\\'"
)


@cache
def _tables() -> set[tuple[str, str, str, str | None]]:
    """The tables as this program makes them."""
    db = Database(memory=True, execute_plugins=False)
    try:
        _migrations.apply(db)
        return set(db.execute(_TABLES))
    finally:
        db.close()
