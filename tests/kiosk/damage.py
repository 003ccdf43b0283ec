"""Ways a journal's file is spoilt: by the disk, by a card that is pulled out, by somebody with an editor."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Spoil = Callable[[Path], None]
PAGE = 4096


def header(path: Path) -> None:
    """The first hundred bytes are zeros."""
    overwrite(path, 0, bytes(100))


def first_page(path: Path) -> None:
    """What says which tables there are is gone."""
    overwrite(path, 0, bytes(PAGE))


def page_in_the_middle(path: Path) -> None:
    """A page of facts reads as zeros."""
    content = path.read_bytes()
    overwrite(path, content.index(b'{"kind":"check_in"') // PAGE * PAGE, bytes(PAGE))


def without_its_end(path: Path) -> None:
    """The last pages of the file are not there."""
    path.write_bytes(path.read_bytes()[: -4 * PAGE])


def empty(path: Path) -> None:
    """The file has no bytes at all."""
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    """Something else stands in the file."""
    path.write_bytes(b"This is not a database. " * 400)


def one_bit(path: Path) -> None:
    """One bit of a fact is another."""
    at = path.read_bytes().rindex(b'"wall":"') + 12
    overwrite(path, at, bytes([path.read_bytes()[at] ^ 1]))


def all_but_its_log(path: Path) -> None:
    """The file is zeros, and so is the beginning of the write-ahead log that holds what was in it."""
    log = path.with_name(path.name + "-wal")
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
        conn.executescript("UPDATE facts SET verdict = 'counted'; UPDATE settings SET value = value || ''")
        content = log.read_bytes()
    path.write_bytes(bytes(path.stat().st_size))
    log.write_bytes(bytes(32) + content[32:])


def leftover(path: Path) -> None:
    """The journal of another file lies beside one that cannot be read."""
    header(path)
    path.with_name(path.name + "-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(2000))


def changed(statement: str) -> Spoil:
    """Somebody with a shell has been at it."""

    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path)) as conn:
            triggers = conn.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            again = "".join(f"{sql};" for (sql,) in triggers)
            conn.executescript(f"DROP TRIGGER facts_stay; DROP TRIGGER facts_are_fixed; {statement}; {again}")

    return spoil


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)
