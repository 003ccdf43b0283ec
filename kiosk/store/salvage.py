"""A journal that is damaged is made anew from what is left of it.

Every fact that can be read, and that the chain vouches for, goes over with its own bytes and id into a new stream: the
hub knows facts by their ids and keeps each once. The damaged file stays beside it and is never deleted from here.
"""

import fcntl
import json
import os
import re
import sqlite3
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kiosk.store import pages
from kiosk.store.ballast import Ballast
from kiosk.store.journal import BALLAST, KIND, OWN, SUM, Journal, carry_over, intact
from kiosk.store.remembered import Salvaged
from kiosk.store.soundness import Head, Noted, read
from kiosk.store.sqlite import (
    TIMEOUT_S,
    Connections,
    NotOurs,
    NotRecorded,
    StoreDamaged,
    StoreTooNew,
    explained,
    is_newer,
    is_unreadable,
    remove,
    settle,
    sync_folder,
)
from kiosk.store.vouching import Found, Judged, judge, one_bit_off
from sync import chain

_LOOK_S = 0.05
# Where SQLite's own locks on a file are (https://sqlite.org/fileformat2.html#the_lock_byte_page).
_LOCK_BYTES = (512, 0x40000000)
_TOLD_GAPS = 20
_ESSENTIAL = (*OWN, "standing")
# A fact has an object in it, the moment, and no other braces.
_BODY = re.compile(rb'\{"kind":"[^{}]{1,1024}\{[^{}]{1,256}\}[^{}]{0,2048}\}')
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Remains:
    """What can be read of a damaged journal. `loose` are bytes of further facts, wherever they lay. `settings` have
    their sums among them."""

    facts: list[Found]
    loose: list[Found]
    head: Head | None
    settings: dict[str, str]

    @property
    def ours(self) -> bool:
        """Whether there is anything in it that only a journal holds."""
        return bool(self.facts) or self.head is not None or any(key in self.settings for key in _ESSENTIAL)


def make_sound(path: Path, at: datetime) -> Salvaged | None:
    """Looks at every fact of the journal, and salvages it when it is damaged; None: it was sound, or is not there yet.

    Killed in the middle of it, the next call does it again. Raises `NotRecorded`, `StoreTooNew`, and `NotOurs`: then
    the file is left as it is.
    """
    if not path.exists():
        return None
    with _alone(path.parent):
        with explained(path):
            log = _log(path)
        why = _fault(path)
        if why is None:
            _kept_log(path).unlink(missing_ok=True)
            return None
        with explained(path), _held(path) as file:
            return _salvage(path, file, log, why, at)


def remains(file: bytes, log: bytes = b"") -> Remains:
    """What can be read of a journal's bytes, and of its write-ahead log's."""
    rows = [*pages.records(file), *pages.records(pages.frames(log))]
    settings = dict(pair for each in rows if (pair := _setting(each)) is not None)
    head = next((head for each in reversed(rows) if (head := _head(each)) is not None), None)
    facts = [fact for each in rows if (fact := _found(each)) is not None]
    rows.clear()
    seen = _asked(file)
    bodies = {fact.body for fact in facts}
    loose = [fact for each in (file, log) for fact in _loose(each) if fact.body not in bodies]
    return Remains(facts, loose, seen.head or head, settings | seen.settings)


def _fault(path: Path) -> str | None:
    if path.stat().st_size == 0:
        # A kiosk that was ended while it made its very first journal had no list of people yet.
        return "empty" if any(path.parent.glob("roster-*")) else None
    try:
        with closing(Journal(path)) as journal:
            return journal.fault()
    except StoreDamaged as error:
        return f"sqlite: {error.detail}"
    except NotRecorded as error:
        if not is_unreadable(error):
            raise
        return "disk: a page cannot be read"
    except StoreTooNew:
        if is_newer(path, KIND):
            raise
        return "version"


def _salvage(path: Path, file: bytes, log: bytes, why: str, at: datetime) -> Salvaged:
    left = remains(file, log)
    if not left.ours and _is_somebody_elses(file):
        raise NotOurs(path, "another program's file")
    judged = judge(left.facts, left.head, left.loose)
    settings, forgotten = _sorted(left.settings)
    damaged = _free_name(path, at)
    told = Salvaged(
        at=at,
        why=why,
        kept_as=damaged.name,
        carried=len(judged.kept),
        mended=sum(each.how == "mended" for each in judged.kept),
        unproven=sum(each.how == "unproven" for each in judged.kept),
        altered=len(judged.altered),
        missing=sum(last - first + 1 for first, last in judged.gaps) if left.head else None,
        gaps=tuple(judged.gaps[:_TOLD_GAPS]),
        forgotten=forgotten,
        before=_earlier(settings.get("salvaged"), path),
    )
    fresh = path.with_name(path.stem + ".salvaging" + path.suffix)
    try:
        _clear(fresh)
        ballast = Ballast(path.with_name(BALLAST))
        with closing(Connections(fresh, KIND, create=True, ballast=ballast)) as files, files.writing() as db:
            carry_over(db, judged.kept, settings, left.head.stream_id if left.head else None, told)
        _write_down(_doubtful(fresh), judged)
        _put_in_place(fresh, path, damaged, file, log)
    except (NotRecorded, OSError):
        # What has come to nothing must not take the room of the next try.
        _clear(fresh)
        raise
    return told


def _clear(fresh: Path) -> None:
    remove(fresh)
    _doubtful(fresh).unlink(missing_ok=True)


def _earlier(told: str | None, path: Path) -> tuple[Salvaged, ...]:
    """The salvages whose damaged files nobody has taken away yet."""
    found = None if told is None else msgspec.json.decode(told, type=Salvaged)
    return tuple(each for each in found.all if path.with_name(each.kept_as).exists()) if found else ()


def _sorted(settings: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Those that are what was written, as they were, and the names of the others."""
    kept = intact(settings) | _mended(settings)
    names = {key.removeprefix(SUM) for key in settings} | set(_ESSENTIAL)
    return kept, tuple(sorted(_text(key) for key in names - set(kept)))


def _mended(settings: Mapping[str, str]) -> dict[str, str]:
    """Those in which one bit is wrong, or in their sum, put right."""
    mended: dict[str, str] = {}
    for key in {key for key in settings if SUM + key in settings} - set(intact(settings)):
        value, written = _raw(settings[key]), _raw(settings[SUM + key])
        tries = [(one, written) for one in one_bit_off(value)] + [(value, one) for one in one_bit_off(written)]
        for one, other in tries:
            mended |= intact({key: one.decode(errors="replace"), SUM + key: other.decode(errors="replace")})
    return mended


def _put_in_place(fresh: Path, path: Path, damaged: Path, file: bytes, log: bytes) -> None:
    _give_name(path, damaged, file)
    # First of all: SQLite would take what is left beside the old file for the new one's.
    for suffix in ("-journal", "-wal", "-shm"):
        if _beside(path, suffix).exists():
            _beside(path, suffix).rename(_beside(damaged, suffix))
    if log:
        _give_name(_kept_log(path), _beside(damaged, "-wal"), log)
    if (doubtful := _doubtful(fresh)).exists():
        doubtful.rename(_doubtful(damaged))
    fresh.rename(path)
    _kept_log(path).unlink(missing_ok=True)
    _beside(fresh, "-journal").unlink(missing_ok=True)
    sync_folder(path.parent)


def _write_down(path: Path, judged: Judged) -> None:
    """What is not passed on as genuine, or cannot be proven to be, for the office."""
    unproven = [
        {"seq": each.seq, "why": "unproven", "id": each.noted.id, "body": b64encode(each.body).decode()}
        for each in judged.kept
        if each.how == "unproven"
    ]
    altered = [
        {"seq": each.seq, "why": "altered", **each.noted._asdict(), "body": b64encode(each.body).decode()}
        for each in judged.altered
    ]
    if unproven or altered:
        _write(path, "".join(json.dumps(each) + "\n" for each in (*unproven, *altered)).encode())


# --- reading


def _setting(record: pages.Record) -> tuple[str, str] | None:
    match record.values:
        case (str(key), str(value)):
            return key, value
    return None


def _head(record: pages.Record) -> Head | None:
    match record.values:
        case (None, str(stream_id), int(head_seq), bytes(head_hash), int(acked_seq), bytes(acked_hash), *_) if (
            _UUID.fullmatch(stream_id)
        ):
            return Head(stream_id, head_seq, head_hash, acked_seq, acked_hash)
    return None


def _found(record: pages.Record) -> Found | None:
    match record.values:
        case (None, id_, intent_id, subject, session_id, kind, body, hash_, occurred, _):
            noted = Noted(
                _text(id_), None if subject is None else _text(subject), *map(_text, (session_id, kind, occurred))
            )
            if isinstance(body, str | bytes) and isinstance(hash_, str | bytes) and len(_raw(hash_)) == chain.HASH_SIZE:
                intent = intent_id if isinstance(intent_id, str) and _UUID.fullmatch(intent_id) else None
                return Found(record.rowid, noted, intent, _raw(body), _raw(hash_))
    return None


def _loose(file: bytes) -> Iterator[Found]:
    """Whatever looks like the bytes of a fact, with what stands behind it, where its hash would be."""
    for match in _BODY.finditer(file):
        body = match[0]
        said = read(body)
        if said is not None:
            yield Found(0, said.noted, None, body, file[match.end() : match.end() + chain.HASH_SIZE])


def _text(value: pages.Value) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _raw(value: str | bytes) -> bytes:
    # What kind of value it is may be what was damaged.
    return value.encode(errors="surrogateescape") if isinstance(value, str) else value


def _asked(file: bytes) -> Remains:
    """What SQLite still makes of the file: of what was changed in place it knows the latest."""
    settings: dict[str, str] = {}
    head = None
    with closing(sqlite3.connect(":memory:")) as conn, suppress(sqlite3.Error, MemoryError, UnicodeDecodeError):
        conn.text_factory = lambda text: text.decode(errors="surrogateescape")
        # Whatever was in a write-ahead log is in the file by now.
        conn.deserialize(file[:18] + b"\x01\x01" + file[20:])
        row = conn.execute("SELECT stream_id, head_seq, head_hash, acked_seq, acked_hash FROM stream").fetchone()
        head = None if row is None else _head(pages.Record(1, (None, *row)))
        for key, value in conn.execute("SELECT key, value FROM settings NOT INDEXED"):
            settings[str(key)] = str(value)
    return Remains([], [], head, settings)


def _is_somebody_elses(file: bytes) -> bool:
    with closing(sqlite3.connect(":memory:")) as conn, suppress(sqlite3.Error, MemoryError, UnicodeDecodeError):
        conn.deserialize(file)
        return bool(conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    return False


# --- files


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time: the desk and the postman start together."""
    with explained(folder), (folder / "salvage.lock").open("w") as lock:
        os.fchmod(lock.fileno(), 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _held(path: Path) -> Iterator[bytes]:
    """The file's bytes, and nobody writes to it meanwhile. Raises `NotRecorded`.

    Through SQLite itself that cannot be had of a file which it does not open. No other connection of this process to
    the file may be open: closing any would give up the hold.
    """
    settle(path)
    with path.open("r+b") as file:
        until = time.monotonic() + TIMEOUT_S
        while not _has(file.fileno()):
            if time.monotonic() > until:
                raise NotRecorded("busy", path.name)
            # The lock that waits by itself cannot be given up after a while.
            time.sleep(_LOOK_S)
        yield _content(file.fileno())


def _log(path: Path) -> bytes:
    """The write-ahead log that an older version left. It gets another name as well: SQLite deletes one that it cannot
    read, and this may be killed before what was in it is in the new file."""
    log, kept = _beside(path, "-wal"), _kept_log(path)
    if log.exists() and not kept.exists():
        _give_name(log, kept, log.read_bytes())
        sync_folder(path.parent)
    if not kept.exists():
        return b""
    with kept.open("rb") as file:
        return _content(file.fileno())


def _has(handle: int) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCK_BYTES)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _free_name(path: Path, at: datetime) -> Path:
    name = f"{path.stem}.damaged-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = (path.with_name(f"{name}{more}{path.suffix}") for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(each for each in names if not each.exists())


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _kept_log(path: Path) -> Path:
    return path.with_name(f"{path.stem}.salvaging-wal")


def _doubtful(path: Path) -> Path:
    return path.with_suffix(".facts.jsonl")


def _content(handle: int) -> bytes:
    """What is in a file, with zeros where the disk cannot read it."""
    size = os.fstat(handle).st_size
    return b"".join(_page(handle, at, min(pages.PAGE, size - at)) for at in range(0, size, pages.PAGE))


def _page(handle: int, at: int, size: int) -> bytes:
    try:
        return os.pread(handle, size, at).ljust(size, b"\x00")
    except OSError:
        return bytes(size)


def _give_name(path: Path, other: Path, content: bytes) -> None:
    """The file has that name as well; `content` is what is in it."""
    try:
        os.link(path, other)
    except OSError:
        # Some file systems know one name for a file only.
        _write(other, content)


def _write(path: Path, content: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        # Half of it is of no use, and takes the room of the next try.
        path.unlink(missing_ok=True)
        raise
