"""As many rows as facts, straight into a table: `executemany`, a durable commit for each batch.

The table has what any count needs: the fact's bytes under its id, and an index by session and student.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

Row = tuple[bytes, bytes, bytes, bytes]
"""Id, session, student, body."""

_TABLE = "CREATE TABLE facts (id {0} PRIMARY KEY, session {0} NOT NULL, student {0} NOT NULL, body {0} NOT NULL)"
_INDEX = "CREATE INDEX present ON facts (session, student)"


class Raw(Protocol):
    """A database without anything around it."""

    def insert(self, rows: Sequence[Row]) -> None:
        """One batch, committed."""

    def close(self) -> None: ...


class RawSqlite:
    """Through `sqlite3`."""

    def __init__(self, path: Path, journal_mode: str) -> None:
        self._conn = sqlite3.connect(path, isolation_level=None)
        self._conn.execute(f"PRAGMA journal_mode = {journal_mode}")
        self._conn.execute("PRAGMA synchronous = FULL")
        self._conn.execute(_TABLE.format("BLOB"))
        self._conn.execute(_INDEX)

    def insert(self, rows: Sequence[Row]) -> None:
        self._conn.execute("BEGIN IMMEDIATE")
        self._conn.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", rows)
        self._conn.execute("COMMIT")

    def close(self) -> None:
        self._conn.close()


class RawPostgres:
    """Through `psycopg`."""

    def __init__(self, conninfo: str) -> None:
        import psycopg

        self._conn: psycopg.Connection[Any] = psycopg.connect(conninfo)
        self._conn.execute(_TABLE.format("bytea"))
        self._conn.execute(_INDEX)
        self._conn.commit()

    def insert(self, rows: Sequence[Row]) -> None:
        with self._conn.cursor() as cursor:
            cursor.executemany("INSERT INTO facts VALUES (%s, %s, %s, %s)", rows)
        self._conn.commit()

    def close(self) -> None:
        self._conn.close()
