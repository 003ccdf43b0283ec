"""A name among 100,000 people: how long it takes to open the directory, what that weighs, how long a search takes."""

import gc
import os
import random
import time
from pathlib import Path
from uuid import UUID

from bench import people
from bench.desks import EPOCH, ROSTER_KEY
from bench.hubs import World
from bench.report import Report, percentile, rounds, say
from kiosk import clock
from kiosk.rules.names import Index
from kiosk.store.directory import OpenDirectory, Reading
from kiosk.store.roster import Roster
from sync import directory, seals
from sync.messages import FeedPage, Person, Start

ROUNDS = 3
SEARCHES = 2_000
PAGE = 10_000
KEY = bytes(range(32))

_FIRST = [
    start + end
    for start in ("Ad", "Ber", "Cla", "Dan", "Éli", "Fran", "Ga", "Hé", "In", "Jo", "Ka", "Lu", "Ma", "No", "Oli")
    for end in ("a", "bert", "ne", "iel", "se", "çois", "ël", "ra", "ko", "mi", "nna", "rice", "cia", "us", "ver")
]
_LAST = [
    start + middle + end
    for start in ("Mar", "Du", "Le", "Ber", "Mo", "La", "Gar", "Ro", "Si", "Da", "Pe", "Fa", "Gi", "Ka", "Ta", "Vi")
    for middle in ("ti", "pon", "fe", "nar", "re", "mber", "ni", "bi", "mo", "vi", "lle", "o", "ra", "na")
    for end in ("n", "t", "vre", "d", "au", "", "er", "sson", "-Smith", "ez", "ini", "ov")
]


def run(world: World, report: Report) -> None:
    """Opened anew each round; searched with one to three letters, beginnings and whole names, in both orders."""
    say("names: sealing a directory of 100,000 people")
    folder = world.place("names")
    folder.mkdir(mode=0o700)
    roster = Roster(folder, clock.boot())
    chance = random.Random(0)
    _load(roster, chance)
    opening, weight, searches = [], [], []
    for _ in rounds("names", ROUNDS, 60):
        gc.collect()
        before, begun = _resident_mib(), time.perf_counter()
        opened = OpenDirectory(roster, Index)
        opened.open(KEY, lambda: True)
        reading = opened.reading(120)
        if reading is None or len(reading.listings) != people.MANY:
            raise ValueError("the directory is not open")
        opening.append(time.perf_counter() - begun)
        weight.append(_resident_mib() - before)
        searches.append(_search(reading, chance))
        opened.close()
        del reading
    roster.close()
    report.figure("names.open_directory", opening, "s")
    # Later rounds find memory of the earlier ones.
    report.figure("names.open_directory_memory", weight[:1], "MiB")
    report.figure("names.search_p50", [1000 * percentile(each, 50) for each in searches], "ms")
    report.ratio("names.search_p95", [1000 * percentile(each, 95) for each in searches], "<=", 50, "ms")


def _search(reading: Reading[Index], chance: random.Random) -> list[float]:
    times = []
    for _ in range(SEARCHES):
        query = _query(chance.choice(reading.listings).line.name, chance)
        begun = time.perf_counter()
        hits = reading.index.find(query)
        times.append(time.perf_counter() - begun)
        if not hits.places:
            raise ValueError("somebody was not found")
    return times


def _query(name: str, chance: random.Random) -> str:
    first, last = name.split()
    letters = chance.choice((1, 2, 3, 40))
    return chance.choice((first[:letters], last[:letters], f"{last[:letters]} {first[:letters]}", name))


def _load(roster: Roster, chance: random.Random) -> None:
    for start in range(0, people.MANY, PAGE):
        numbers = range(start, start + PAGE)
        roster.apply(
            FeedPage(
                hub_id=EPOCH,
                epoch=EPOCH,
                to=numbers[-1] + 1,
                more=numbers[-1] + 1 < people.MANY,
                entries=tuple(_person(number, chance) for number in numbers),
                start=Start(roster_key=ROSTER_KEY) if start == 0 else None,
            )
        )


def _person(number: int, chance: random.Random) -> Person:
    name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
    line = directory.write(directory.Line(name, "", "Senior", directory.hint(people.address(number))))
    return Person(
        position=number + 1,
        ref=UUID(int=number + 1),
        state="active",
        keys=(),
        directory=seals.seal_directory_line(KEY, line, EPOCH, number + 1),
    )


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
