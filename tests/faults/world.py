"""An office and its kiosks in one process, on real files: the product's own journal, roster, engine and hub actions.

What a real world adds by chance (time, the network, what people do) is given from outside, so that a world can be lived
through again. The cast are `ada0`, `ada1`, …: each has a school address, and one more, confirmed sooner or later.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.actions import attendance, events, kiosks, merging, readiness, receive, serve_roster, set_up
from hub.actions import students as people
from hub.actions.events import NewEvent
from hub.database import connect, reading, writing
from hub.errors import HubRefused
from hub.migrations import upgrade
from hub.schema import addresses, facts, streams
from kiosk import postman
from kiosk.actions import setting_up, undoing
from kiosk.actions.arrivals import Arrival, Stores, check_in
from kiosk.postman import Round
from kiosk.rules.verdicts import Noted, Verdict, Welcome
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync.engine import Report
from sync.errors import DeviceRevoked, DeviceUnknown
from sync.messages import (
    FACT,
    Bucket,
    Digests,
    Enrolled,
    Enrolment,
    FeedPage,
    Moment,
    Push,
    PushAnswer,
    encode,
    read_bucket,
    read_page,
)
from tests.hub.files import import_file
from tests.memory import memory

MORNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DOMAIN = "example.edu"
FIRST = 5
"""How many students there are before anything happens."""
DESKS = 3
LOST = (DeviceUnknown.code, DeviceRevoked.code)

_COMPILED: dict[Any, Any] = {}


def _with_what_was_compiled(engine: Engine) -> Engine:
    """Compiling a statement costs more than carrying it out, and every world says the same ones, in one dialect."""
    engine.dialect = _COMPILED.setdefault("dialect", engine.dialect)
    return engine.execution_options(compiled_cache=_COMPILED)


def school(who: int) -> str:
    return f"ada{who}@{DOMAIN}"


def private(who: int) -> str:
    return f"ada{who}@mail.example"


@dataclass(slots=True)
class Office:
    """The hub: its one file, and what staff do there."""

    file: Path
    now: Callable[[], datetime]
    engine: Engine = field(init=False)
    hub_id: UUID = field(init=False)
    institution: UUID = field(init=False)
    sessions: list[UUID] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.engine = _with_what_was_compiled(connect(f"sqlite:///{self.file}"))
        self.hub_id = readiness.hub_id(self.engine)
        with reading(self.engine) as conn:
            self.institution = conn.execute(sa.text("SELECT id FROM institutions")).scalar_one()
        self.institution = UUID(str(self.institution))
        every = events.everything(self.engine, self.institution)
        self.sessions = [session.id for event in every for session in event.sessions]

    def stop(self) -> None:
        self.engine.dispose()

    def import_students(self, those: range | list[int]) -> None:
        file = self.file.with_name("students.csv")
        rows = (f"ada{each},Ada,{school(each)}" for each in those)
        file.write_text("\n".join(["username,first_name,email_address", *rows, ""]))
        import_file(self.engine, self.institution, file, self.now())

    def add_address(self, who: int, *, confirmed: bool, to: int | None = None) -> None:
        """The private address of somebody, to whom they are now if they were merged."""
        username = f"ada{who if to is None else to}"
        self._if_possible(
            lambda: people.add_email(self.engine, self.institution, username, private(who), confirmed, self.now())
        )

    def with_private_address(self) -> set[int]:
        """Whose private address is confirmed."""
        confirmed = sa.select(addresses.c.key).where(addresses.c.state == "confirmed", addresses.c.kind == "additional")
        with reading(self.engine) as conn:
            return {int(key.partition("@")[0].removeprefix("ada")) for key in conn.execute(confirmed).scalars()}

    def remove_address(self, who: int) -> None:
        self._if_possible(
            lambda: people.remove_email(self.engine, self.institution, f"ada{who}", private(who), self.now())
        )

    def merge(self, who: int, into: int) -> bool:
        return self._if_possible(
            lambda: merging.merge(self.engine, self.institution, f"ada{who}", f"ada{into}", self.now())
        )

    def revoke(self, kiosk_id: UUID) -> None:
        self._if_possible(lambda: kiosks.revoke(self.engine, self.institution, kiosk_id, self.now()))

    def enrol(self) -> Enrolled:
        invited = kiosks.invite(self.engine, self.institution, "Door", self.now())
        return kiosks.enrol(self.engine, self.hub_id, Enrolment(code=invited.code, app="test"), self.now())

    def counts(self) -> dict[UUID, int]:
        return {
            session: attendance.count(self.engine, self.institution, session).count.checked_in
            for session in self.sessions
        }

    def held(self) -> dict[UUID, int]:
        """Every fact it holds, and as how many different ones."""
        times: dict[UUID, int] = {}
        with reading(self.engine) as conn:
            for body, verdict in conn.execute(sa.select(facts.c.body, facts.c.verdict)):
                if verdict != receive.SET_ASIDE:
                    fact_id = FACT.decode(body).id
                    times[fact_id] = times.get(fact_id, 0) + (verdict not in receive.SECOND_TIME)
        return times

    def acked(self, stream_id: UUID) -> int:
        with reading(self.engine) as conn:
            return conn.execute(sa.select(streams.c.acked_seq).where(streams.c.id == stream_id)).scalar() or 0

    def _if_possible(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except HubRefused:
            return False
        return True


class Line:
    """From a kiosk to the office, through everything that JSON and a token do; how it fares is for `network` to say.

    `network` is given each request as something to carry out, and hands its answer back, or raises from `sync.errors`.
    """

    def __init__(self, office: Office, token: Callable[[], str], network: "Network") -> None:
        self._office, self._token, self._network = office, token, network

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        token, sent = self._token(), encode(push)

        def carry_out() -> bytes:
            kiosk = kiosks.recognise(self._office.engine, token)
            read = msgspec.json.decode(sent, type=Push)
            office = self._office
            return encode(receive.receive(office.engine, office.hub_id, kiosk, stream_id, read, office.now()))

        return msgspec.json.decode(self._network(carry_out), type=PushAnswer)

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        def carry_out() -> bytes:
            kiosk = kiosks.recognise(self._office.engine, self._token())
            page = serve_roster.page_after(self._office.engine, self._office.hub_id, kiosk, epoch, after, mark)
            return b"" if page is None else encode(page)

        return read_page(answer) if (answer := self._network(carry_out)) else None

    def digests(self) -> Digests:
        def carry_out() -> bytes:
            kiosk = kiosks.recognise(self._office.engine, self._token())
            return encode(serve_roster.digested(self._office.engine, self._office.hub_id, kiosk))

        return msgspec.json.decode(self._network(carry_out), type=Digests)

    def bucket(self, number: int) -> Bucket:
        def carry_out() -> bytes:
            kiosk = kiosks.recognise(self._office.engine, self._token())
            return encode(serve_roster.bucket(self._office.engine, self._office.hub_id, kiosk, number))

        return read_bucket(self._network(carry_out))


Network = Callable[[Callable[[], bytes]], bytes]


@dataclass(slots=True)
class Clocks:
    """What a device believes: how far its clock is off, and when its kernel was started."""

    now: Callable[[], datetime]
    boot: str
    booted: datetime
    ahead: timedelta = timedelta()

    def __call__(self) -> Moment:
        since = self.now() - self.booted
        return Moment(wall=self.now() + self.ahead, boot=self.boot, since_boot_ms=int(since.total_seconds() * 1000))


class Desk:
    """A kiosk: its folder, and what is opened of it."""

    def __init__(self, folder: Path, clocks: Clocks) -> None:
        self.folder, self.clocks = folder, clocks
        self.open()

    def open(self) -> None:
        self.journal = Journal(self.folder / "journal.sqlite")
        self.roster = Roster(self.folder, self.clocks.boot)

    def close(self) -> None:
        self.journal.close()
        self.roster.close()

    @property
    def enrolled(self) -> Enrolled:
        standing = self.journal.standing()
        assert standing is not None
        return standing.enrolled

    def check_in(self, session: UUID, text: str) -> Verdict:
        stores = Stores(self.journal, self.roster)
        return check_in(stores, session, Arrival(text, None, self.clocks(), uuid7()))

    def undo(self, check_in_id: UUID) -> UUID | None:
        """The id of the fact that takes a check-in back; None: it was taken back already, or is not here."""
        new_id = uuid7()
        done = undoing.undo(self.journal, check_in_id, self.clocks(), new_id)
        return new_id if done == "undone" else None

    def exchange(self, office: Office, network: Network) -> Report:
        line = Line(office, lambda: self.enrolled.token, network)
        return postman.go_once(Round(line, self.journal, self.roster, self.clocks))

    def enrol_again(self, office: Office) -> None:
        setting_up.enrol(self.journal, "http://hub.example", office.enrol)

    def facts(self) -> set[UUID]:
        """Every fact in its journal that can be read."""
        found = set()
        for body in self.journal.facts_after(0, 1_000_000):
            with_id = _read(body)
            if with_id is not None:
                found.add(with_id)
        return found


def _read(body: bytes) -> UUID | None:
    try:
        return FACT.decode(body).id
    except msgspec.DecodeError:
        return None


def shown_as_done(verdict: Verdict) -> UUID | None:
    """The fact that a verdict speaks of as recorded just now."""
    return verdict.check_in_id if isinstance(verdict, Welcome | Noted) else None


def straight(carry_out: Callable[[], bytes]) -> bytes:
    """A network that does what it should."""
    return carry_out()


@cache
def template() -> Path:
    """A folder with a hub that knows its students and sessions, and kiosks that know them too."""
    folder = Path(tempfile.mkdtemp(prefix="world-", dir=memory()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = connect(f"sqlite:///{folder / 'hub.sqlite'}")
    upgrade(engine)
    with writing(engine) as conn:
        institution = set_up.make_institution(conn, "Example University", [DOMAIN], MORNING)
    fair = NewEvent("career_fair", "Fair", MORNING - timedelta(days=1), MORNING + timedelta(days=400), 2)
    events.create(engine, institution, fair, MORNING)
    engine.dispose()
    office = Office(folder / "hub.sqlite", lambda: MORNING)
    office.import_students(range(FIRST))
    office.add_address(0, confirmed=True)
    office.add_address(1, confirmed=False)
    for number in range(DESKS):
        place = folder / f"desk{number}"
        place.mkdir()
        desk = Desk(place, Clocks(lambda: MORNING, "first", MORNING - timedelta(hours=1)))
        setting_up.enrol(desk.journal, "http://hub.example", office.enrol)
        assert desk.exchange(office, straight).problem is None
        desk.close()
    office.stop()
    return folder


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A copy of the template, gone in the end."""
    with tempfile.TemporaryDirectory(prefix="world-", dir=memory(), ignore_cleanup_errors=True) as name:
        folder = Path(name) / "world"
        shutil.copytree(template(), folder)
        yield folder
