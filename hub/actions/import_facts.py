"""Take facts that were carried in a file. They are judged as if the kiosk had handed them over.

They become a stream of their own, named after what is in it: it can neither leave a gap in the kiosk's stream nor fork
it, and the same file a second time is the same stream. What comes over the network too, before or after, is known by
its id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID, uuid5

import msgspec
from sqlalchemy import Connection, Engine

from hub.actions import readiness
from hub.actions.receive import DELIVERED_BEFORE, SET_ASIDE, take
from hub.database import Told, reading, trying, writing
from hub.errors import HubRefused, UnknownKiosk, UnreadableFile
from hub.store import carried, institutions, kiosks
from hub.store.facts import PARKED
from hub.store.kiosks import Kiosk
from sync import PROTO, chain
from sync.facts_file import LONGEST_LINE, DamagedFile, FactsFile, Header
from sync.facts_file import read as read_lines
from sync.messages import MAX_FACTS, Moment, Push


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: of all its `facts`, `known` had come before. Of the `new` ones, `parked` wait for a decision
    and `set_aside` could not be read."""

    facts: int
    new: int
    known: int
    parked: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class _Carried:
    """The facts of a file as a stream."""

    kiosk: Kiosk
    stream_id: UUID
    pushes: tuple[Push, ...]
    facts: int


def import_facts(
    engine: Engine, file: Path, as_kiosk: UUID | None, now: datetime, told: Told | None = None, *, dry_run: bool = False
) -> Imported:
    """Keep the facts in a file, at most 200 in a transaction; with `dry_run`, only say what would come of it.

    `as_kiosk`: file them under this one. Raises `UnreadableFile` naming the line that is not as the kiosk wrote it,
    `HubRefused` for another hub's facts, and `UnknownKiosk`; then nothing is kept.
    """
    found = read(file)
    hub_id = readiness.hub_id(engine)
    if found.header.hub_id != hub_id:
        raise HubRefused(f"{file} is for hub {found.header.hub_id}; this is hub {hub_id}. Nothing was imported.")
    with reading(engine) as conn:
        kiosk = _filed_under(conn, found.header, as_kiosk)
    stream = _stream(kiosk, found.facts, now)
    with reading(engine) as conn:
        before = carried.held(conn, kiosk.institution_id, stream.stream_id)
    if dry_run:
        with trying(engine) as conn:
            for push in stream.pushes:
                take(conn, kiosk, stream.stream_id, push, now)
            return _came_to(conn, stream, before)
    for push in stream.pushes:
        with writing(engine) as conn:
            take(conn, kiosk, stream.stream_id, push, now)
        if told is not None:
            told(push.from_seq - 1 + len(push.facts))
    with reading(engine) as conn:
        return _came_to(conn, stream, before)


def read(file: Path) -> FactsFile:
    """A file that `kiosk export` has written. Raises `UnreadableFile`."""
    try:
        with file.open("rb") as opened:
            return read_lines(iter(partial(opened.readline, LONGEST_LINE + 1), b""))
    except DamagedFile as error:
        raise UnreadableFile(error.reason, _WORDS[error.reason].format(file=file, line=error.line)) from error
    except OSError as error:
        raise UnreadableFile("no_file", f"{file} cannot be read: {error.strerror}.") from error


_AGAIN = "Nothing was imported: copy the file again, or export again."
_ALTERED = f"Line {{line}} of {{file}} is not as the kiosk wrote it. {_AGAIN}"
_WORDS = {
    "no_facts_file": "{file} is no file that `kiosk export` has written.",
    "newer_version": "{file} was written by a newer version of the kiosk. Update this hub first.",
    "altered": _ALTERED,
    "too_long": _ALTERED,
    "cut": f"{{file}} is not complete: line {{line}} is missing, or not all of it is there. {_AGAIN}",
}


def _filed_under(conn: Connection, header: Header, as_kiosk: UUID | None) -> Kiosk:
    theirs = _member(conn, header.kiosk_id)
    if as_kiosk is None:
        if theirs is None:
            raise UnknownKiosk(
                f"The hub does not know kiosk {header.kiosk_id}. If it was enrolled here, file its facts under another "
                "kiosk of the same institution with --kiosk ID; `hub kiosks list` shows them all."
            )
        return theirs
    chosen = _member(conn, as_kiosk)
    if chosen is None:
        raise UnknownKiosk(f"There is no kiosk {as_kiosk}. `hub kiosks list` shows them all.")
    if theirs is not None and theirs.institution_id != chosen.institution_id:
        raise HubRefused(f"Kiosk {as_kiosk} is another institution's: it cannot take the facts of {theirs.name}.")
    return chosen


def _member(conn: Connection, kiosk_id: UUID) -> Kiosk | None:
    found = (kiosks.get(conn, institution_id, kiosk_id) for institution_id, _ in institutions.all_ids(conn))
    return next((kiosk for kiosk in found if kiosk is not None), None)


def _stream(kiosk: Kiosk, facts: Sequence[bytes], now: datetime) -> _Carried:
    hashes = [chain.START, *chain.hashes(chain.START, facts)]
    # When the file was written says nothing about when it is read: no clocks are compared.
    clock = Moment(wall=now, boot="", since_boot_ms=0)

    def pushes() -> Iterator[Push]:
        for before in range(0, len(facts), MAX_FACTS):
            yield Push(
                proto=PROTO,
                from_seq=before + 1,
                prev_hash=hashes[before],
                head_seq=len(facts),
                clock=clock,
                facts=tuple(msgspec.Raw(fact) for fact in facts[before : before + MAX_FACTS]),
            )

    return _Carried(kiosk, uuid5(kiosk.id, hashes[-1].hex()), tuple(pushes()), len(facts))


def _came_to(conn: Connection, stream: _Carried, before: int) -> Imported:
    verdicts = carried.verdicts(conn, stream.kiosk.institution_id, stream.stream_id, before)
    new = sum(number for verdict, number in verdicts.items() if verdict != DELIVERED_BEFORE)
    parked = sum(number for verdict, number in verdicts.items() if verdict.startswith(PARKED))
    return Imported(stream.facts, new, stream.facts - new, parked, verdicts.get(SET_ASIDE, 0))
