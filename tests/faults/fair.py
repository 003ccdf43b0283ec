"""A fair to try faults at: a hub that knows people and has sessions, its kiosks, and the reckoning at the end."""

import logging
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from bench import people
from hub.actions import attendance
from hub.actions.receive import DELIVERED_BEFORE, ID_CONFLICT
from hub.database import connect, reading
from hub.schema import facts
from kiosk.store.journal import Journal
from sync.messages import FACT
from tests.faults.forks import ForkedHub, ForkedKiosk
from tests.forks import Forks

MANY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody comes to a session at one of the kiosks; the same `intent_id`: the same form."""

    kiosk: str
    session_id: str
    person: int
    identifier: str
    intent_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a desk answered in the end, and how often it had to be asked."""

    visit: Visit
    verdict: str
    check_in_id: str | None
    asked: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """A fact at the hub."""

    stream_id: UUID
    seq: int
    body: bytes
    verdict: str


@dataclass(slots=True)
class Reckoning:
    """What must be zero, and a line about each thing that is not."""

    lost: int = 0
    doubled: int = 0
    wrong_screens: int = 0
    told: list[str] = field(default_factory=list)

    def wrong(self) -> dict[str, int]:
        return {"lost": self.lost, "doubled": self.doubled, "wrong screens": self.wrong_screens}


class Fair:
    """A hub with `count` people and some sessions that serves. Everything lies in `folder`."""

    def __init__(
        self, forks: Forks, folder: Path, count: int, sessions: int, database_url: str | None = None, variant: str = ""
    ) -> None:
        self.count = count
        self._forks, self._folder = forks, folder
        hub = self.hub = ForkedHub(forks, folder / "hub", database_url or f"sqlite:///{folder / 'hub' / 'hub.sqlite'}")
        password, students = folder / "password.txt", folder / "students.csv"
        password.touch(mode=0o600)
        password.write_text("correct horse battery")
        domains = [word for domain in people.DOMAINS for word in ("--domain", domain)]
        who = ("--admin", "ada@example.edu", "--password-file", str(password))
        made = hub.ask("init", "--institution", "Example University", *domains, *who)
        self.institution_id = UUID(made["institution_id"])
        people.write_csv(students, count)
        hub.ask("import", "students", str(students))
        what = ("--kind", "event", "--name", "Fair", "--sessions", str(sessions))
        created = hub.ask("events", "create", *what, "--starts", "2026-03-04T08:00", "--ends", "2026-03-04T20:00")
        self.sessions = [str(each["id"]) for each in created["sessions"]]
        hub.variant = variant
        hub.serve()

    def new_kiosk(self, name: str, url: str | None = None, variant: str = "") -> ForkedKiosk:
        """A kiosk that knows everybody; its desk is still closed."""
        kiosk = ForkedKiosk(self._forks, self._folder / name)
        kiosk.enrol(self.hub, url)
        kiosk.variant = variant
        return kiosk

    def held(self) -> list[Held]:
        """Every fact at the hub."""
        engine = connect(self.hub.database_url)
        with reading(engine) as conn:
            columns = (facts.c.stream_id, facts.c.seq, facts.c.body, facts.c.verdict)
            rows = [Held(*row) for row in conn.execute(sa.select(*columns))]
        engine.dispose()
        return rows

    def counted(self) -> dict[str, int]:
        """How many the hub says came to each session."""
        engine = connect(self.hub.database_url)
        numbers = {
            each: attendance.count(engine, self.institution_id, UUID(each)).count.checked_in for each in self.sessions
        }
        engine.dispose()
        return numbers

    def reckon(self, said: Sequence[Said], kiosks: Iterable[ForkedKiosk]) -> Reckoning:
        """Compare what desks have answered with what kiosks and hub hold, once nothing waits any more."""
        kept = {kiosk.folder.name: _kept(kiosk.folder / "journal.sqlite") for kiosk in kiosks}
        return reckon(said, kept, self.held(), self.counted())


Kept = dict[str, tuple[UUID, int, bytes]]
"""The facts of one journal: by their ids, stream, number and bytes."""


def reckon(said: Sequence[Said], kept: dict[str, Kept], held: Sequence[Held], counted: dict[str, int]) -> Reckoning:
    """What was answered, against what kiosks have kept, the hub holds, and people at the office see counted."""
    result = Reckoning()
    _screens(said, kept, result)
    reckon_facts(kept, held, result)
    _counts(said, counted, result)
    return result


def reckon_facts(kept: dict[str, Kept], held: Sequence[Held], result: Reckoning) -> None:
    """What kiosks have kept is at the hub, once each, and nothing else is."""
    at_hub = Counter((each.stream_id, each.seq, each.body) for each in held)
    for journal in kept.values():
        for fact_id, fact in journal.items():
            if at_hub.pop(fact, 0) != 1:
                result.lost += 1
                result.told.append(f"fact {fact_id} is not at the hub")
    for stream_id, seq, _ in at_hub:
        result.doubled += 1
        result.told.append(f"the hub holds fact {seq} of {stream_id}, which no kiosk has")
    again = [each for each in held if each.verdict in (DELIVERED_BEFORE, ID_CONFLICT)]
    result.doubled += len(again)
    result.told += [f"{each.verdict}: fact {each.seq} of {each.stream_id}" for each in again]


def _screens(said: Sequence[Said], kept: dict[str, Kept], result: Reckoning) -> None:
    """A person was welcomed for exactly one form, whose check-in is in that kiosk's journal, and told of it after."""
    visits = defaultdict(list)
    for each in said:
        visits[each.visit.kiosk, each.visit.session_id, each.visit.person].append(each)
    explained: dict[str, set[str | None]] = defaultdict(set)
    for (kiosk, _, person), answers in visits.items():
        ids = {each.check_in_id for each in answers}
        welcomed = {each.visit.intent_id for each in answers if each.verdict == "welcome"}
        others = [each.verdict for each in answers if each.verdict not in ("welcome", "already_in")]
        if len(ids) != 1 or len(welcomed) != 1 or others or not _first_is_welcome(answers):
            result.wrong_screens += 1
            result.told.append(f"person {person} at {kiosk}: {[_line(each) for each in answers]}")
        for missing in (each for each in ids if each not in kept[kiosk]):
            result.lost += 1
            result.told.append(f"person {person} was told of {missing}, which is not in the journal of {kiosk}")
        explained[kiosk] |= ids
    for kiosk, journal in kept.items():
        for fact_id in set(journal) - explained[kiosk]:
            result.wrong_screens += 1
            result.told.append(f"nobody was told of {fact_id} in the journal of {kiosk}")


def _line(said: Said) -> str:
    return f"{said.verdict} {said.check_in_id} after {said.asked} of {said.visit.intent_id}"


def _first_is_welcome(answers: Sequence[Said]) -> bool:
    """Every sending of the form that was welcomed once was welcomed."""
    welcomed = next((each.visit.intent_id for each in answers if each.verdict == "welcome"), None)
    return all(each.verdict == "welcome" for each in answers if each.visit.intent_id == welcomed)


def _counts(said: Iterable[Said], counted: dict[str, int], result: Reckoning) -> None:
    came = Counter(session for session, _ in {(each.visit.session_id, each.visit.person) for each in said})
    for session_id, number in counted.items():
        if number == came[session_id]:
            continue
        result.lost += max(0, came[session_id] - number)
        result.doubled += max(0, number - came[session_id])
        result.told.append(f"session {session_id}: {came[session_id]} came, {number} are counted")


def _kept(path: Path) -> Kept:
    journal = Journal(path)
    kept = kept_in(journal)
    journal.close()
    return kept


def kept_in(journal: Journal) -> Kept:
    """All of a journal."""
    stream_id = journal.marks().stream_id
    bodies = journal.facts_after(0, MANY)
    return {str(FACT.decode(body).id): (stream_id, seq, body) for seq, body in enumerate(bodies, 1)}


@contextmanager
def on_disk(name: str) -> Iterator[Path]:
    """A folder on a real disk, gone at the end."""
    base = "/var/tmp" if Path("/var/tmp").is_dir() else None
    with tempfile.TemporaryDirectory(prefix=f"faults-{name}-", dir=base, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def unheard(logger: str) -> Iterator[None]:
    """What is tried a thousand times need not be logged a thousand times."""
    log = logging.getLogger(logger)
    level = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
