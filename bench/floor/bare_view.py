"""A bare check-in: one indexed look-up and one durable insert through `sqlite3`, in one Flask view.

Writers take turns by a lock, as ours do: without one SQLite lets waiting threads be overtaken, and the reference would
be slower than it need be. Run as a program it is served as `kiosk serve` is: waitress with eight threads.
"""

import sqlite3
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from bench.floor.hello import add_hello

THREADS = 8


def make_file(path: Path, keys: Iterable[tuple[str, int]]) -> None:
    """A file that knows whose each key is."""
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE people (key TEXT PRIMARY KEY, person INTEGER NOT NULL) WITHOUT ROWID")
    conn.execute("CREATE TABLE check_ins (id INTEGER PRIMARY KEY, session TEXT NOT NULL, person INTEGER NOT NULL)")
    with conn:
        conn.executemany("INSERT INTO people VALUES (?, ?)", sorted(keys))
    conn.close()


def bare_app(path: Path, journal_mode: str) -> Flask:
    """The view over a file that `make_file` made."""
    app = add_hello(Flask("bare"))
    turn = threading.Lock()
    local = threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "conn"):
            local.conn = sqlite3.connect(path, isolation_level=None, timeout=10)
            local.conn.execute(f"PRAGMA journal_mode = {journal_mode}")
            local.conn.execute("PRAGMA synchronous = FULL")
        conn: sqlite3.Connection = local.conn
        return conn

    @app.post("/sessions/<session>/check-ins")
    def check_in(session: str) -> ResponseReturnValue:
        conn = connection()
        row = conn.execute("SELECT person FROM people WHERE key = ?", [request.form["identifier"]]).fetchone()
        if row is None:
            return jsonify(verdict="not_recognised")
        with turn:
            conn.execute("INSERT INTO check_ins (session, person) VALUES (?, ?)", [session, row[0]])
        return jsonify(verdict="welcome", person=row[0])

    return app


def main(path: str, journal_mode: str, port: str) -> None:
    """Serve until stopped."""
    from waitress import serve

    serve(bare_app(Path(path), journal_mode), host="127.0.0.1", port=int(port), threads=THREADS, ident=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
