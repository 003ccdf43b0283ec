"""Put what the hub does not hold yet into a file, for a stick."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kiosk.store.journal import Journal, Standing
from sync import chain
from sync.errors import HubMismatch
from sync.facts_file import FactsFile, Header, lines

_BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Packed:
    """Facts to be carried. `sound`: they are as they were written."""

    file: FactsFile
    sound: bool


def pack(journal: Journal, standing: Standing, *, everything: bool = False) -> Packed:
    """The facts the hub does not hold yet, or all; a desk and a postman may be at work meanwhile.

    Raises `HubMismatch` when the journal cannot say where they begin.
    """
    marks = journal.marks()
    before = 0 if everything else marks.acked_seq
    start = journal.hash_at(before)
    if start is None:
        raise HubMismatch(f"no hash at {before}")
    facts: list[bytes] = []
    while before + len(facts) < marks.head_seq:
        block = journal.facts_after(before + len(facts), min(_BLOCK, marks.head_seq - before - len(facts)))
        if not block:
            break
        facts += block
    end = chain.hashes(start, facts)[-1] if facts else start
    header = Header(
        hub_id=standing.enrolled.hub_id,
        kiosk_id=standing.enrolled.kiosk_id,
        stream_id=marks.stream_id,
        from_seq=before + 1,
        prev_hash=start,
        count=len(facts),
        last_hash=end,
    )
    return Packed(FactsFile(header, facts), sound=journal.hash_at(before + len(facts)) == end)


def write(packed: Packed, file: Path) -> None:
    """Keep them in a file that nobody else can read: all of them, on the disk for good, or none. Raises `OSError`."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        _write(part, lines(packed.file.header, packed.file.facts))
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
