"""Keep a whole hub as one SQLite file, whatever its database is, and look through such a file."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine

from hub import migrations
from hub.actions import readiness
from hub.database import Told, copy_all, copy_file, damage, file_of, filling, reading, unchanging, writing
from hub.errors import HubRefused, NotWritten
from hub.store import contents, institutions
from hub.store.contents import Link
from sync.chain import START, advance

BESIDE = ("", "-journal", "-wal", "-shm")
"""What SQLite may leave beside a file: nothing, and these."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a hub's database holds: whose it is, and how many rows each table has."""

    hub_id: UUID
    rows: Mapping[str, int]


class Unsound(HubRefused):
    """A database in which something is not as it was written."""

    code = "unsound"


def backup(engine: Engine, file: Path, told: Told | None = None, *, force: bool = False) -> Contents:
    """Everything of one moment in one file, looked through from end to end before it has its name.

    Kiosks and staff go on meanwhile. Raises `NotReady`, `HubRefused` when the file is there already (unless `force`),
    and `NotWritten` or `Unsound`, and then what was there before is there still.
    """
    hub_id = readiness.hub_id(engine)
    _check_name(engine, file, force)
    with part_of(file) as part:
        if file_of(engine) is None:
            with reading(engine) as conn:
                write_out(conn, part, told)
        else:
            copy_file(engine, part)
        found = look_into(part)
        if found.hub_id != hub_id:
            raise NotWritten("What was written is another hub's. Nothing was kept.")
        put_in_place(part, file)
    return found


def write_out(conn: Connection, file: Path, told: Told | None = None) -> None:
    """Copy all that a connection sees into a new SQLite file. Raises `NotWritten`."""
    with filling(file) as engine:
        migrations.upgrade(engine)
        with writing(engine) as target:
            copied = copy_all(conn, target, told)
            if contents.rows(target) != copied:
                raise NotWritten("Not every row arrived in the file. Nothing was kept.")


def look_into(file: Path) -> Contents:
    """What a file holds, gone through from end to end. Raises `Unsound`."""
    with reading(unchanging(file)) as conn:
        return examine(conn)


def examine(conn: Connection) -> Contents:
    """What a database of today's shape holds: its pages, its tables, and each fact in its stream's chain.

    Raises `Unsound`.
    """
    damaged = damage(conn)
    if damaged is not None:
        raise Unsound(f"The database is damaged ({damaged}).")
    hub_id = institutions.hub_id(conn)
    if hub_id is None:
        raise Unsound("No hub was set up in it.")
    _check_chains(conn)
    return Contents(hub_id, contents.rows(conn))


def _check_chains(conn: Connection) -> None:
    marks = contents.marks(conn)
    with contents.links(conn) as links:
        for stream, its_own in groupby(links, lambda link: link.stream):
            if _end_of_chain(its_own) != marks.pop(stream):
                raise Unsound(f"Stream {stream[1]} does not hold what its kiosk was told that it holds.")
    short = [stream for (_, stream), (seq, _) in marks.items() if seq]
    if short:
        raise Unsound(f"Stream {short[0]} has lost its facts.")


def _end_of_chain(links: Iterator[Link]) -> tuple[int, bytes]:
    seq, end = 0, START
    for seq, link in enumerate(links, 1):
        end = advance(end, link.body)
        if (link.seq, link.hash) != (seq, end):
            raise Unsound(f"Fact {link.seq} of stream {link.stream[1]} is not as its kiosk wrote it.")
    return seq, end


def _check_name(engine: Engine, file: Path, force: bool) -> None:
    if file.is_dir():
        raise HubRefused(f"{file} is a folder. Name a file in it.")
    there = file_of(engine)
    if there is not None and file.exists() and file.samefile(there):
        raise HubRefused(f"{file} is the database itself. Name another file.")
    if file.exists() and not force:
        raise HubRefused(f"{file} is there already. Name another file, or say --force.")


@contextmanager
def part_of(file: Path) -> Iterator[Path]:
    """A new empty file beside `file`, readable by nobody else; in the end it is gone, unless it was put in place.

    Raises `NotWritten`.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        yield part
    except OSError as error:
        raise NotWritten(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        for suffix in BESIDE:
            with suppress(OSError):
                part.with_name(part.name + suffix).unlink()


def put_in_place(part: Path, file: Path) -> None:
    """Give a file its name, on the disk for good."""
    _to_disk(part, os.O_RDWR)
    part.replace(file)
    _to_disk(file.parent, os.O_RDONLY)


def _to_disk(path: Path, how: int) -> None:
    opened = os.open(path, how)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
