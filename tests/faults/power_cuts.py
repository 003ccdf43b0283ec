"""Power cuts: the programs at work are written down, and cut off at any moment, on disks that keep what they like.

Whatever somebody was told is kept must be there when the power is back, whole; what was on its way then is there whole
or not at all. The same seed cuts the same stories at the same places; their ids and keys are new each time.
"""

import logging
import shutil
import sqlite3
import sys
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from pathlib import Path
from random import Random
from typing import Literal
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub import database, migrations, schema
from hub.actions import events, kiosks, readiness, set_up
from hub.actions.events import NewEvent
from hub.actions.receive import receive
from kiosk.actions import arrivals, leaving, undoing
from kiosk.actions.arrivals import Stores
from kiosk.store import sqlite
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange, Phones, Tries
from kiosk.store.roster import Roster
from sync import chain
from sync.identifiers import read_email
from sync.messages import FACT, Entry, FeedPage, Gone, Receipt, StreamMark
from tests.faults import vfs
from tests.faults.outcome import Effort, Outcome
from tests.faults.records import DAMAGES, Disk, Promise, Recorder
from tests.faults.vfs import Operation
from tests.hub import desk as at_desk
from tests.kiosk import builders as b

GOAL = 50_000
STATES_A_STORY = 1_000
STEPS = 40
GO_ON_EVERY, TWICE_EVERY = 10, 10
"""In one of so many states the programs are also set to work again; in one of so many, the power was cut once more when
they had a first look at what was left."""
MOST_TOLD = 20

JournalMode = Literal["TRUNCATE", "WAL", "DELETE"]
MODES: tuple[JournalMode, ...] = ("TRUNCATE", "WAL")
"""What the programs choose, by the version of SQLite they meet."""


class Corrupt(Exception):
    """What is there is not what anybody ever wrote."""


class Story(ABC):
    """A program at work in a folder, and the question what it has kept."""

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Put there what has been there for long."""

    @abstractmethod
    def play(self, folder: Path, recorder: Recorder, draw: Random) -> None:
        """Work, and promise what was answered."""

    @abstractmethod
    def held(self, folder: Path) -> object:
        """What the program says is in the folder after a restart of the device. None: nothing, and it asks again for
        all of it. Raises `Corrupt`, or whatever the program says to files that it cannot use."""

    @abstractmethod
    def go_on(self, folder: Path) -> None:
        """Work again where the power was cut. Raises `Corrupt` when that cannot be done."""

    def close(self) -> None:  # noqa: B027 - not every story holds something
        """Let go of everything."""


What = Literal["well", "fetched again", "acknowledged lost", "corrupt"]
"""What came of a power cut."""


@dataclass(slots=True)
class Found:
    """What came of a lot of them."""

    came: Counter[What] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.came.total()

    def add(self, other: "Found") -> None:
        self.came += other.came
        self.told = [*self.told, *other.told][:MOST_TOLD]


def power_cuts(effort: Effort) -> Outcome:
    """Cut the power while the desk keeps check-ins, while the hub takes them, and while a roster is loaded."""
    refused = vfs.why_not()
    if refused is not None:
        return Outcome("power cuts", {}, {}, told=(refused,))
    goal = effort.share(GOAL, least=len(MODES) * len(STORIES) * 60)
    found = Found()
    with scratch() as folder:
        for mode in MODES:
            for story in STORIES:
                share = ceil(goal / len(MODES) / len(STORIES))
                found.add(many(story(), mode, effort.seed, share, folder))
                print(f"power cuts: {found.tried:,} of {goal:,}", file=sys.stderr, flush=True)
    return Outcome(
        what="power cuts",
        tried={"power cuts": found.tried},
        wrong={"acknowledged lost": found.came["acknowledged lost"], "corrupt": found.came["corrupt"]},
        measured={"rosters fetched again": found.came["fetched again"]},
        told=tuple(found.told),
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory, where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def many(story: Story, mode: JournalMode, seed: int, states: int, folder: Path) -> Found:
    """So many power cuts in a story that is played again and again."""
    found, takes = Found(), count(1)
    with journaling(mode), closing(story):
        while found.tried < states:
            name = f"{type(story).__name__} {mode} seed {seed} take {next(takes)}"
            found.add(one(story, name, min(STATES_A_STORY, states - found.tried), folder))
    return found


def one(story: Story, name: str, states: int, folder: Path) -> Found:
    """Play the story once, and cut the power at some of its moments."""
    draw = Random(name)
    stage, ruins = folder / "stage", folder / "ruins"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    story.prepare(stage)
    disk, recorder = Disk(stage), Recorder()
    with vfs.watched(stage, recorder):
        story.play(stage, recorder, draw)
    found = Found()
    promises = [each.told for each in recorder.record if isinstance(each, Promise)]
    for state in _states(recorder.record, disk, states, draw):
        _lay_out(ruins, state.files)
        again = draw.randrange(TWICE_EVERY) == 0
        if again:
            _lay_out(ruins, _cut_again(story, ruins, draw))
        what, detail = _judged(story, ruins, promises, state.promised, draw.randrange(GO_ON_EVERY) == 0)
        found.came[what] += 1
        if detail:
            place = f"{state.moment} of {len(recorder.record)}, kept {state.damage}{', then again' if again else ''}"
            found.told.append(f"{name} at {place}: {detail}")
    return found


@dataclass(frozen=True, slots=True)
class State:
    """What a power cut left. `promised`: how many promises were made before it."""

    moment: int
    promised: int
    damage: str
    files: dict[str, bytes]


def _states(record: Sequence[Operation | Promise], disk: Disk, states: int, draw: Random) -> Iterator[State]:
    """So many, at moments and with damages by chance, in the order of the moments."""
    promised = done = 0
    for moment in sorted(draw.choices(range(len(record) + 1), k=states)):
        for each in record[done:moment]:
            if isinstance(each, Promise):
                promised += 1
            else:
                disk.do(each)
        done = moment
        damage = draw.choice(DAMAGES)
        yield State(moment, promised, damage.__name__, disk.after_cut(damage, draw))


def _cut_again(story: Story, ruins: Path, draw: Random) -> dict[str, bytes]:
    """What is left when the power comes back and goes again."""
    disk, recorder = Disk(ruins), Recorder()
    # What cannot be opened now cannot be afterwards, when it is judged.
    with vfs.watched(ruins, recorder), suppress(Exception):
        story.held(ruins)
    [state] = _states(recorder.record, disk, 1, draw)
    return state.files


def _lay_out(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _judged(story: Story, ruins: Path, promises: Sequence[object], promised: int, go_on: bool) -> tuple[What, str]:
    """What came of a power cut before which so many promises were made; and what is wrong with that."""
    # What was on its way may have arrived.
    allowed = promises[promised - 1 : promised + 1] if promised else ()
    try:
        held = story.held(ruins)
        if held is not None and allowed and held not in allowed:
            if held not in promises[:promised]:
                raise Corrupt("nobody ever wrote what is there")
            return "acknowledged lost", "an earlier state is there"
        if go_on:
            story.go_on(ruins)
            for path in ruins.glob("*.sqlite"):
                check_pages(path)
    except Exception as error:
        return "corrupt", f"{type(error).__name__}: {error}"
    return "well" if held in allowed or not allowed else "fetched again", ""


def check_pages(path: Path) -> None:
    """Raises `Corrupt` when SQLite finds its own pages out of order."""
    with closing(sqlite3.connect(path)) as conn:
        said = conn.execute("PRAGMA quick_check").fetchone()[0]
    if said != "ok":
        raise Corrupt(said)


@contextmanager
def journaling(mode: JournalMode) -> Iterator[None]:
    """Both programs meet an SQLite that makes them choose this mode. They are not heard about what they throw away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.getLogger("kiosk.store.roster"), "disabled", True)
        patch.setattr(sqlite, "_journal_mode", lambda: mode)
        if mode == "DELETE":
            # No SQLite makes them choose this one.
            patch.setattr(sqlite, "_TRUNCATE", mode)
        patch.setattr(database, "_safe_for_wal", lambda _version: mode == "WAL")
        yield


# --- the desk


class AtTheDesk(Story):
    """Check-ins, undos, check-outs, settled marks and settings, with a restart now and then."""

    file = "journal.sqlite"

    def __init__(self, early: bool = False) -> None:
        """`early`: answers are given before they are on the disk, as no program of ours does."""
        self._early = early
        self._folder = tempfile.TemporaryDirectory()
        self._roster = Roster(Path(self._folder.name), b.BOOT)
        students = [b.Student(f"Student {nth}", [f"student{nth}@example.edu"]) for nth in range(STEPS)]
        b.load(self._roster, students)

    def prepare(self, folder: Path) -> None:
        """A new desk."""

    def play(self, folder: Path, recorder: Recorder, draw: Random) -> None:
        journal = self._opened(folder)
        for step in (self._enrol, self._choose, *draw.choices(self._steps, k=STEPS)):
            began = len(recorder.record)
            step(journal, draw)
            promise = Promise(desk_keeps(journal))
            recorder.record.insert(began if self._early else len(recorder.record), promise)
            if draw.random() < 0.05:
                journal.close()
                journal = self._opened(folder)
        journal.close()

    def held(self, folder: Path) -> object:
        journal = Journal(folder / self.file)
        try:
            return desk_keeps(journal)
        finally:
            journal.close()

    def go_on(self, folder: Path) -> None:
        journal = Journal(folder / self.file)
        try:
            made = journal.marks().head_seq
            self._enrol(journal, Random(0))
            self._come(journal, "somebody@else.example")
            if journal.marks().head_seq != made + 1 or journal.fault() is not None:
                raise Corrupt(journal.fault() or "a check-in does not find its place")
        finally:
            journal.close()

    def close(self) -> None:
        self._roster.close()
        self._folder.cleanup()

    def _opened(self, folder: Path) -> Journal:
        journal = Journal(folder / self.file)
        with journal._files.reading() as db:
            # In WAL mode the file itself is written from time to time; here after less than a thousand pages.
            db.execute("PRAGMA wal_autocheckpoint = 20")
        return journal

    @property
    def _steps(self) -> list[Callable[[Journal, Random], object]]:
        often = [self._known, self._known, self._known, self._unknown, self._settle]
        return [*often, self._undo, self._again, self._leave, self._everyone, self._note, self._tries, self._phones]

    def _enrol(self, journal: Journal, _draw: Random) -> None:
        journal.enrolled(b.standing())

    def _choose(self, journal: Journal, draw: Random) -> None:
        journal.choose(b.session(check_out=True), leaving=draw.random() < 0.5)

    def _come(self, journal: Journal, text: str) -> None:
        verdict = arrivals.check_in(Stores(journal, self._roster), b.FAIR, b.arrival(text))
        if verdict.code not in ("welcome", "already_in", "noted"):
            raise AssertionError(verdict)

    def _known(self, journal: Journal, draw: Random) -> None:
        self._come(journal, f"student{draw.randrange(STEPS)}@example.edu")

    def _unknown(self, journal: Journal, draw: Random) -> None:
        self._come(journal, f"guest{draw.randrange(STEPS)}@nowhere.example")

    def _leave(self, journal: Journal, draw: Random) -> None:
        who = f"student{draw.randrange(STEPS)}@example.edu"
        arrivals.check_out(Stores(journal, self._roster), b.FAIR, b.arrival(who))

    def _everyone(self, journal: Journal, _draw: Random) -> None:
        leaving.everyone_out(journal, b.FAIR, uuid4(), b.moment(), uuid7(), 1)

    def _undo(self, journal: Journal, draw: Random) -> None:
        some_fact = self._some_fact(journal, draw)
        if some_fact is not None:
            undoing.undo(journal, some_fact, b.moment(), uuid7())

    def _again(self, journal: Journal, draw: Random) -> None:
        some_fact = self._some_fact(journal, draw)
        if some_fact is not None:
            undoing.again(journal, some_fact, b.moment(), uuid7())

    def _some_fact(self, journal: Journal, draw: Random) -> UUID | None:
        there = journal.latest(5)
        return draw.choice(there).fact.id if there else None

    def _settle(self, journal: Journal, draw: Random) -> None:
        marks = journal.marks()
        # A hub that was restored goes back.
        to = draw.randint(0, marks.head_seq)
        digest = journal.hash_at(to)
        if digest is not None:
            receipts = [Receipt(seq=seq, id=uuid4(), verdict="counted") for seq in range(max(1, to - 5), to + 1)]
            journal.settle(StreamMark(acked_seq=to, acked_hash=digest), receipts)

    def _note(self, journal: Journal, draw: Random) -> None:
        journal.note(Exchange(at=b.NOON + timedelta(seconds=draw.randrange(10_000))))

    def _tries(self, journal: Journal, draw: Random) -> None:
        with journal.writing() as page:
            page.keep_tries(Tries(draw.randrange(10), b.moment()))

    def _phones(self, journal: Journal, draw: Random) -> None:
        journal.serve_phones(Phones(on=draw.random() < 0.5))


def desk_keeps(journal: Journal) -> object:
    """All of a journal."""
    marks = journal.marks()
    bodies = tuple(journal.facts_after(0, 10_000))
    hashes = [chain.START, *chain.hashes(chain.START, bodies)]
    if marks.head_seq != len(bodies) or [journal.hash_at(seq) for seq in range(len(bodies) + 1)] != hashes:
        raise Corrupt("the chain is broken")
    kept = tuple(journal.latest(10_000))
    return marks, bodies, kept, journal.remembered(), journal.tries(), journal.secret()


# --- the hub


class AtTheOffice(Story):
    """A kiosk hands over facts, some of them twice."""

    file = "hub.sqlite"
    _NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

    def __init__(self, early: bool = False, synchronous: str = "FULL") -> None:
        """`early` as at the desk; `synchronous` other than what the hub itself asks for."""
        self._early = early
        self._synchronous = synchronous
        self._folder = tempfile.TemporaryDirectory()
        engine = self._engine(Path(self._folder.name))
        migrations.upgrade(engine)
        with database.writing(engine) as conn:
            institution_id = set_up.make_institution(conn, "Example University", ["example.edu"], self._NOW)
        talk = NewEvent("event", "A talk", self._NOW, self._NOW + timedelta(hours=2))
        self._session_id = events.create(engine, institution_id, talk, self._NOW).sessions[0].id
        self._students = [
            at_desk.student(engine, institution_id, f"Student{nth}", confirmed=[f"student{nth}@example.edu"])
            for nth in range(STEPS)
        ]
        self._kiosk_at = at_desk.enrolled(engine, institution_id, self._NOW)
        self._kiosk = kiosks.recognise(engine, self._kiosk_at.token)
        self._hub_id = readiness.hub_id(engine)
        engine.dispose()
        self._desk = self._kiosk_at
        # Kept from state to state: it knows the questions, and looks at each state with a connection of its own.
        self._reader: tuple[Path, Engine] | None = None

    def prepare(self, folder: Path) -> None:
        shutil.copy(Path(self._folder.name) / self.file, folder)

    def play(self, folder: Path, recorder: Recorder, draw: Random) -> None:
        self._desk = at_desk.Desk(self._kiosk_at.kiosk_id, self._kiosk_at.token, self._kiosk_at.hub_key)
        engine = self._engine(folder)
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA synchronous={self._synchronous}"))
        sa.event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA wal_autocheckpoint=20"))
        acked = 0
        for _ in range(STEPS // 2):
            for _ in range(draw.randrange(4)):
                self._make(draw)
            began = len(recorder.record)
            acked = self._hand_over(engine, draw.randint(max(1, acked - 2), acked + 1))
            recorder.record.insert(began if self._early else len(recorder.record), Promise(office_keeps(engine)))
        engine.dispose()

    def held(self, folder: Path) -> object:
        engine = self._reading(folder)
        try:
            return office_keeps(engine)
        finally:
            engine.dispose()

    def go_on(self, folder: Path) -> None:
        engine = self._reading(folder)
        try:
            streams = office_keeps(engine)[0]
            self._hand_over(engine, streams[0].acked_seq + 1 if streams else 1)
            streams, facts, _ = office_keeps(engine)
            if self._desk.made != [row.body for row in facts]:
                raise Corrupt("the rest does not follow")
        finally:
            engine.dispose()

    def close(self) -> None:
        self._folder.cleanup()

    def _engine(self, folder: Path) -> Engine:
        return database.connect(f"sqlite:///{folder / self.file}")

    def _reading(self, folder: Path) -> Engine:
        if self._reader is None or self._reader[0] != folder:
            self._reader = folder, self._engine(folder)
        return self._reader[1]

    def _make(self, draw: Random) -> None:
        ref = draw.choice(self._students)
        chance = draw.random()
        if chance < 0.6:
            self._desk.check_in(self._session_id, ref)
        elif chance < 0.8:
            self._desk.note(self._session_id, f"guest{draw.randrange(STEPS)}@nowhere.example")
        elif chance < 0.9 or not self._desk.made:
            self._desk.check_out(self._session_id, ref)
        else:
            self._desk.undo(self._session_id, [FACT.decode(draw.choice(self._desk.made)).id])

    def _hand_over(self, engine: Engine, first: int) -> int:
        push = self._desk.push(first)
        answer = receive(engine, self._hub_id, self._kiosk, self._desk.stream_id, push, self._NOW)
        return answer.stream.acked_seq


_KEEPS = (
    sa.select(schema.streams).order_by(schema.streams.c.id),
    sa.select(schema.facts).order_by(schema.facts.c.stream_id, schema.facts.c.seq),
    sa.select(schema.undone).order_by(*schema.undone.primary_key),
)


def office_keeps(engine: Engine) -> tuple[list[sa.Row[tuple[object, ...]]], ...]:
    """All that the hub has from kiosks."""
    with database.reading(engine) as conn:
        streams, facts, undone = (list(conn.execute(each).all()) for each in _KEEPS)
    hashes = [chain.START, *chain.hashes(chain.START, [row.body for row in facts])]
    if [row.hash for row in facts] != hashes[1:] or any(row.acked_hash != hashes[-1] for row in streams):
        raise Corrupt("the chain is broken")
    return streams, facts, undone


# --- the roster


class AtTheRoster(Story):
    """One list of people is loaded, changes, and gives way to another."""

    _SECOND = UUID("01900000-0000-7000-8000-00000000000d")

    def __init__(self) -> None:
        self._names = [f"student{nth}@example.edu" for nth in range(30)]
        students = [b.Student(name, [name], line=b.ADA.line) for name in self._names]
        self._first = b.pages(students, size=7)
        self._later = [self._change(students[nth], 100 + nth) for nth in range(5)]
        self._last = b.pages(students[10:], size=7, epoch=self._SECOND)

    def prepare(self, folder: Path) -> None:
        """A kiosk that knows nobody yet."""

    def play(self, folder: Path, recorder: Recorder, draw: Random) -> None:
        roster = Roster(folder, b.BOOT)
        for page in (*self._first, *self._later, *self._last):
            roster.apply(page)
            recorder.promise(self._served(roster))
            if draw.random() < 0.1:
                roster.close()
                roster = Roster(folder, b.BOOT)
        roster.close()

    def held(self, folder: Path) -> object:
        roster = Roster(folder, "the next boot")
        try:
            roster.cursor()
            return self._served(roster)
        finally:
            roster.close()

    def go_on(self, folder: Path) -> None:
        roster = Roster(folder, "the next boot")
        try:
            cursor = roster.cursor()
            known = cursor.position if cursor.epoch == self._SECOND else 0
            for page in self._last:
                if page.to > known:
                    roster.apply(page)
            status = roster.status()
            if status is None or status.people != 20:
                raise Corrupt("the next list does not come in")
        finally:
            roster.close()

    def _change(self, student: b.Student, position: int) -> FeedPage:
        entries: list[Entry] = [b.settings(position), b.person(student, position + 10)]
        return b.page([*entries, Gone(position=position + 20, what="person", key=student.ref)])

    def _served(self, roster: Roster) -> object:
        """All that the desk would make of it."""
        if roster.state() is None:
            return None
        found = tuple(roster.look_up(read_email(name)) for name in self._names)
        return roster.state(), roster.settings(), roster.sessions(), roster.directory(), found


STORIES: tuple[Callable[[], Story], ...] = (AtTheDesk, AtTheOffice, AtTheRoster)
