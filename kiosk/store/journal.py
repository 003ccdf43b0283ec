"""The journal: every check-in this kiosk has made, in order, and what it must remember to hand them over.

Precious and append-only: the only thing that may change about a fact is the hub's verdict on it, and there is no way
to delete one. Holds no clear address and no name.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import msgspec
from sqlite_utils import Database, Migrations
from uuid_utils.compat import uuid7

from kiosk.store import recent
from kiosk.store.recent import Kept
from kiosk.store.sqlite import Connections, Kind, NotRecorded, room
from sync import chain, seals
from sync.engine import ClockSample, Marks
from sync.errors import Unreadable
from sync.messages import (
    MAX_FACT_BYTES,
    Assignment,
    DeskLock,
    Enrolled,
    Fact,
    Moment,
    Receipt,
    Session,
    StreamMark,
    Undo,
    encode,
)

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
    db.execute("INSERT INTO stream VALUES (1, ?, 0, ?, 0, ?)", [str(uuid7()), chain.START, chain.START])
    for name in ("local_key", "secret"):
        _put(db, name, seals.new_key().hex())


KIND = Kind(application_id=0x4B4A524E, migrations=_migrations, version=2, synchronous="FULL")


_SYNCHRONOUS_FULL = 2
LEAST_ROOM = 1024 * 1024
"""Bytes that must be free: room for a thousand check-ins."""


class Standing(msgspec.Struct, frozen=True):
    """The hub this kiosk belongs to, and how it is known there."""

    url: str
    enrolled: Enrolled


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """How the postman's last exchange went, for the screen and for `kiosk status`.

    `well_at` is when the last one without a problem ended, `sent_at` when check-ins were last handed over. `withdrawn`:
    the hub has cut this kiosk off, and has not taken that back. `sample`: the two clocks side by side, once they were.
    """

    at: datetime
    withdrawn: bool = False
    well_at: datetime | None = None
    problem: str | None = None
    sent_at: datetime | None = None
    sample: ClockSample | None = None


class Scanner(msgspec.Struct, frozen=True):
    """What the desk's scanner was found to type, and when: `changes` from what comes in to what was meant, as `layout`
    has it; `lost` never comes in."""

    layout: str
    changes: dict[str, str]
    lost: str
    at: datetime


class Tries(msgspec.Struct, frozen=True):
    """How many wrong PINs in a row, and when the last of them was tried."""

    wrong: int
    last: Moment


class Phones(msgspec.Struct, frozen=True):
    """Whether phones may check in, and by which name or address they find this device; None: it finds that out."""

    on: bool = False
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the kiosk knows of itself, all of one moment.

    `session` is the one chosen for this desk, as the roster knew it then: it outlives the roster. Tags of addresses the
    roster does not know are made with `local_key`, which never leaves the kiosk. `leaving`: the desk checks people out.
    `lock` is what the desk PIN opens; it is remembered here too, so that a desk without a roster is no open desk.
    `scanner` None: what scanners type is taken as it is. `phones`: whether people may check in on their own.
    """

    standing: Standing | None
    session: Session | None
    exchange: Exchange | None
    local_key: bytes
    leaving: bool = False
    lock: DeskLock | None = None
    assignment: Assignment | None = None
    scanner: Scanner | None = None
    phones: Phones = field(default_factory=Phones)

    @property
    def withdrawn(self) -> bool:
        """Whether the hub has cut this kiosk off."""
        return self.exchange is not None and self.exchange.withdrawn


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


class Journal:
    """The journal in one file. Opened when first used, and safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = Connections(path, KIND, create=True)

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
        if room(self.path) < least_room:
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
        row = self._ask("SELECT stream_id, head_seq, acked_seq FROM stream")[0]
        return Marks(UUID(row[0]), row[1], row[2])

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

    # --- what is remembered

    def remembered(self) -> Remembered:
        settings = dict(self._ask("SELECT key, value FROM settings"))
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
            return bytes.fromhex(_setting(db, "secret") or "")

    def _remember(self, key: str, value: msgspec.Struct | None) -> None:
        with self._files.writing() as db:
            _put(db, key, "null" if value is None else encode(value).decode())

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
        seq, before = self._db.execute("SELECT head_seq + 1, head_hash FROM stream").fetchone()
        after = chain.advance(before, body)
        self._db.execute(
            "INSERT INTO facts (seq, id, intent_id, subject, session_id, kind, body, hash, occurred)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                seq,
                str(fact.id),
                None if intent_id is None else str(intent_id),
                subject,
                str(fact.session_id),
                fact.__struct_config__.tag,
                body,
                after,
                fact.at.wall.isoformat(),
            ],
        )
        if isinstance(fact, Undo):
            self._db.conn.executemany(
                "INSERT OR IGNORE INTO undone (id) VALUES (?)",
                [(str(each),) for each in fact.undoes],
            )
        self._db.execute("UPDATE stream SET head_seq = ?, head_hash = ?", [seq, after])

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
        local_key=bytes.fromhex(local_key or ""),
        leaving=leaving == "yes",
        lock=lock,
        assignment=assignment,
        scanner=scanner,
        phones=phones or Phones(),
    )


def _stand_at(db: Database, session: Session, leaving: bool) -> None:
    _put(db, "session", encode(session).decode())
    _put(db, "leaving", "yes" if leaving else "no")


def _setting(db: Database, key: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
    return None if row is None else str(row[0])


def _put(db: Database, key: str, value: str) -> None:
    db.execute(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [key, value],
    )
