"""The hub's database: SQLite or PostgreSQL. The only file that knows the dialect.

`reading` sees one moment of the database from first query to last. `writing` commits durably when the block
ends and leaves nothing behind when it raises. On SQLite it is the only writer from its start; on PostgreSQL others
write other rows meanwhile, so whoever decides by what was read locks it (`locked`, `held_still`, `next_positions`), or
lets nobody else do the same (`one_at_a_time`).
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite

from hub import schema

Row = dict[str, Any]

BUSY_MS = 10_000
"""How long a writer waits for another one on SQLite."""

_insert: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def connect(url: str, busy_ms: int = BUSY_MS) -> Engine:
    """An engine for a database URL; `postgresql://` means psycopg 3. Nothing is opened yet.

    Raises `sqlalchemy.exc.ArgumentError` for what is no URL and `ValueError` for a database we do not serve.
    """
    parsed = sa.make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in _insert:
        raise ValueError(f"no support for {parsed.get_backend_name()}: use sqlite or postgresql")
    # Parameters are people's addresses: they belong into no log.
    common: dict[str, Any] = {"pool_size": 16, "max_overflow": 48, "hide_parameters": True}
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, **common, pool_pre_ping=True, connect_args={"options": "-c timezone=UTC"})
    engine = sa.create_engine(parsed, **common)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", partial(_set_up_sqlite, busy_ms))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


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
    """The first of `count` consecutive feed positions.

    They come from one locked row, so positions become visible in order: a reader that has seen position n has seen
    every position below n, which a database sequence cannot promise.
    """
    table = schema.institutions
    last = conn.execute(
        sa.update(table)
        .where(table.c.id == institution_id)
        .values(feed_position=table.c.feed_position + count)
        .returning(table.c.feed_position)
    ).scalar_one()
    return int(last) - count + 1


def locked(statement: sa.Select[Any]) -> sa.Select[Any]:
    """The rows of a `writing` block that no other writer may change meanwhile. (SQLite has one writer anyway.)"""
    return statement.with_for_update()


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
