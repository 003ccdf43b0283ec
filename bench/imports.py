"""`hub import students` a CSV file, new and unchanged, against the least code that could read and store them."""

import sys

from bench import people
from bench.hubs import World, new_hub
from bench.processes import HUB, Done, complete
from bench.report import Report, over, rounds, say

ROUNDS = 6
IN_A_ROUND = 20_000
"""Rows in each of the pairs; everybody is imported once, for the peak of memory and for the other parts."""


def run(world: World, report: Report) -> None:
    """Whole commands as child processes. The rates leave out the time a Python or a command needs to start."""
    empty = new_hub(world.place("empty-hub"))
    csv = world.students_csv(IN_A_ROUND)
    new: list[float] = []
    unchanged: list[float] = []
    floor: list[float] = []
    starts: list[float] = []
    for _ in rounds("imports", ROUNDS, 70):
        hub = empty.copy(world.place("hub"))
        starts.append(complete([*HUB, "import", "students", "--help"]).seconds)
        new.append(_rate(hub.import_students(csv), "created", IN_A_ROUND, starts[-1]))
        unchanged.append(_rate(hub.import_students(csv), "unchanged", IN_A_ROUND, starts[-1]))
        target = world.place("read.sqlite")
        done = complete([sys.executable, "-m", "bench.floor.read_csv", str(csv), str(target)])
        floor.append(IN_A_ROUND / float(done.stdout))
    for name, rates in (("new", new), ("unchanged", unchanged), ("csv_reader", floor)):
        report.figure(f"imports.{name}_rows_per_s", rates[1:], "/s")
    report.figure("imports.command_start", starts[1:], "s")
    report.ratio("imports.new/csv_reader", over(new[1:], floor[1:]), ">=", 0.3)
    report.ratio("imports.unchanged/csv_reader", over(unchanged[1:], floor[1:]), ">=", 0.3)
    _everybody(world, report)


def _everybody(world: World, report: Report) -> None:
    hub = new_hub(world.place("full-hub"))
    for name, key in (("new", "created"), ("unchanged", "unchanged")):
        say(f"imports: {people.MANY} rows, {name}")
        done = hub.import_students(world.students_csv())
        rate = _rate(done, key, people.MANY, 0)
        report.figure(f"imports.{name}_{people.MANY}_rows_per_s", [rate], "/s")
        report.figure(f"imports.{name}_{people.MANY}_peak_memory", [done.peak_mib], "MiB")
    world.keep(hub)


def _rate(done: Done, key: str, rows: int, start_s: float) -> float:
    if done.told[key] != rows:
        raise ValueError(f"not everybody was {key}: {done.stdout.strip()}")
    return rows / max(done.seconds - start_s, 0.001)
