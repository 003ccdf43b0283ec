"""A hub that is set back to what it was at any earlier moment, while its kiosks know better."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub import migrations
from hub.actions import attendance, backups, events, kiosks, moving, readiness, receive, serve_roster, set_up
from hub.actions import students as office
from hub.actions.events import NewEvent
from hub.database import connect, reading, writing
from hub.schema import addresses, facts, students
from kiosk import clock
from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from kiosk.store.roster import Roster
from sync.engine import Hub, run_once
from sync.identifiers import read_email
from sync.messages import (
    FACT,
    Bucket,
    CheckIn,
    Digests,
    Enrolled,
    Enrolment,
    FeedPage,
    Push,
    PushAnswer,
    Undo,
    encode,
    read_page,
)
from sync.seals import seal_to_hub
from tests.faults.outcome import Effort, Outcome
from tests.hub.desk import student

STATES = 100
LEAST_STATES = 6
KIOSKS = 5
STUDENTS = 30
MOST_ROUNDS = 8
"""Exchanges after which a kiosk for which something still waits is stuck."""
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
IN_MEMORY = Path("/dev/shm")
"""Nothing here is about a disk, and so nothing waits for one."""
WAYS = ("hub restore", "a file put in its place")


def restores(effort: Effort) -> Outcome:
    """To every earlier state in both ways: nothing is lost, and nobody has to do anything at the kiosks."""
    return attempt(effort, InProcess)


def attempt(effort: Effort, line: Callable[[Engine, str], Hub]) -> Outcome:
    """The same with kiosks that reach their hub in such a way."""
    wrong = {"lost": 0, "doubled": 0, "diverged": 0, "stuck": 0, "operator steps": 0}
    told: list[str] = []
    states = effort.share(STATES, LEAST_STATES)
    with TemporaryDirectory(prefix="restores-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        story = Story(Path(folder), Random(effort.seed), line)
        story.go_on(states)
        for state in range(states):
            for way in WAYS:
                found = story.set_back(state, way)
                for name, number in found.items():
                    wrong[name] += number
                if any(found.values()):
                    told.append(f"SEED={effort.seed} state {state} of {states}, {way}: {found}")
            if state % 10 == 9:
                print(f"restores: {state + 1} of {states} states", file=sys.stderr)
        check_ins = sum(len(each.ids) for each in story.kiosks)
    tried = {"restores": states * len(WAYS), "kiosks": KIOSKS, "check-ins": check_ins}
    return Outcome("a hub set back", tried, wrong, told=tuple(told[:10]))


class InProcess:
    """The hub without HTTP: what is said becomes JSON and back, both ways."""

    def __init__(self, engine: Engine, token: str) -> None:
        self._engine, self._token = engine, token

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        kiosk = kiosks.recognise(self._engine, self._token)
        sent = msgspec.json.decode(encode(push), type=Push)
        answer = receive.receive(self._engine, self._id(), kiosk, stream_id, sent, NOW)
        return msgspec.json.decode(encode(answer), type=PushAnswer)

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        kiosk = kiosks.recognise(self._engine, self._token)
        page = serve_roster.page_after(self._engine, self._id(), kiosk, epoch, after, mark)
        return None if page is None else read_page(encode(page))

    def digests(self) -> Digests:
        return serve_roster.digested(self._engine, self._id(), kiosks.recognise(self._engine, self._token))

    def bucket(self, number: int) -> Bucket:
        return serve_roster.bucket(self._engine, self._id(), kiosks.recognise(self._engine, self._token), number)

    def _id(self) -> UUID:
        return readiness.hub_id(self._engine)


@dataclass(slots=True)
class Desk:
    """A kiosk on its disk; `ids` are those of its check-ins so far."""

    folder: Path
    enrolled: Enrolled
    ids: list[UUID] = field(default_factory=list)

    @contextmanager
    def opened(self, folder: Path | None = None) -> Iterator[tuple[Journal, Roster]]:
        place = folder or self.folder
        journal, roster = Journal(place / "journal.sqlite"), Roster(place, "boot")
        try:
            yield journal, roster
        finally:
            roster.close()
            journal.close()


class Story:
    """A hub and its kiosks, step after step, with a backup after each; then back to any of them.

    The last kiosk was enrolled and has never been online since; the others are, each now and then.
    """

    def __init__(self, folder: Path, draw: Random, line: Callable[[Engine, str], Hub]) -> None:
        self._folder, self._draw, self._line = folder, draw, line
        self._place = folder / "hub.sqlite"
        self._strangers = 0
        self._claimed: dict[UUID, str] = {}
        self._addresses: set[str] = set()
        self._engine = connect(f"sqlite:///{self._place}")
        migrations.upgrade(self._engine)
        with writing(self._engine) as conn:
            self._institution = set_up.make_institution(conn, "Example University", ["example.edu"], NOW)
        self._office = [self._new_student(f"Ada{number}") for number in range(STUDENTS)]
        day = NewEvent("career_fair", "Fair", NOW, NOW.replace(hour=20), sessions=2)
        made = events.create(self._engine, self._institution, day, NOW).sessions
        self._sessions = [each.id for each in made]
        self.kiosks = [self._enrolled(number) for number in range(KIOSKS)]

    def go_on(self, steps: int) -> None:
        """So many steps, each with a backup of how the hub is then."""
        for step in range(steps):
            for _ in range(self._draw.randint(1, 5)):
                self._somebody_comes(self._draw.choice(self.kiosks))
            for _ in range(self._draw.randint(0, 3)):
                self._office_works(self._engine)
            for desk in self.kiosks[:-1]:
                if self._draw.random() < 0.4:
                    with desk.opened() as (journal, roster):
                        run_once(self._line(self._engine, desk.enrolled.token), journal, roster, clock.now)
            backups.backup(self._engine, self._backup(step))
        self._engine.dispose()

    def set_back(self, step: int, way: str) -> dict[str, int]:
        """What is wrong after the hub was set back in this way, and kiosks and office have gone on."""
        again = self._folder / "again"
        shutil.rmtree(again, ignore_errors=True)
        again.mkdir()
        place = again / "hub.sqlite"
        engine = connect(f"sqlite:///{place}")
        before = set(self._addresses)
        try:
            if way == WAYS[0]:
                shutil.copy(self._place, place)
                moving.restore(engine, self._backup(step), again, NOW)
            else:
                shutil.copy(self._backup(step), place)
            desks = [
                Desk(shutil.copytree(each.folder, again / each.folder.name), each.enrolled) for each in self.kiosks
            ]
            # Positions are given out a second time, and go beyond where kiosks stand.
            for _ in range(self._draw.randint(0, 3 * STATES // 10)):
                self._office_works(engine)
            return self._reckoning(engine, desks, *self._heal(engine, desks))
        finally:
            engine.dispose()
            # What the office gave since is of this time only.
            self._addresses = before

    def _heal(self, engine: Engine, desks: Sequence[Desk]) -> tuple[int, int]:
        """How many kiosks were stuck, and how many needed somebody."""
        stuck = helpless = 0
        for desk in self._draw.sample(desks, len(desks)):
            with desk.opened() as (journal, roster):
                for _ in range(MOST_ROUNDS):
                    report = run_once(self._line(engine, desk.enrolled.token), journal, roster, clock.now)
                    if report.problem is None and not report.waiting:
                        break
                stuck += report.problem is not None or report.waiting > 0
                helpless += report.problem in ("device_unknown", "device_revoked", "fork", "foreign_stream")
        return stuck, helpless

    def _reckoning(self, engine: Engine, desks: Sequence[Desk], stuck: int, helpless: int) -> dict[str, int]:
        recorded = [body for desk in desks for body in _recorded(desk)]
        with reading(engine) as conn:
            held = [(row.id, row.body) for row in conn.execute(sa.select(facts.c.id, facts.c.body))]
        lost = len(set(recorded) - {body for _, body in held})
        doubled = len(held) - len({fact_id for fact_id, _ in held if fact_id is not None})
        for session_id, present in self._fold(engine, recorded).items():
            counted = attendance.count(engine, self._institution, session_id).count.checked_in
            lost += max(0, len(present) - counted)
            doubled += max(0, counted - len(present))
        diverged = sum(not self._knows_the_same(engine, desk) for desk in desks)
        return {"lost": lost, "doubled": doubled, "diverged": diverged, "stuck": stuck, "operator steps": helpless}

    def _fold(self, engine: Engine, recorded: Sequence[bytes]) -> dict[UUID, set[UUID]]:
        """Who is in which session, by nothing but the facts and whom the office knows now."""
        with reading(engine) as conn:
            known = set(conn.execute(sa.select(students.c.id)).scalars())
            owners = {row.key: row.student_id for row in conn.execute(sa.select(addresses))}
        said = [FACT.decode(body) for body in recorded]
        undone = {each for fact in said if isinstance(fact, Undo) for each in fact.undoes}
        present: dict[UUID, set[UUID]] = {each: set() for each in self._sessions}
        for fact in said:
            if isinstance(fact, CheckIn) and fact.id not in undone:
                who = fact.ref or owners.get(self._claimed[fact.id])
                if who in known and who is not None:
                    present[fact.session_id].add(who)
        return present

    def _knows_the_same(self, engine: Engine, desk: Desk) -> bool:
        """Whether a kiosk's roster says of every address what the hub says, and holds nothing else."""
        with reading(engine) as conn:
            owners = {
                row.key: (row.student_id, row.first_name)
                for row in conn.execute(
                    sa.select(addresses.c.key, addresses.c.student_id, students.c.first_name).join_from(
                        addresses, students, addresses.c.student_id == students.c.id
                    )
                )
            }
        hub = InProcess(engine, desk.enrolled.token)
        with desk.opened() as (_, roster):
            if roster.digests() != hub.digests().buckets:
                return False
            return all(_known(roster, key) == owners.get(key) for key in self._addresses | set(owners))

    # --- what happens

    def _somebody_comes(self, desk: Desk) -> None:
        session_id = self._draw.choice(self._sessions)
        at, ids = clock.now(), desk.ids
        said: CheckIn | Undo
        if ids and self._draw.random() < 0.2:
            said = Undo(id=uuid7(), session_id=session_id, at=at, undoes=(self._draw.choice(ids),))
        elif self._draw.random() < 0.2:
            self._strangers += 1
            address = read_email(f"stranger{self._strangers}@elsewhere.example")
            sealed = seal_to_hub(desk.enrolled.hub_key, address)
            said = CheckIn(
                id=uuid7(),
                session_id=session_id,
                method="email",
                at=at,
                roster_position=0,
                tag=bytes(8),
                sealed_identifier=sealed,
            )
            self._claimed[said.id] = address.key
        else:
            who = self._draw.choice(self._office)
            said = CheckIn(id=uuid7(), session_id=session_id, method="email", at=at, roster_position=0, ref=who)
        with desk.opened() as (journal, _), journal.writing() as page:
            page.append(said)
        if isinstance(said, CheckIn):
            ids.append(said.id)

    def _office_works(self, engine: Engine) -> None:
        with reading(engine) as conn:
            there = sorted(conn.execute(sa.select(students.c.username)).scalars())
        who = self._draw.choice(there)
        chance = self._draw.random()
        if chance < 0.3:
            self._office.append(self._new_student(f"Bo{self._draw.randrange(10**9)}", engine))
        elif chance < 0.5 and self._strangers:
            self._give(engine, who, f"stranger{self._draw.randint(1, self._strangers)}@elsewhere.example")
        else:
            self._give(engine, who, f"home{self._draw.randrange(10**9)}@home.example")

    def _give(self, engine: Engine, username: str, address: str) -> None:
        with reading(engine) as conn:
            taken = conn.execute(sa.select(addresses.c.key).where(addresses.c.key == read_email(address).key)).scalar()
        if taken is None:
            self._addresses.add(read_email(address).key)
            office.add_email(engine, self._institution, username, address, True, NOW)

    def _new_student(self, name: str, engine: Engine | None = None) -> UUID:
        address = f"{name}@example.edu".lower()
        self._addresses.add(read_email(address).key)
        return student(engine or self._engine, self._institution, name, confirmed=[address])

    def _enrolled(self, number: int) -> Desk:
        invited = kiosks.invite(self._engine, self._institution, f"Kiosk {number}", NOW)
        hub_id = readiness.hub_id(self._engine)
        given = kiosks.enrol(self._engine, hub_id, Enrolment(code=invited.code, app="test"), NOW)
        folder = self._folder / f"kiosk-{number}"
        folder.mkdir()
        desk = Desk(folder, given)
        with desk.opened() as (journal, _):
            journal.enrolled(Standing("https://hub.example.edu", given))
        return desk

    def _backup(self, step: int) -> Path:
        return self._folder / f"backup-{step}.sqlite"


def _recorded(desk: Desk) -> list[bytes]:
    with desk.opened() as (journal, _):
        return list(journal.facts_after(0, sys.maxsize))


def _known(roster: Roster, key: str) -> tuple[UUID, str] | None:
    found = roster.look_up(read_email(key)).found
    return None if found is None else (found.ref, found.greeting)
