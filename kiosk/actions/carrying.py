"""Put what the hub does not hold yet into a file, for a stick."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from sync.facts_file import FactsFile, Header, lines


def pack(journal: Journal, standing: Standing, *, everything: bool = False) -> FactsFile:
    """The facts the hub does not hold yet, or all; a desk and a postman may be at work meanwhile.

    Raises `ChainBroken` when the chain does not vouch for them: a file with a chain made anew would.
    """
    found = journal.unsent(everything=everything)
    header = Header(
        hub_id=standing.enrolled.hub_id,
        kiosk_id=standing.enrolled.kiosk_id,
        stream_id=found.stream_id,
        from_seq=found.from_seq,
        prev_hash=found.prev_hash,
        count=len(found.facts),
        last_hash=found.last_hash,
    )
    return FactsFile(header, found.facts)


def write(packed: FactsFile, file: Path) -> None:
    """Keep them in a file that nobody else can read: all of them, on the disk for good, or none. Raises `OSError`."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        _write(part, lines(packed.header, packed.facts))
        part.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _write(path: Path, found: Iterable[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as part:
        part.writelines(found)
        part.flush()
        os.fsync(part.fileno())
