"""A name among 100,000 people: how long it takes to open the directory, what that weighs, how long a search takes, and
what people at the desk notice meanwhile.
"""

import gc
import os
import random
import time
from itertools import count, islice
from pathlib import Path
from uuid import UUID

from flask import Flask

from bench import people
from bench.desks import EPOCH, ROSTER_KEY, Kiosk, empty_kiosk
from bench.hubs import World
from bench.processes import free_port
from bench.report import Report, over, percentile, rounds, say
from kiosk import clock, create_app
from kiosk.config import Config
from kiosk.rules.names import Index
from kiosk.store.directory import OpenDirectory, Reading
from kiosk.store.roster import Roster
from sync import directory, seals
from sync.messages import FeedPage, Person, Start

ROUNDS = 3
SEARCHES = 2_000
CHECK_INS = 400
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
    _check_in_meanwhile(folder, report)
    report.figure("names.open_directory", opening, "s")
    # Later rounds find memory of the earlier ones.
    report.figure("names.open_directory_memory", weight[:1], "MiB")
    report.figure("names.search_p50", [1000 * percentile(each, 50) for each in searches], "ms")
    report.ratio("names.search_p95", [1000 * percentile(each, 95) for each in searches], "<=", 50, "ms")


def _check_in_meanwhile(folder: Path, report: Report) -> None:
    kiosk = empty_kiosk(folder, free_port())
    app = create_app(Config(data_dir=folder, misses=0))
    opened: OpenDirectory[Index] = app.extensions["desk"].directory
    newcomers = count()
    before: list[list[float]] = []
    during: list[list[float]] = []
    for _ in rounds("names, check-ins meanwhile", ROUNDS, 60):
        before.append([_check_in(kiosk, app, number) for number in islice(newcomers, CHECK_INS)])
        opened.open(KEY, lambda: True)
        during.append([])
        while (reading := opened.reading(0)) is None or not reading.whole:
            during[-1].append(_check_in(kiosk, app, next(newcomers)))
        opened.close()
    app.extensions["desk"].close()
    quiet, busy = ([1000 * percentile(times, 99) for times in runs] for runs in (before, during))
    report.figure("names.check_in_p99_before", quiet, "ms")
    report.figure("names.check_in_p99_while_opening", busy, "ms")
    report.figure("names.check_in_p99_while_opening/before", over(busy, quiet), "x")


def _check_in(kiosk: Kiosk, app: Flask, number: int) -> float:
    seconds, body = kiosk.check_in_process(app, number)
    # The roster of this part has a directory and nobody's address.
    if b'"noted"' not in body:
        raise ValueError(f"not noted: {body[:100]!r}")
    return seconds


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
