"""`hub import` on SQLite: files new and unchanged, their preview, and what others wait for meanwhile.

`BENCH_ROWS=10000` makes the files smaller, for a trial.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import during_imports, people
from bench.during_imports import place_of, take_in
from bench.hubs import Hub, World, new_hub
from bench.processes import HUB, Done, complete
from bench.report import Report, over, rounds, say
from hub.actions.imports import jobs

ROWS = int(os.environ.get("BENCH_ROWS", str(people.MANY)))
ATTENDEES = ROWS // 2
PREVIEWS = 5
MOST_MIB = 256

ROUNDS = 4
IN_A_ROUND = 20_000
"""Rows in each of the pairs."""


@dataclass(frozen=True, slots=True)
class Files:
    """What is imported. `changed`: everybody, and of each one thing is different."""

    csv: Path
    xlsx: Path
    changed: Path
    attendees: Path


@dataclass(frozen=True, slots=True)
class Database:
    """One kind of database. `readers`: peaks of the processes that read the files."""

    name: str
    make: Callable[[str], Hub]
    start_s: float
    report: Report
    readers: list[float] = field(default_factory=list)

    def students(self, files: Files) -> Hub:
        """A hub that knows everybody."""
        self._students("xlsx", files.xlsx, files.csv)
        return self._students("csv", files.csv, files.csv)

    def _students(self, kind: str, file: Path, csv: Path) -> Hub:
        """Twice into a hub that knew nobody. `csv` holds the same rows."""
        hub = self.make(kind)
        for which, key in (("new", "created"), ("unchanged", "unchanged")):
            say(f"imports: {ROWS} rows, {self.name}, {kind}, {which}")
            floor = ROWS / float(complete([sys.executable, "-m", "bench.floor.dict_reader", str(csv)]).stdout)
            rate = self._told(f"{kind}_{which}", hub.import_students(file), key, ROWS)
            self.report.figure(f"imports.{self.name}_{kind}_{which}/dict_reader", [rate / floor], "x")
        return hub

    def attendees(self, hub: Hub, file: Path) -> None:
        """Everybody in the file was at one event."""
        session_id = hub.new_session("A day that is over")
        for which, key in (("new", "created"), ("unchanged", "unchanged")):
            say(f"imports: {ATTENDEES} attendees, {self.name}, {which}")
            self._told(f"attendees_{which}", hub.import_attendees(file, session_id), key, ATTENDEES)

    def most_read(self) -> None:
        """What the largest of all those needed that read a file."""
        self.report.ratio(f"imports.{self.name}_reader_peak_memory", [max(self.readers)], "<=", MOST_MIB, "MiB")

    def _told(self, name: str, done: Done, key: str, rows: int) -> float:
        rate = _rate(done, key, rows, self.start_s)
        self.report.figure(f"imports.{self.name}_{name}_rows_per_s", [rate], "/s")
        self.report.figure(f"imports.{self.name}_{name}_peak_memory", [done.peak_mib], "MiB")
        self.readers.append(done.child_peak_mib)
        return rate


def run(world: World, report: Report) -> None:
    """Whole commands as child processes. The rates leave out the time a Python or a command needs to start."""
    start_s = _against_the_least(world, report)
    files = files_of(world)
    sqlite = Database("sqlite", lambda name: new_hub(world.place(name)), start_s, report)
    hub = sqlite.students(files)
    if ROWS == people.MANY:
        world.keep(hub)
        hub = world.full_hub()
    sqlite.attendees(hub, files.attendees)
    sqlite.most_read()
    _preview(hub, files, report)
    during_imports.measure("sqlite", hub, files.changed, report)


def _against_the_least(world: World, report: Report) -> float:
    """Pairs with the floor; answers the seconds a command needs to start."""
    empty = new_hub(world.place("empty-hub"))
    csv = world.students_csv(IN_A_ROUND)
    new: list[float] = []
    unchanged: list[float] = []
    floor: list[float] = []
    starts: list[float] = []
    for _ in rounds("imports", ROUNDS, 30):
        hub = empty.copy(world.place("hub"))
        starts.append(command_start())
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
    return min(starts)


def command_start() -> float:
    """Seconds that a command needs before it does anything."""
    return complete([*HUB, "import", "students", "--help"]).seconds


def files_of(world: World) -> Files:
    """All of them; made when first asked for."""
    folder = world.folder
    files = Files(world.students_csv(ROWS), folder / "students.xlsx", folder / "changed.csv", folder / "attendees.csv")
    if not files.xlsx.exists():
        say(f"imports: writing files of {ROWS} rows")
        people.write_csv(files.changed, ROWS, year="Senior")
        people.write_attendees(files.attendees, ATTENDEES)
        people.write_xlsx(files.xlsx, ROWS)
    return files


def _preview(hub: Hub, files: Files, report: Report) -> None:
    """From a file that was uploaded to what is shown of it: how it is read, its columns, its first rows."""
    place = place_of(hub)
    for kind, file in (("csv", files.csv), ("xlsx", files.xlsx)):
        import_id = take_in(place, file)
        times = []
        for _ in range(PREVIEWS):
            begun = time.perf_counter()
            jobs.glance(place, import_id)
            times.append(1000 * (time.perf_counter() - begun))
        report.figure(f"imports.preview_{kind}", times[1:], "ms")
    place.engine.dispose()


def _rate(done: Done, key: str, rows: int, start_s: float) -> float:
    if done.told[key] != rows:
        raise ValueError(f"not everybody was {key}: {done.stdout.strip()}")
    return rows / max(done.seconds - start_s, 0.001)
