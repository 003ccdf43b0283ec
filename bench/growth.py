"""A look-up in a roster of 1,000,000 people against one of 100,000."""

import time

from bench import people
from bench.desks import load_roster, sealed, stand_in
from bench.hubs import World
from bench.report import Report, over, percentile, rounds, say
from kiosk import clock
from kiosk.store.roster import Roster
from sync.messages import Key

ROUNDS = 7
LOOK_UPS = 500
FEW, MANY = 100_000, 1_000_000


def run(world: World, report: Report) -> None:
    """Only those who are looked up can be found: sealing three million greetings would take minutes."""
    few, many = (_loaded(world, report, count) for count in (FEW, MANY))
    of_few: list[float] = []
    of_many: list[float] = []
    for _ in rounds("growth", ROUNDS, 20):
        of_few.append(_look_up(few, FEW))
        of_many.append(_look_up(many, MANY))
    few.close()
    many.close()
    report.figure(f"growth.look_up_{FEW}", of_few[1:], "us")
    report.figure(f"growth.look_up_{MANY}", of_many[1:], "us")
    report.ratio("growth.look_up_1000000/100000", over(of_many[1:], of_few[1:]), "<=", 2)


def _loaded(world: World, report: Report, count: int) -> Roster:
    say(f"growth: loading {count} people")
    folder = world.place("roster")
    folder.mkdir(mode=0o700)

    def seal(number: int, position: int) -> tuple[Key, ...]:
        return sealed(number, position) if _comes(number, count) else stand_in(number, position)

    load_roster(folder, count, seal, page=50_000)
    size = sum(each.stat().st_size for each in folder.iterdir())
    report.figure(f"growth.roster_file_{count}", [size / 1e6], "MB")
    return Roster(folder, clock.boot())


def _comes(number: int, count: int) -> bool:
    """Those who are looked up: spread over everybody."""
    return number % (count // LOOK_UPS) == 0


def _look_up(roster: Roster, count: int) -> float:
    """The median look-up in microseconds."""
    times = []
    for number in range(0, count, count // LOOK_UPS):
        text = people.address(number)
        begun = time.perf_counter()
        found = roster.recognise(text).found
        times.append(1e6 * (time.perf_counter() - begun))
        if found is None:
            raise ValueError("somebody was not found")
    return percentile(times, 50)
