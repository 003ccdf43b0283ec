"""Random schedules: everything that may happen to an office and its kiosks, in any order; then all is well again, and
what was promised is checked.

`python -m tests.faults.schedules SEED` lives one through and tells it step by step.
"""

import gc
import logging
import multiprocessing
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from hub.actions import moving
from kiosk.store.roster import Roster
from sync.engine import Report
from sync.errors import CheckinError, HubBusy, HubUnreachable, NotOurHub
from tests.faults import variants
from tests.faults.outcome import Effort, Outcome
from tests.faults.world import (
    FIRST,
    LOST,
    MORNING,
    Clocks,
    Desk,
    Line,
    Office,
    fresh_folder,
    private,
    school,
    shown_as_done,
    straight,
    template,
)
from tests.kiosk.disks import full_disk

STEPS = 30
MOST_DESKS = 5
PATIENCE = 8
"""Exchanges within which a kiosk has caught up once all is well."""
WRONGS = ("lost", "doubled", "diverged", "stuck", "dishonest")
FAR_OFF = timedelta(days=20 * 365)


@dataclass(slots=True)
class Done:
    """A check-in that a screen has shown as done: whose, and by which undos it was taken back: clones undo it too."""

    session: UUID
    who: int
    undone_by: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class Schedule:
    """One life of an office and its kiosks. `told` is what happened; `wrong` what must never happen, and did."""

    folder: Path
    chance: random.Random
    told: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    time: datetime = MORNING
    students: int = FIRST
    done: dict[UUID, Done] = field(default_factory=dict)
    undos: set[UUID] = field(default_factory=set)
    out_of_reach: set[UUID] = field(default_factory=set)
    merged: dict[int, int] = field(default_factory=dict)
    backups: list[Path] = field(default_factory=list)
    images: list[tuple[int, Path]] = field(default_factory=list)
    delayed: list[Callable[[], bytes]] = field(default_factory=list)
    weather: float = 0.0
    office: Office = field(init=False)
    desks: list[Desk] = field(init=False)

    def __post_init__(self) -> None:
        self.office = Office(self.folder / "hub.sqlite", lambda: self.time)
        self.desks = [self._desk(path) for path in sorted(self.folder.glob("desk*"))]

    def close(self) -> None:
        self.office.stop()
        for desk in self.desks:
            desk.close()

    def _desk(self, folder: Path) -> Desk:
        return Desk(folder, Clocks(lambda: self.time, "first", MORNING - timedelta(hours=1)))

    # --- what happens

    def live(self) -> None:
        """So many steps, each by chance. What is likely differs between schedules: rare things come often in some."""
        steps = [step for step, _ in STEPS_AND_WEIGHTS]
        weights = [weight * self.chance.choice((0.2, 1, 1, 4)) for _, weight in STEPS_AND_WEIGHTS]
        for step in self.chance.choices(steps, weights, k=STEPS):
            self.time += timedelta(seconds=self.chance.choice((1, 20, 600, 7_200)))
            step(self)

    def somebody_comes(self) -> None:
        who = self.chance.randrange(self.students + 1)
        text = school(who) if self.chance.random() < 0.6 else private(who)
        self._check_in(self._any_desk(), who, text)

    def somebody_comes_to_a_full_disk(self) -> None:
        desk = self._any_desk()
        with full_disk(desk.journal):
            # Some still find room in what the file has already.
            for who in range(self.students):
                self._check_in(desk, who, school(who))

    def something_from_the_future_is_recorded(self) -> None:
        desk = self._any_desk()
        with desk.journal.writing() as page:
            page.append(_FromTheFuture(id=uuid7(), session_id=self.office.sessions[0], at=desk.clocks()))  # type: ignore[arg-type]
        self._tell("a fact that no hub understands")

    def a_check_in_is_taken_back(self) -> None:
        desk = self._any_desk()
        here = sorted(desk.facts() & self.done.keys())
        if here:
            check_in_id = self.chance.choice(here)
            undo = desk.undo(check_in_id)
            if undo is not None:
                self.undos.add(undo)
                self.done[check_in_id].undone_by.add(undo)
                self._tell(f"undo of {check_in_id}")

    def a_kiosk_exchanges(self) -> None:
        desk = self._any_desk()
        report = desk.exchange(self.office, self._network)
        self._tell(f"exchange of {desk.folder.name}: {report.problem or 'well'}, {report.waiting} waiting")
        self._check_honesty(desk, report)

    def the_weather_changes(self) -> None:
        self.weather = self.chance.choice((0.0, 0.0, 0.15, 0.32, 0.6))

    def an_old_request_arrives(self) -> None:
        if self.delayed:
            self._tell("an old request arrives")
            try:
                self.chance.choice(self.delayed)()
            except CheckinError as error:
                self._tell(f"and is refused: {error.code}")

    def a_kiosk_restarts(self) -> None:
        desk = self._any_desk()
        desk.close()
        if self.chance.random() < 0.5:
            desk.clocks.boot, desk.clocks.booted = f"boot {self.chance.random()}", self.time
        desk.open()

    def a_kiosk_is_updated(self) -> None:
        """Its journal was last written by the version before this one."""
        desk = self._any_desk()
        desk.close()
        with closing(sqlite3.connect(desk.folder / "journal.sqlite")) as db, db:
            db.execute("ALTER TABLE stream DROP COLUMN parent")
            db.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm003%'")
            db.execute("PRAGMA user_version = 2")
        desk.open()
        desk.journal.marks()
        self._tell(f"{desk.folder.name} is updated")

    def a_clock_jumps(self) -> None:
        self._any_desk().clocks.ahead = self.chance.choice((timedelta(), FAR_OFF, -FAR_OFF, timedelta(hours=-3)))

    def the_hub_restarts(self) -> None:
        self.office.stop()
        self.office.start()

    def a_backup_is_made(self) -> None:
        file = self.folder / f"backup{len(self.backups)}.sqlite"
        shutil.copyfile(self.office.file, file)
        self.backups.append(file)

    def the_hub_goes_back(self) -> None:
        if self.backups:
            backup = self.chance.choice(self.backups)
            with self._whatever_is_out_of_reach():
                self.office.stop()
                if self.chance.random() < 0.8:
                    shutil.copyfile(backup, self.office.file)
                else:
                    moving.restore(self.office.engine, backup, self.folder, self.time)
                self.office.start()
            self._tell(f"the hub goes back to {backup.name}")

    def an_image_of_a_kiosk_is_made(self) -> None:
        number = self.chance.randrange(len(self.desks))
        image = self.folder / f"image{len(self.images)}"
        shutil.copytree(self.desks[number].folder, image)
        self.images.append((number, image))

    def a_kiosk_goes_back(self) -> None:
        if self.images:
            number, image = self.chance.choice(self.images)
            desk = self.desks[number]
            with self._whatever_is_out_of_reach():
                desk.close()
                shutil.rmtree(desk.folder)
                shutil.copytree(image, desk.folder)
                desk.open()
            self._tell(f"{desk.folder.name} goes back to {image.name}")

    def a_kiosk_is_cloned(self) -> None:
        if len(self.desks) < MOST_DESKS:
            original = self._any_desk()
            folder = self.folder / f"desk{len(self.desks)}"
            shutil.copytree(original.folder, folder)
            self.desks.append(self._desk(folder))
            self._tell(f"{folder.name} is a clone of {original.folder.name}")

    def a_roster_rots(self) -> None:
        desk = self._any_desk()
        file = max(desk.folder.glob("roster-*.sqlite"), default=None)
        rot, nth = self.chance.choice(ROTS), self.chance.randrange(self.students)
        if file is not None:
            with closing(sqlite3.connect(file)) as db, db:
                db.execute(f"WITH one AS (SELECT ref FROM people ORDER BY position LIMIT 1 OFFSET {nth}) {rot}")
            self._tell(f"{desk.folder.name}, person {nth}: {rot}")

    def an_address_is_confirmed(self) -> None:
        self.office.add_address(self.chance.randrange(self.students), confirmed=self.chance.random() < 0.7)

    def an_address_is_removed(self) -> None:
        self.office.remove_address(self.chance.randrange(self.students))

    def somebody_joins(self) -> None:
        self.office.import_students([self.students])
        self._tell(f"ada{self.students} joins")
        self.students += 1
        if self.chance.random() < 0.7:
            desk = self._any_desk()
            desk.exchange(self.office, self._network)
            self._check_in(desk, self.students - 1, school(self.students - 1))

    def two_turn_out_to_be_one(self) -> None:
        who, into = self.chance.sample(range(self.students), 2)
        if who not in self.merged and into not in self.merged and self.office.merge(who, into):
            self.merged[who] = into
            self._tell(f"ada{who} is ada{into}")

    def a_kiosk_is_cut_off(self) -> None:
        desk = self._any_desk()
        self.office.revoke(desk.enrolled.kiosk_id)
        self._tell(f"{desk.folder.name} is cut off")

    # --- all is well again

    def heal(self) -> None:
        """The network works, the office has made up for what its backups did not know, and time passes."""
        self.weather = 0.0
        self.office.import_students(range(self.students))
        for who in set(range(self.students)) - self.office.with_private_address():
            self.office.add_address(who, confirmed=True)
        for who in self.merged:
            self.office.merge(who, self._now_known_as(who))
            self.office.add_address(who, to=self._now_known_as(who), confirmed=True)
        for _ in range(PATIENCE):
            self.time += timedelta(hours=2)
            # All of them have their turn, also after one that is not well yet.
            ill = [desk for desk in self.desks if not self._heals(desk)]
            if not ill:
                return
        self._count("stuck", {desk.folder.name for desk in ill})

    def _heals(self, desk: Desk) -> bool:
        report = desk.exchange(self.office, straight)
        self._tell(f"healing {desk.folder.name}: {report.problem or 'well'}, {report.waiting} waiting")
        self._check_honesty(desk, report)
        if report.problem in LOST:
            desk.enrol_again(self.office)
        return report.problem is None and not report.sent and not report.received and report.audited

    # --- what was promised

    def check(self) -> None:
        held = self.office.held()
        known = {each for each in (*self.done, *self.undos) if each not in self.out_of_reach or each in held}
        self._count("lost", known - held.keys())
        self._count("doubled", {each for each, times in held.items() if times > 1})
        for session, counted in self.office.counts().items():
            expected = len(
                {
                    self._now_known_as(done.who)
                    for check_in_id, done in self.done.items()
                    if check_in_id in known and done.session == session and done.who < self.students
                    if not done.undone_by & known
                }
            )
            if counted != expected:
                self._count("lost" if counted < expected else "doubled", {f"{counted} counted, {expected} came"})
        self._check_rosters()

    def _check_honesty(self, desk: Desk, report: Report) -> None:
        """What a kiosk believes to be at the hub is there."""
        marks = desk.journal.marks()
        if report.problem is None and marks.acked_seq > self.office.acked(marks.stream_id):
            self._count("dishonest", {f"{desk.folder.name} believes in {marks.acked_seq}"})

    def _check_rosters(self) -> None:
        """Every kiosk knows what one would that starts afresh."""
        fresh = self.folder / "fresh"
        fresh.mkdir()
        true = Roster(fresh, "fresh")
        line = Line(self.office, lambda: self.desks[0].enrolled.token, straight)
        cursor = true.cursor()
        while (page := line.pull(cursor.epoch, cursor.position, cursor.mark)) is not None:
            true.apply(page)
            cursor = true.cursor()
        expected = _content(fresh)
        true.close()
        for desk in self.desks:
            if _content(desk.folder) != expected:
                self._count("diverged", {f"the roster of {desk.folder.name}"})

    # --- small things

    def _check_in(self, desk: Desk, who: int, text: str) -> None:
        session = self.chance.choice(self.office.sessions)
        verdict = desk.check_in(session, text)
        fact = shown_as_done(verdict)
        self._tell(f"{text} at {desk.folder.name}: {type(verdict).__name__} {fact or ''}")
        if fact is not None:
            self.done[fact] = Done(session, who)

    def _network(self, carry_out: Callable[[], bytes]) -> bytes:
        fate = self.chance.random() / self.weather if self.weather else 9.0
        if fate < 0.35:
            raise self.chance.choice((HubUnreachable("lost"), NotOurHub("a portal"), HubBusy("status 503", 1.0)))
        if fate < 0.5:
            self.delayed.append(carry_out)
            raise HubUnreachable("late")
        answer = carry_out()
        if fate < 0.75:
            raise HubUnreachable("the answer was lost")
        return carry_out() if fate < 1 else answer

    @contextmanager
    def _whatever_is_out_of_reach(self) -> Iterator[None]:
        """What was on nobody's disk any more after this could not be saved by anybody."""
        before = self._on_some_disk()
        yield
        self.out_of_reach |= before - self._on_some_disk()

    def _on_some_disk(self) -> set[UUID]:
        return set(self.office.held()).union(*(desk.facts() for desk in self.desks))

    def _now_known_as(self, who: int) -> int:
        while who in self.merged:
            who = self.merged[who]
        return who

    def _any_desk(self) -> Desk:
        return self.chance.choice(self.desks)

    def _tell(self, said: str) -> None:
        self.told.append(f"{self.time:%d. %H:%M:%S} {said}")

    def _count(self, wrong: str, those: set[UUID] | set[str]) -> None:
        self.wrong[wrong] += len(those)
        self.told += [f"{wrong.upper()}: {each}" for each in those]


class _FromTheFuture(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="from_the_future"):
    id: UUID
    session_id: UUID
    at: object


ROTS = (
    "UPDATE people SET position = position + 1 WHERE ref IN one",
    "UPDATE people SET state = 'disabled' WHERE ref IN one",
    "UPDATE people SET tags = CAST(substr(tags, 2) || x'00' AS BLOB) WHERE ref IN one",
    "UPDATE keys SET greeting = CAST(x'ff' || substr(greeting, 2) AS BLOB) WHERE ref IN one",
    "DELETE FROM people WHERE ref IN one",
    "DELETE FROM keys WHERE ref IN one",
    "UPDATE sessions SET body = CAST(replace(body, 'Fair', 'Fare') AS BLOB)",
)
"""What a disk may do to a roster."""

STEPS_AND_WEIGHTS: tuple[tuple[Callable[[Schedule], None], int], ...] = (
    (Schedule.somebody_comes, 40),
    (Schedule.a_kiosk_exchanges, 30),
    (Schedule.the_weather_changes, 6),
    (Schedule.a_check_in_is_taken_back, 6),
    (Schedule.an_old_request_arrives, 5),
    (Schedule.a_backup_is_made, 5),
    (Schedule.the_hub_goes_back, 4),
    (Schedule.an_image_of_a_kiosk_is_made, 4),
    (Schedule.a_kiosk_goes_back, 3),
    (Schedule.a_kiosk_is_cloned, 3),
    (Schedule.a_roster_rots, 4),
    (Schedule.an_address_is_confirmed, 3),
    (Schedule.an_address_is_removed, 2),
    (Schedule.somebody_joins, 2),
    (Schedule.two_turn_out_to_be_one, 2),
    (Schedule.a_clock_jumps, 3),
    (Schedule.a_kiosk_restarts, 3),
    (Schedule.the_hub_restarts, 2),
    (Schedule.a_kiosk_is_cut_off, 1),
    (Schedule.a_kiosk_is_updated, 1),
    (Schedule.somebody_comes_to_a_full_disk, 2),
    (Schedule.something_from_the_future_is_recorded, 1),
)


def live(seed: int, variant: str | None = None) -> tuple[Counter[str], list[str]]:
    """One schedule, through to its end: what went wrong, and everything that happened."""
    with fresh_folder() as folder, variants.BROKEN[variant]() if variant else nullcontext():
        schedule = Schedule(folder, random.Random(seed))
        try:
            schedule.live()
            schedule.heal()
            schedule.check()
        finally:
            schedule.close()
    return schedule.wrong, schedule.told


def _content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything a roster says of people and sessions."""
    file = max(folder.glob("roster-*.sqlite"), default=None)
    if file is None:
        return {}
    with closing(sqlite3.connect(file)) as db:
        # A key whose person is gone opens nothing.
        parts = ("people", "keys WHERE ref IN (SELECT ref FROM people)", "sessions")
        return {part: db.execute(f"SELECT * FROM {part} ORDER BY 1, 2").fetchall() for part in parts}


def _well(seed: int) -> tuple[int, Counter[str]]:
    # What is warned of here is what was done on purpose.
    logging.disable(logging.WARNING)
    return seed, live(seed)[0]


def schedules(effort: Effort) -> Outcome:
    """Random schedules with everything in them (goal: 10,000)."""
    number = effort.share(10_000)
    wrong: Counter[str] = Counter(dict.fromkeys(WRONGS, 0))
    told = []
    template()
    # What is there by now stays: looking through it for garbage again and again is an eighth of the time.
    gc.freeze()
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        seeds = range(effort.seed * 1_000_000, effort.seed * 1_000_000 + number)
        for nth, (seed, found) in enumerate(pool.map(_well, seeds, chunksize=20), 1):
            wrong.update(found)
            if any(found.values()):
                told.append(f"python -m tests.faults.schedules {seed}  # {dict(found)}")
                print(f"  {told[-1]}", file=sys.stderr, flush=True)
            if nth % 500 == 0:
                print(f"  {nth:,} schedules, {len(told)} of them wrong", file=sys.stderr, flush=True)
    return Outcome("random schedules", {"schedules": number}, wrong, told=tuple(told[:10]))


if __name__ == "__main__":
    found, happened = live(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    print("\n".join(happened))
    print(dict(found))
