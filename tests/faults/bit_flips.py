"""Rotting disks: one bit of a journal is flipped, and the desk is started."""

import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

from uuid_utils.compat import uuid7

from kiosk.actions import arrivals, leaving, people, undoing
from kiosk.actions.arrivals import Stores
from kiosk.store.journal import Journal
from kiosk.store.remembered import Salvaged
from kiosk.store.roster import Roster
from kiosk.store.salvage import make_sound
from kiosk.store.soundness import read
from sync.messages import StreamMark
from tests.faults.outcome import Effort, Outcome
from tests.kiosk import builders as b

GOAL = 1_500
VISITS = 150
_WRONG = ("changed facts undetected", "facts lost that were readable", "crashes")

MakeSound = Callable[[Path], Salvaged | None]


@dataclass(slots=True)
class Found:
    """`wrong` and `seen` count; `told` says which bit it was."""

    wrong: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)


def bit_flips(effort: Effort) -> Outcome:
    """After the start the journal holds what it held, or says what of it is missing."""
    tries = effort.share(GOAL)
    found = flip_many(effort.seed, tries, lambda path: make_sound(path, b.NOON))
    share = {f"{name}_percent": 100 * found.seen[name] / tries for name in ("by_sqlite", "by_us", "no_effect")}
    facts = found.seen["facts"]
    return Outcome(
        "one bit of a journal",
        {"flips": tries},
        {name: found.wrong[name] for name in _WRONG},
        share | {"carried_over_percent": 100 * found.seen["carried"] / facts if facts else 100.0},
        tuple(found.told[:10]),
    )


def flip_many(seed: int, tries: int, make_sound: MakeSound) -> Found:
    """So many bits, one after the other, each of the journal as it was."""
    found, draw = Found(), Random(seed)
    with TemporaryDirectory(dir=_memory()) as name:
        whole = Path(name) / "whole"
        filled(whole)
        content = (whole / "journal.sqlite").read_bytes()
        facts = _facts(whole / "journal.sqlite")
        path = Path(name) / "flipped" / "journal.sqlite"
        path.parent.mkdir()
        for number in range(tries):
            bit = draw.randrange(8 * len(content))
            _flip(path, content, bit)
            _try(path, facts, f"bit {bit}, seed {seed}", make_sound, found)
            for each in path.parent.iterdir():
                each.unlink()
            if number % 250 == 249:
                print(f"bit_flips: {number + 1} of {tries}", file=sys.stderr)
    return found


def filled(folder: Path) -> None:
    """A journal with every kind of fact in it, half of them sent."""
    b.set_up(folder)
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    stores = Stores(journal, roster)
    journal.choose(b.session(check_out=True))
    ids: list[UUID] = []
    for number in range(VISITS):
        who = b.arrival((b.ADA_SCHOOL, b.BO, f"guest{number}@nowhere.example")[number % 3], number, uuid7())
        ids.append(who.new_id)
        arrivals.check_in(stores, b.FAIR, who)
        if number % 7 == 3:
            undoing.undo(journal, ids[-1], b.moment(number), uuid7())
        if number % 5 == 2:
            people.walk_in(stores, b.FAIR, f"Dita {number}", b.arrival("", number, uuid7()))
        if number % 11 == 5:
            arrivals.check_out(stores, b.FAIR, b.arrival(b.ADA_SCHOOL, number))
    leaving.everyone_out(journal, b.FAIR, uuid7(), b.moment(VISITS), uuid7(), 6)
    half = journal.marks().head_seq // 2
    journal.settle(StreamMark(acked_seq=half, acked_hash=journal.hash_at(half) or b""), ())
    journal.close()
    roster.close()


def _try(path: Path, facts: Sequence[bytes], which: str, make_sound: MakeSound, found: Found) -> None:
    readable = set(_readable(path)) & set(facts)
    try:
        told = make_sound(path)
        now = _facts(path)
    except Exception:
        _wrong(found, "crashes", f"{which}: {traceback.format_exc(limit=-3)}")
        return
    found.seen["no_effect" if told is None else "by_sqlite" if told.why.startswith("sqlite") else "by_us"] += 1
    if told is not None:
        found.seen["facts"] += len(facts)
        found.seen["carried"] += len(now)
    if not set(now) <= set(facts) or (told is None and now != facts) or _misread(path):
        _wrong(found, "changed facts undetected", which)
    lost = readable - set(now)
    if lost:
        _wrong(found, "facts lost that were readable", f"{which}: {len(lost)} facts")


def _wrong(found: Found, what: str, told: str) -> None:
    found.wrong[what] += 1
    found.told.append(f"{what}: {told}")


def _flip(path: Path, content: bytes, bit: int) -> None:
    flipped = bytearray(content)
    flipped[bit // 8] ^= 1 << bit % 8
    path.write_bytes(flipped)


def _facts(path: Path) -> list[bytes]:
    with closing(Journal(path)) as journal:
        return list(journal.facts_after(0, 1_000_000))


def _misread(path: Path) -> bool:
    """Whether the desk would take a fact for somebody else's."""
    with closing(Journal(path)) as journal:
        kept = journal.latest(1_000_000)
        bodies = reversed(journal.facts_after(0, 1_000_000))
        return any(
            said is None or said.noted.subject != each.subject
            for each, said in zip(kept, map(read, bodies), strict=True)
        )


def _readable(path: Path) -> list[bytes]:
    """The facts that SQLite still gives, one by one: what a person with a shell would get out."""
    rows = []
    with closing(sqlite3.connect(path)) as conn:
        for seq in range(1, 3 * VISITS):
            try:
                rows += conn.execute("SELECT body FROM facts NOT INDEXED WHERE seq = ?", [seq]).fetchall()
            except (sqlite3.Error, UnicodeDecodeError):
                continue
    return [row[0] for row in rows if isinstance(row[0], bytes)]


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
