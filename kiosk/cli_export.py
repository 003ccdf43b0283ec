"""`kiosk export`: what the hub does not hold yet, in a file."""

from pathlib import Path
from typing import Any

from kiosk import words
from kiosk.actions import carrying
from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from kiosk.store.sqlite import StoreDamaged
from sync.errors import ChainBroken


class NotExported(Exception):
    """No file came of it; the text says why and the way out."""


def export(journal: Journal, standing: Standing, file: Path, *, everything: bool, force: bool) -> dict[str, Any]:
    """Writes the file, unless there is nothing to be in it. Raises `NotExported`."""
    if file.is_dir():
        raise NotExported(f"{file} is a folder. Name a file in it.")
    if file.exists() and not force:
        raise NotExported(f"{file} is there already. Name another file, or say --force.")
    try:
        packed = carrying.pack(journal, standing, everything=everything)
    except ChainBroken as error:
        raise NotExported(words.store_trouble(StoreDamaged(journal.path, error.detail))) from error
    header = packed.header
    if header.count:
        try:
            carrying.write(packed, file)
        except OSError as error:
            raise NotExported(f"{file} cannot be written: {error.strerror}.") from error
    return {
        "file": str(file) if header.count else None,
        "facts": header.count,
        "from_seq": header.from_seq,
        "stream_id": str(header.stream_id),
    }


def said(told: dict[str, Any]) -> str:
    """What was written, and what to do with it."""
    if told["file"] is None:
        return "0 facts wait: the hub holds everything, and nothing was written. --all writes all that were ever made."
    return (
        f"{told['facts']:,} facts are in {told['file']}. At the office: hub import facts {Path(told['file']).name}\n"
        "This kiosk keeps them and goes on trying; what comes twice counts once."
    )
