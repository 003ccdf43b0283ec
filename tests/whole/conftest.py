"""A hub for each kind of database and two kiosks at each, as real processes, for all tests of a run.

Every test takes a session of its own, so none sees another's check-ins.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from scripts import sample
from scripts.sample import Student
from tests.postgres import Server, create_database, start
from tests.whole.programs import Hub, Kiosk
from tests.whole.proxy import Proxy

SESSIONS = 40
"""More than there are tests."""
PIN = "Rooms-8264-Lantern"
"""Long, so that no bytes look like it by accident."""

ADA = Student(
    username="s-ada",
    first_name="Ada",
    card_id="012345",
    school_emails=("ada@northfield.edu", "ada.byron@students.northfield.edu"),
)
BO = Student(username="s-bo", first_name="Bo", school_emails=("bo@northfield.edu",), disabled=True)
CEM = Student(username="s-cem", first_name="Cem", school_emails=("cem@northfield.edu",))
DITA = Student(username="s-dita", first_name="Dita", last_name="Dvořáčková", school_emails=("dita@northfield.edu",))
CAST = (ADA, BO, CEM, DITA)


class Office:
    """A hub that is set up and serves, and what belongs to it."""

    def __init__(self, database: str, folder: Path, database_url: str, ended: ExitStack) -> None:
        self.database = database
        self._folder, self._ended = folder, ended
        self.people = [*CAST, *sample.students(240, seed=11)]
        self.hub = hub = Hub(folder / "hub", database_url)
        ended.callback(hub.kill)
        password = folder / "password.txt"
        password.write_text("correct horse battery staple")
        domains = [word for domain in sample.DOMAINS for word in ("--domain", domain)]
        who = ("--admin", "ada@northfield.edu", "--password-file", str(password))
        hub.ask("init", "--institution", sample.INSTITUTION, *domains, *who)
        hub.ask("card-formats", *(word for each in sample.CARD_FORMATS for word in ("--format", *each)))
        students = folder / "students.csv"
        with students.open("w", encoding="utf-8", newline="") as file:
            sample.write(self.people, file)
        assert hub.ask("import", "students", str(students))["created"] == len(self.people)
        what = ("--kind", "career_fair", "--name", "Fair", "--sessions", str(SESSIONS))
        when = ("--starts", "2026-11-21T08:00", "--ends", "2026-11-21T20:00")
        fair = hub.ask("events", "create", *what, *when)
        self._sessions = iter([each["id"] for each in fair["sessions"]])
        hub.serve()

    def new_session(self) -> str:
        """A session nobody has checked in to."""
        return str(next(self._sessions))

    def new_kiosk(self, name: str, url: str | None = None) -> Kiosk:
        """A kiosk that knows everybody; its desk is open."""
        kiosk = Kiosk(self._folder / name)
        self._ended.callback(kiosk.kill)
        return kiosk.enrol(self.hub, url).serve()

    @cached_property
    def pin(self) -> str:
        """The desk PIN; a kiosk hears of it with its next exchange."""
        self.pin_file.write_text(PIN)
        self.hub.ask("desk-pin", "--pin-file", str(self.pin_file))
        return PIN

    @property
    def pin_file(self) -> Path:
        return self._folder / "pin.txt"

    @cached_property
    def front(self) -> Kiosk:
        """A kiosk beside the hub."""
        return self.new_kiosk("front")

    @cached_property
    def proxy(self) -> Proxy:
        return self._ended.enter_context(Proxy(self.hub.port))

    @cached_property
    def far(self) -> Kiosk:
        """A kiosk behind the proxy."""
        return self.new_kiosk("far", self.proxy.url)


@dataclass(frozen=True)
class Place:
    """Where one test happens: an office that serves, and a session of its own."""

    office: Office
    session: str

    @property
    def hub(self) -> Hub:
        return self.office.hub

    def count(self) -> tuple[int, int]:
        """How many are checked in at the hub, and how many check-ins are parked there."""
        return self.hub.count(self.session)


@pytest.fixture(scope="session")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Office]]:
    """One office for each kind of database, made when first asked for."""
    with ExitStack() as ended:
        made: dict[str, Office] = {}
        server: list[Server] = []

        def database_url(kind: str, folder: Path) -> str:
            if kind == "sqlite":
                return f"sqlite:///{folder / 'hub.sqlite'}"
            if not server:
                server.append(ended.enter_context(start()))
            return create_database(server[0], "office")

        def office(kind: str) -> Office:
            if kind not in made:
                folder = tmp_path_factory.mktemp(kind)
                made[kind] = Office(kind, folder, database_url(kind, folder), ended)
            return made[kind]

        yield office


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, offices: Callable[[str], Office]) -> Place:
    office = offices(request.param)
    office.hub.serve()
    return Place(office, office.new_session())


@pytest.fixture
def kiosk(place: Place) -> Kiosk:
    """A kiosk beside the hub: nothing waits, its desk is open."""
    front = place.office.front.serve()
    assert front.post()["problem"] is None
    return front


@pytest.fixture
def far_kiosk(place: Place) -> Iterator[Kiosk]:
    """A kiosk behind the proxy: nothing waits, its desk is open."""
    place.office.proxy.answers = "pass"
    far = place.office.far.serve()
    assert far.post()["problem"] is None
    yield far
    place.office.proxy.answers = "pass"
