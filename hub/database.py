"""The hub's database: SQLite or PostgreSQL. The only file that knows the dialect.

`reading` sees one moment of the database from first query to last. `writing` commits durably when the block
ends and leaves nothing behind when it raises. On SQLite it is the only writer from its start; on PostgreSQL others
write other rows meanwhile, so whoever decides by what was read locks it (`locked`, `held_still`, `next_positions`), or
lets nobody else do the same (`one_at_a_time`).
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, NullPool, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from uuid_utils.compat import uuid4

from hub import schema
from hub.errors import HubRefused, InUse, NotWritten
from hub.scratch import clear_abandoned, scratch

Row = dict[str, Any]

BUSY_MS = 10_000
"""How long a writer waits for another one on SQLite."""
MUCH = 512 << 20
"""Bytes of changed pages that an import may hold in memory on SQLite."""

_insert: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def connect(url: str | sa.URL, busy_ms: int = BUSY_MS) -> Engine:
    """An engine for a database URL; `postgresql://` means psycopg 3. Nothing is opened yet.

    Raises `sqlalchemy.exc.ArgumentError` for what is no URL and `ValueError` for a database we do not serve.
    """
    parsed = sa.make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in _insert:
        raise ValueError(f"no support for {parsed.get_backend_name()}: use sqlite or postgresql")
    # Parameters are people's addresses: they belong into no log.
    common: dict[str, Any] = {"pool_size": 16, "max_overflow": 48, "hide_parameters": True, **_JSON}
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, **common, pool_pre_ping=True, connect_args={"options": "-c timezone=UTC"})
    engine = sa.create_engine(parsed, **common)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", partial(_set_up_sqlite, busy_ms))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# An import writes and reads so much of it that the time counts.
_JSON: dict[str, Any] = {"json_serializer": _json, "json_deserializer": msgspec.json.decode}


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and sees one moment throughout."""
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            conn = conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with conn.begin():
            yield conn


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is durable when the block ends, none of it when the block raises."""
    with engine.connect() as conn:
        conn = conn.execution_options(writes=True)
        with conn.begin():
            yield conn


@contextmanager
def writing_much(engine: Engine) -> Iterator[Connection]:
    """Like `writing`, for as many rows as there may be: others read meanwhile, up to the commit.

    On SQLite, that is, as long as what is written fits into `MUCH` bytes of memory: about 200,000 new students.
    """
    with engine.connect() as conn:
        conn = conn.execution_options(writes=True)
        if conn.dialect.name == "sqlite":
            # Pages that do not fit the cache go into the file, which locks every reader out.
            size = _raw(conn).execute("PRAGMA page_size").fetchone()[0]
            # Odd, because SQLite takes every 256th number for "never".
            _raw(conn).execute(f"PRAGMA cache_spill={MUCH // size | 1}").close()
        try:
            with conn.begin():
                yield conn
        finally:
            if conn.dialect.name == "sqlite" and not conn.invalidated:
                _raw(conn).execute("PRAGMA cache_spill=1").close()


@contextmanager
def rehearsing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes and leaves nothing behind.

    On SQLite it is in a copy of the database, beside it and as private, and nobody waits for it. Elsewhere it is rolled
    back: who writes what it has written, or what it has made unique, waits until then; who writes what it has only read
    does not (`locked`). Raises `NotWritten` when there is no room for a copy.
    """
    path = file_of(engine)
    if path is None:
        with trying(engine) as conn:
            yield conn.execution_options(rehearses=True)
        return
    with scratch(path.parent, _REHEARSAL) as folder:
        copy = folder / path.name
        copy_file(engine, copy)
        copied = connect(sa.URL.create("sqlite", database=str(copy)))
        event.listen(copied, "connect", _make_passing)
        try:
            with trying(copied) as conn:
                # Open files have no need of a name: whatever ends this process leaves nobody's address behind.
                copy.unlink()
                yield conn
        finally:
            copied.dispose()


def clear_rehearsals(engine: Engine) -> None:
    """Remove the copies that were being made when whoever was `rehearsing` was ended."""
    path = file_of(engine)
    if path is not None:
        clear_abandoned(path.parent, _REHEARSAL)


_REHEARSAL = ".rehearsal-"


def _make_passing(raw: sqlite3.Connection, _record: object) -> None:
    # Nobody will miss it: neither after a power cut nor when it cannot be rolled back.
    for setting in ("journal_mode=OFF", "synchronous=OFF"):
        raw.execute(f"PRAGMA {setting}").close()


@contextmanager
def trying(engine: Engine) -> Iterator[Connection]:
    """A transaction like `writing` that leaves nothing behind, however the block ends."""
    with engine.connect() as conn:
        conn = conn.execution_options(writes=True)
        with conn.begin() as transaction:
            yield conn
            transaction.rollback()


def unheld(engine: Engine) -> Engine:
    """The same database for those who only look something up now and then and never say when they are done.

    On SQLite each statement stands alone, because a forgotten reader would keep every writer from committing.
    """
    return engine.execution_options(stands_alone=True)


def insert_once(conn: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert the rows that break no unique constraint; return how many were new. All rows have the same columns."""
    if not rows:
        return 0
    statement = _insert[conn.dialect.name](table).on_conflict_do_nothing()
    return int(conn.execute(statement, list(rows), execution_options={"preserve_rowcount": True}).rowcount)


def put(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows, or bring those with the same primary key up to date. All rows have the same columns."""
    if not rows:
        return
    statement = _insert[conn.dialect.name](table)
    pk = list(table.primary_key)
    names = {column.name for column in pk}
    changed = {name: statement.excluded[name] for name in rows[0] if name not in names}
    conn.execute(statement.on_conflict_do_update(index_elements=pk, set_=changed), list(rows))


def next_positions(conn: Connection, institution_id: UUID, count: int) -> int:
    """The first of `count` consecutive feed positions, under a mark of their own.

    They come from one locked row, so positions become visible in order: a reader that has seen position n has seen
    every position below n, which a database sequence cannot promise. After a restore the same positions are given out
    again, under another mark: by that a reader notices.
    """
    table = schema.institutions
    last = conn.execute(
        sa.update(table)
        .where(table.c.id == institution_id)
        .values(feed_position=table.c.feed_position + count)
        .returning(table.c.feed_position)
    ).scalar_one()
    mark = {"institution_id": institution_id, "position": last, "mark": uuid4()}
    conn.execute(sa.insert(schema.feed_marks), mark)
    return int(last) - count + 1


def locked(conn: Connection, statement: sa.Select[Any]) -> sa.Select[Any]:
    """The rows of a `writing` block that no other writer may change meanwhile. (SQLite has one writer anyway.)

    While `rehearsing` others may: nothing comes of what was read.
    """
    rehearses = conn.get_execution_options().get("rehearses", False)
    return statement if rehearses else statement.with_for_update()


def held_still(statement: sa.Select[Any]) -> sa.Select[Any]:
    """The rows of a `writing` block that others may read and hold still too, but not change meanwhile."""
    return statement.with_for_update(read=True)


def one_at_a_time(conn: Connection, name: str) -> None:
    """Until the end of a `writing` block, nobody else passes here with this name. (SQLite has one writer anyway.)

    It stops nobody who does not ask, unlike a lock on a row.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def take_stock(conn: Connection, *tables: Table) -> None:
    """Let the database look at how much there is now.

    PostgreSQL plans by what it last knew: tables that were empty then are read from end to end for every row that
    refers to them.
    """
    for table in tables:
        conn.exec_driver_sql(f"ANALYZE {table.name}")


def _safe_for_wal(version: tuple[int, ...]) -> bool:
    # Releases without the fix for the WAL-reset race may corrupt a file that several processes use.
    fixed_in: dict[tuple[int, ...], tuple[int, ...]] = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}
    return version >= fixed_in.get(version[:2], (3, 51, 3))


def _make_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    # Addresses lie in it: SQLite would let the machine's other users read a file it makes itself.
    path = str(arguments[0])
    if os.path.isdir(os.path.dirname(path)):
        # There already, or not to be made: SQLite finds words for the latter.
        with suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_up_sqlite(busy_ms: int, raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_ms}")
    mode = "WAL" if _safe_for_wal(sqlite3.sqlite_version_info) else "TRUNCATE"
    cursor.execute(f"PRAGMA journal_mode={mode}")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(conn: Connection) -> None:
    options = conn.get_execution_options()
    if not options.get("stands_alone", False):
        conn.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")


def durability(conn: Connection) -> dict[str, bool]:
    """The settings that make a commit survive a power cut, and whether each is on."""
    if conn.dialect.name == "sqlite":
        level = conn.exec_driver_sql("PRAGMA synchronous").scalar_one()
        return {"synchronous": int(level) >= 2}
    names = ("fsync", "synchronous_commit", "full_page_writes")
    return {name: conn.exec_driver_sql(f"SHOW {name}").scalar_one() != "off" for name in names}


# --- a whole database: as a file, alone, from one kind to the other

Told = Callable[[int], None]
"""Hears how many rows have been copied so far."""

_BLOCK = 1_000
_SERVED = "kiosk hub: served"


def file_of(engine: Engine) -> Path | None:
    """The file this database lies in; None when it lies with a server."""
    name = engine.url.database
    return Path(name) if engine.dialect.name == "sqlite" and name and name != ":memory:" else None


@contextmanager
def filling(path: Path) -> Iterator[Engine]:
    """A SQLite file of our own making, which in the end needs no other beside it.

    Raises `NotWritten` when the disk does not take what is written into it.
    """
    engine = connect(sa.URL.create("sqlite", database=str(path)))
    try:
        yield engine
        with engine.connect() as conn:
            _raw(conn).execute("PRAGMA journal_mode=DELETE").close()
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise NotWritten(f"{path.parent} does not take the file: {error.orig}.") from error
        raise
    finally:
        engine.dispose()


@contextmanager
def to_itself(path: Path) -> Iterator[None]:
    """Nobody else reads or writes a SQLite file while the block runs; whoever wrote before has finished.

    A file that cannot be read as a database is nobody's. Raises `InUse`.
    """
    # Who waits meanwhile and then finds the file moved is refused by SQLite, and writes nothing into the old one.
    with closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1_000)) as raw:
        try:
            # What a log beside the file holds is in the file from here on.
            raw.execute("PRAGMA journal_mode=DELETE")
            raw.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise InUse("Something else uses the database, and keeps it. Stop that, then try again.") from error
        yield


def unchanging(path: Path) -> Engine:
    """An engine that only reads a SQLite file, on whatever medium it lies, and leaves nothing beside it."""
    # A log beside it belongs to it: then SQLite has to read both, and needs a lock on them.
    logged = any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal"))
    address = f"{path.absolute().as_uri()}?{'mode=ro' if logged else 'immutable=1'}"
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None),
        poolclass=NullPool,
        hide_parameters=True,
        **_JSON,
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def copy_file(source: Engine, path: Path) -> None:
    """All of a SQLite database as it is at one moment, as one file that needs no other beside it.

    Others may write before and after, and wait meanwhile. Raises `NotWritten`.
    """
    tries = iter(range(_PATIENT_TRIES))

    def give_up(status: int, _left: int, _pages: int) -> None:
        if status == sqlite3.SQLITE_BUSY and next(tries, None) is None:
            raise NotWritten("Something else keeps the database for itself. Try again when it is done.")

    try:
        with source.connect() as conn, closing(sqlite3.connect(path, isolation_level=None)) as copy:
            _raw(conn).backup(copy, progress=give_up)
            copy.execute("PRAGMA journal_mode=DELETE")
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        said = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise NotWritten(f"{path.parent} does not take the file, or the database cannot be read: {said}.") from error


def _raw(conn: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, conn.connection.driver_connection)


_PATIENT_TRIES = 3
"""Each of them waits as long as a writer does."""


def copy_all(source: Connection, target: Connection, told: Told | None = None) -> dict[str, int]:
    """Every row of one database into another one, which is empty and has today's shape; how many of each table.

    `source` has to see one moment. Numbers that the target gives out itself go on after those that came. Raises
    `HubRefused` for a text that the target cannot keep.
    """
    copied: dict[str, int] = {}
    total = 0
    for table in schema.metadata.sorted_tables:
        copied[table.name] = 0
        with source.execute(sa.select(table), execution_options={"yield_per": _BLOCK}) as rows:
            for block in rows.mappings().partitions():
                _insert_all(target, table, [dict(row) for row in block])
                copied[table.name] += len(block)
                total += len(block)
                if told is not None:
                    told(total)
        _number_on(target, table)
    return copied


def _insert_all(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    try:
        conn.execute(sa.insert(table), list(rows))
    except sa.exc.DataError as error:
        name, row = next(_with_nul(rows), (None, {}))
        if name is None:
            raise
        which = ", ".join(f"{column.name} {row[column.name]!s}" for column in table.primary_key)
        raise HubRefused(
            f"{table.name}.{name} ({which}) holds a NUL character, which PostgreSQL cannot keep. Nothing was changed. "
            "Correct it where it is, in a hub on SQLite (import that student again, say), then try again."
        ) from error


def _with_nul(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    return ((name, row) for row in rows for name, value in row.items() if isinstance(value, str) and "\0" in value)


def _number_on(conn: Connection, table: Table) -> None:
    column = table.autoincrement_column
    if conn.dialect.name != "postgresql" or column is None:
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    # An empty table's first number stays the first.
    highest = sa.select(sa.func.setval(sequence, sa.func.max(column))).having(sa.func.max(column).is_not(None))
    conn.execute(highest)


def keep_everybody_out(conn: Connection) -> None:
    """Until the end of a `writing` block nobody else reads or writes a server's database."""
    conn.exec_driver_sql(f"LOCK TABLE {_everything()} IN ACCESS EXCLUSIVE MODE")


def clear(conn: Connection) -> None:
    """Take everything out of a server's database from which everybody else is kept out."""
    conn.exec_driver_sql(f"TRUNCATE {_everything()}")


def _everything() -> str:
    return ", ".join(table.name for table in schema.metadata.sorted_tables)


def damage(conn: Connection) -> str | None:
    """What is wrong with the file a SQLite database lies in; None when it is sound. A server looks after its own."""
    if conn.dialect.name != "sqlite":
        return None
    found = str(conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    return None if found == "ok" else found


def is_blank(conn: Connection) -> bool:
    """Whether there is nothing at all in a database, or only our empty tables."""
    there = set(sa.inspect(conn).get_table_names()) - {"alembic_version"}
    ours = {table.name: table for table in schema.metadata.sorted_tables}
    return there <= set(ours) and not any(
        conn.execute(sa.select(sa.exists(sa.select(sa.literal(1)).select_from(ours[name])))).scalar() for name in there
    )


@contextmanager
def serving(engine: Engine) -> Iterator[None]:
    """Say that this database is served, from this process, while the block runs. Raises `InUse`."""
    with _held(engine, shared=True):
        yield


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Nobody serves this database while the block runs, here or on another machine. Raises `InUse`."""
    with _held(engine, shared=False):
        yield


@contextmanager
def _held(engine: Engine, *, shared: bool) -> Iterator[None]:
    path = file_of(engine)
    if path is not None:
        with _lock_beside(path, shared=shared):
            yield
    elif engine.dialect.name == "postgresql":
        take = sa.func.pg_try_advisory_lock_shared if shared else sa.func.pg_try_advisory_lock
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            if not conn.execute(sa.select(take(sa.func.hashtextextended(_SERVED, 0)))).scalar():
                raise InUse(_IN_USE[shared])
            # The lock goes with the connection, so that one goes nowhere else.
            conn.detach()
            yield
    else:
        yield


def _lock_beside(path: Path, *, shared: bool) -> TextIOWrapper:
    """A file that is locked while it is open."""
    try:
        lock = open(path.with_name(path.name + ".lock"), "a", opener=_private)  # noqa: SIM115 - closed by who asked
    except OSError as error:
        raise NotWritten(f"{path.parent} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise InUse(_IN_USE[shared]) from error
    return lock


_IN_USE = {
    True: "The database is just being replaced or moved. Start again when that is done.",
    False: "A hub is serving this database. Stop every `hub serve` that uses it, then try again.",
}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
