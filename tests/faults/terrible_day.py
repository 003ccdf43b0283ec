"""A terrible day, told from morning to evening: everything that goes wrong at a fair goes wrong at this one.

The programs are real processes, the network a proxy; only pauses between exchanges are short, so that an hour need not
last one. What happens is a script; who comes, and in which way, is the seed's. At the end the count is what the desks
have told people, to the last one, and nobody did anything that is not in the script.
"""

import resource
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from bench import people
from hub.actions.receive import ID_CONFLICT
from kiosk import clock
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from scripts import sample
from sync.messages import FACT, CheckIn
from tests.faults.broken_programs import AHEAD
from tests.faults.fair import Fair, kept_in, on_disk, say
from tests.faults.forks import ForkedKiosk, quiet_port
from tests.faults.outcome import Effort, Outcome
from tests.forks import Forks
from tests.impostor import impostor
from tests.kiosk import damage
from tests.whole.programs import Failed, Forked
from tests.whole.proxy import Cut, Proxy

DAYS = 10
PEOPLE, NEWCOMERS, SESSIONS = 120, 3, 2
FAST = "hours_pass_in_seconds"
PATIENCE_S = 30
"""Programs that run fast need not be waited for any longer than this."""
_AGAIN_S, _COMES_BACK_S = 0.02, 0.5
_SENT_TWICE = 0.15
_RECORDED = ("welcome", "noted", "already_in")
_PORTALS: Sequence[tuple[int, dict[str, str], bytes]] = (
    (200, {"Content-Type": "text/html"}, b"<h1>Welcome to our guest network</h1>"),
    (302, {"Location": "http://192.0.2.1/login"}, b""),
    (200, {"Content-Type": "application/json"}, b'{"hub_id": "01990c1e-5a00-7c3e-8a51-0d6f3b1e9a10"}'),
    (200, {}, bytes(range(256)) * 9),
)


def terrible_day(effort: Effort) -> Outcome:
    """As many days as that, each with other people."""
    return attempt(effort)


def attempt(effort: Effort, *, kiosk_variant: str = "", hub_variant: str = "") -> Outcome:
    """As `terrible_day`; with a variant, a program that breaks a promise."""
    days = effort.share(DAYS)
    wrong = dict.fromkeys(("lost", "doubled", "wrong counts", "wrong screens", "stuck", "broken off", "not well"), 0)
    told: list[str] = []
    took_s: list[float] = []
    check_ins = steps = 0
    with Forks() as forks:
        for number in range(days):
            began = time.monotonic()
            with on_disk("day") as folder, ExitStack() as ended:
                day = Day(forks, folder, effort.seed + number, ended, kiosk_variant, hub_variant)
                day.live()
            took_s.append(time.monotonic() - began)
            for name, line in day.wrong:
                wrong[name] += 1
                told.append(f"SEED={effort.seed + number} {name}: {line}")
            check_ins += len(day.said)
            steps += day.steps
    return Outcome(
        "a terrible day",
        {"days": days, "check-ins": check_ins, "operator steps in the script": steps},
        wrong,
        {"longest_day_s": max(took_s)},
        tuple(told[:20]),
    )


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who comes, in one of several ways. `name` is a username, or the address of a stranger."""

    name: str
    ways: tuple[str, ...]

    @property
    def is_stranger(self) -> bool:
        return self.name == self.ways[0]


@dataclass(frozen=True, slots=True)
class Told:
    """A desk told somebody that they are in."""

    station: str
    session_id: str
    guest: Guest


@dataclass(slots=True)
class Station:
    """A kiosk with its desk and its postman. `inside`: by session and name, the check-in its desk has to know of."""

    kiosk: ForkedKiosk
    inside: dict[tuple[str, str], str] = field(default_factory=dict)
    desk: Forked | None = None
    postman: Forked | None = None

    @property
    def name(self) -> str:
        return self.kiosk.folder.name

    def open(self) -> None:
        """Switch it on."""
        self.desk = self.kiosk.began()
        assert _within(self.kiosk.answers), f"{self.name} does not open: {_last_words(self.desk)}"
        self.post()

    def post(self) -> None:
        """Its postman alone."""
        self.postman = self.kiosk.start("post")

    def off(self, *, politely: bool = True) -> None:
        """Switch it off, or pull the plug."""
        for each in (self.postman, self.desk):
            if each is not None:
                (each.terminate if politely else each.kill)()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No program of it may write another byte."""
        programs = [each.pid for each in (self.desk, self.postman) if each is not None]
        before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in programs}
        for pid, (_, most) in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
        try:
            yield
        finally:
            for pid, limit in before.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


class Stuck(Exception):
    """What should come by itself does not."""


class Wifi(Proxy):
    """A network that may lead elsewhere: to a captive portal, or nowhere."""

    def lead_to(self, port: int) -> None:
        """From the next connection on."""
        self._hub_port = port


class Day:
    """A hub, three kiosks, and what becomes of them. `said` is what desks have told people, by the check-in's id."""

    def __init__(
        self, forks: Forks, folder: Path, seed: int, ended: ExitStack, kiosk_variant: str, hub_variant: str
    ) -> None:
        self.said: dict[str, Told] = {}
        self.wrong: list[tuple[str, str]] = []
        self.steps = 0
        self._began = time.monotonic()
        self._undone: set[str] = set()
        self._owners: dict[str, str] = {}
        self._forks, self._folder, self._chance = forks, folder, Random(seed)
        self._variant = f"{FAST} {kiosk_variant}"
        self._strangers = count()
        fair = self._fair = Fair(forks, folder, PEOPLE, SESSIONS, variant=hub_variant)
        ended.callback(fair.hub.kill)
        self._hub = fair.hub
        # As `hub init` makes it when it makes it.
        self._hub.folder.chmod(0o700)
        self._hub.ask("card-formats", *(word for each in sample.CARD_FORMATS for word in ("--format", *each)))
        self._wifi = ended.enter_context(Wifi(self._hub.port))
        self._cable = ended.enter_context(Wifi(self._hub.port))
        self._ended = ended
        self._front = self._new_station("front", self._wifi)
        self._tablet = self._new_station("tablet", self._wifi, "clock_is_ahead")
        self._back = self._new_station("back", self._cable)
        self._stations = [self._front, self._tablet, self._back]
        self._crowd = [_student(each) for each in range(PEOPLE)]
        self._newcomers = [_student(PEOPLE + each) for each in range(NEWCOMERS)]

    def live(self) -> None:
        """From morning to evening, and the reckoning; as far as the script leads."""
        try:
            self._morning()
            self._forenoon()
            self._noon()
            self._afternoon()
            self._evening()
            self._reckoning()
        except Stuck as error:
            self._is_wrong("stuck", str(error))
        except Exception as error:
            self._is_wrong("broken off", f"{type(error).__name__}: {error}")

    # --- what happens

    def _morning(self) -> None:
        self._happens("the doors open; the tablet's clock is twenty years ahead")
        self._cable.lead_to(quiet_port())
        for station in self._stations:
            station.open()
            self._some_come(station, 6)
        self._quiet(self._front, self._tablet)
        ahead_s = self._tablet.kiosk.status()["clock_ahead_s"]
        assert abs(ahead_s - AHEAD.total_seconds()) < 60, ahead_s

        self._happens("the card of the front desk is copied, and the hub backed up", steps=2)
        self._front.off()
        shutil.copytree(self._front.kiosk.folder, self._place("front of the morning"))
        self._front_of_the_morning = dict(self._front.inside)
        self._front.open()
        self._backup("morning")

        self._happens("newcomers are imported, and come", steps=1)
        self._import_newcomers()
        for guest, station in zip(self._newcomers, (self._front, self._tablet, self._tablet), strict=True):
            self._eventually(station, "to know the newcomers", self._knows_everybody)
            self._comes(station, guest)

    def _forenoon(self) -> None:
        self._happens("the wifi flaps")
        flaps = [self._answers_are_cut, self._bytes_are_cut, self._a_portal_answers, self._an_answer_is_held]
        for flap in self._chance.sample(flaps, len(flaps)):
            flap()
        self._quiet(self._front, self._tablet)

        self._happens("the front desk is killed three times while people come")
        self._queue_with_kills(self._front, self._chance.choices(self._crowd, k=30))

    def _noon(self) -> None:
        self._happens("the tablet is cloned, and both go on")
        self._tablet.off()
        clone = self._as_found(shutil.copytree(self._tablet.kiosk.folder, self._place("clone")))
        clone.inside = dict(self._tablet.inside)
        self._stations.append(clone)
        for station in (self._tablet, clone):
            station.open()
        for station in (clone, self._tablet, clone):
            self._some_come(station, 5)
        self._quiet(self._tablet, clone)

        self._happens("the disk of the front desk is full, and then has room again")
        self._disk_is_full(self._front)

        self._happens("a bit flips in the list of the front desk, and one in its journal")
        self._front.off(politely=False)
        self._flip_a_bit(max(self._front.kiosk.folder.glob("roster-*.sqlite")))
        damage.one_bit(self._front.kiosk.folder / "journal.sqlite")
        self._front.open()
        self._some_come(self._front, 8, rotten=True)
        salvaged = self._front.kiosk.status()["salvaged"]
        if salvaged is None or salvaged["missing"] != 0:
            self._is_wrong("lost", f"the journal of the front desk was salvaged: {salvaged}")
        self._quiet(self._front)

    def _afternoon(self) -> None:
        connected = [each for each in self._stations if each is not self._back]
        self._happens("the hub is restored to the morning; newcomers are imported again", steps=2)
        self._hub.stop()
        # The front desk may find only now that its list has rotted, and then has none before the hub is back.
        for station in (self._tablet, self._stations[-1]):
            self._some_come(station, 3)
        self._hub.ask("restore", str(self._place("morning.sqlite")), "--yes")
        assert self._counts() != self._expected(without=("back",)), "there is nothing to hear again"
        self._hub.serve()
        self._import_newcomers()
        self._counted_again()

        self._happens("the office says whose an address is; then an older file is put in the hub's place", steps=3)
        self._backup("afternoon")
        late, soon = self._stranger(), self._stranger()
        for station in (self._tablet, self._back):
            self._comes(station, late)
        self._comes(self._front, soon)
        self._quiet(*connected)
        self._office_says(late)
        self._hub.stop()
        self._put_back("afternoon")
        assert self._counts() != self._expected(without=("back",)), "there is nothing to hear again"
        self._hub.serve()
        # What the office said since is not in that file.
        del self._owners[late.name]
        self._office_says(soon)
        self._counted_again()
        self._late = late

    def _evening(self) -> None:
        self._happens("what the back desk has goes by stick; an address is confirmed", steps=3)
        stick = self._place("stick.facts")
        self._back.kiosk.ask("export", str(stick))
        self._hub.ask("import", "facts", str(stick))
        self._counted_again(without=())
        self._office_says(self._late)
        self._counted_again(without=())

        self._happens("the back desk finds the network")
        self._some_come(self._back, 3)
        self._cable.lead_to(self._hub.port)

        self._happens("the front desk gets the card of the morning", steps=1)
        # What only its disk holds would be gone: that is the one thing nobody is promised.
        self._some_come(self._front, 3)
        self._quiet(self._front)
        self._front.off()
        shutil.rmtree(self._front.kiosk.folder)
        shutil.copytree(self._place("front of the morning"), self._front.kiosk.folder)
        self._front.inside = self._front_of_the_morning
        self._front.open()
        for station in self._stations:
            self._some_come(station, 6)
        self._comes(self._tablet, self._late)
        self._quiet(*self._stations)

    # --- the network

    def _answers_are_cut(self) -> None:
        self._wifi.withhold("cut")
        self._some_come(self._front, 3)
        self._some_come(self._tablet, 3)
        self._wifi.wait_until_withheld()
        self._wifi.answers = "pass"

    def _bytes_are_cut(self) -> None:
        after = self._chance.randint(1, 600)
        for cut in (Cut("requests", after), Cut("answers", after, reset=True)):
            self._wifi.withhold("cut")
            self._wifi.wait_until_withheld()
            self._wifi.cut = cut
            self._wifi.answers = "pass"
            self._some_come(self._chance.choice([self._front, self._tablet]), 3)
            for _ in range(3):
                self._wifi.wait_until_asked(2)
            self._wifi.cut = None

    def _a_portal_answers(self) -> None:
        with impostor(None) as portal:
            self._wifi.withhold("cut")
            self._wifi.wait_until_withheld()
            self._wifi.lead_to(portal.server_port)
            self._wifi.answers = "pass"
            for portal.said in _PORTALS:
                heard = len(portal.heard)
                self._some_come(self._front, 2)
                assert _within(lambda heard=heard: len(portal.heard) > heard), "nobody met the portal"  # type: ignore[misc]
            self._wifi.lead_to(self._hub.port)

    def _an_answer_is_held(self) -> None:
        """And those who wait for it are killed."""
        self._wifi.withhold("hold")
        self._some_come(self._front, 2)
        self._wifi.wait_until_withheld()
        self._some_come(self._tablet, 2)
        for station in (self._front, self._tablet):
            assert station.postman is not None
            station.postman.kill()
        self._wifi.answers = "pass"
        for station in (self._front, self._tablet):
            station.post()

    # --- the kiosks

    def _new_station(self, name: str, network: Wifi, variant: str = "") -> Station:
        kiosk = self._fair.new_kiosk(name, network.url, f"{self._variant} {variant}")
        return self._station(kiosk)

    def _as_found(self, folder: Path) -> Station:
        kiosk = ForkedKiosk(self._forks, folder)
        kiosk.variant = self._variant
        return self._station(kiosk)

    def _station(self, kiosk: ForkedKiosk) -> Station:
        station = Station(kiosk)
        self._ended.callback(station.off, politely=False)
        return station

    def _queue_with_kills(self, station: Station, guests: Sequence[Guest]) -> None:
        came: list[Guest] = []

        def queue() -> None:
            for guest in guests:
                self._comes(station, guest)
                came.append(guest)

        with ThreadPoolExecutor(1) as desk:
            crowd = desk.submit(queue)
            for number in (5, 12, 20):
                _within(lambda number=number: crowd.done() or len(came) >= number)  # type: ignore[misc]
                station.off(politely=False)
                station.open()
            crowd.result()

    def _disk_is_full(self, station: Station) -> None:
        outside = self._not_yet_at(station)
        refused = outside[:5]
        with station.full_disk():
            self._comes(station, self._chance.choice([each for each in self._crowd if each not in outside]), again=True)
            for guest in refused:
                answer = self._asked(station, self._session(), guest.ways[0], self._intent())
                if answer["verdict"] != "not_recorded":
                    self._is_wrong("wrong screens", f"{answer} while the disk is full")
        # The last one has gone home.
        for guest in refused[:-1]:
            self._comes(station, guest)

    def _flip_a_bit(self, path: Path) -> None:
        content = path.read_bytes()
        at = self._chance.randrange(len(content))
        damage.overwrite(path, at, bytes([content[at] ^ 1 << self._chance.randrange(8)]))

    # --- the office

    def _backup(self, name: str) -> None:
        self._hub.ask("backup", str(self._place(f"{name}.sqlite")))

    def _put_back(self, name: str) -> None:
        place = self._hub.folder / "hub.sqlite"
        for each in self._hub.folder.glob("hub.sqlite*"):
            each.unlink()
        shutil.copy(self._place(f"{name}.sqlite"), place)

    def _import_newcomers(self) -> None:
        file = self._place("newcomers.csv")
        people.write_csv(file, PEOPLE + NEWCOMERS)
        assert self._hub.ask("import", "students", str(file))["created"] == NEWCOMERS

    def _office_says(self, stranger: Guest) -> None:
        """Whose the address of a stranger is. They may have come to other desks, by another way."""
        owner = self._chance.choice(self._not_yet_at(self._tablet))
        self._crowd.remove(owner)
        self._hub.ask("students", "add-email", owner.name, stranger.name, "--confirmed")
        self._owners[stranger.name] = owner.name

    # --- who comes

    def _some_come(self, station: Station, number: int, *, rotten: bool = False) -> None:
        """People from the list, a stranger among them; one comes twice, and one takes it back."""
        among = self._not_yet_at(station) if rotten else self._crowd
        guests = [*self._chance.choices(among, k=number - 1), self._stranger()]
        self._chance.shuffle(guests)
        for guest in guests:
            self._comes(station, guest, rotten=rotten)
        self._comes(station, self._chance.choice(guests), again=True, rotten=rotten)
        if self._chance.random() < 0.4:
            self._takes_back(station)

    def _comes(self, station: Station, guest: Guest, *, again: bool = False, rotten: bool = False) -> None:
        """Somebody stands there until they are told something that will do. `again`: where they were before."""
        sessions = [each for each in self._fair.sessions if not again or (each, guest.name) in station.inside]
        told = Told(station.name, self._chance.choice(sessions), guest)
        # With a list that is rotten, somebody by one address may be another than by the next one.
        form = (guest.ways[0] if rotten else self._chance.choice(guest.ways), self._intent())
        answer = self._until_told(station, told.session_id, *form, rotten=rotten)
        self._judge(station, told, answer, rotten)
        if not rotten and self._chance.random() < _SENT_TWICE:
            repeated = self._until_told(station, told.session_id, *form)
            if repeated != answer:
                self._is_wrong("wrong screens", f"the same form: first {answer}, then {repeated}")

    def _until_told(
        self, station: Station, session_id: str, way: str, intent_id: str, *, rotten: bool = False
    ) -> dict[str, Any]:
        """What the desk says in the end to one form. A list that is rotten may send people away until it is mended."""
        until = time.monotonic() + PATIENCE_S
        while True:
            pause_s = _AGAIN_S
            with suppress(OSError, HTTPException):
                answer = self._asked(station, session_id, way, intent_id)
                will_do = answer["verdict"] in _RECORDED or not (rotten or answer["verdict"] == "not_recorded")
                if will_do or time.monotonic() > until:
                    return answer
                pause_s = _COMES_BACK_S
            if time.monotonic() > until:
                raise Stuck(f"{station.name} answers nobody")
            time.sleep(pause_s)

    def _asked(self, station: Station, session_id: str, way: str, intent_id: str) -> dict[str, Any]:
        with station.kiosk.desk() as desk:
            return desk.check_in(session_id, way, intent_id)

    def _judge(self, station: Station, told: Told, answer: dict[str, Any], rotten: bool) -> None:
        """Take down what was said, and whether it is what that desk had to say."""
        verdict, check_in_id = answer["verdict"], answer["check_in_id"]
        before = station.inside.get((told.session_id, told.guest.name))
        expected = "already_in" if before else "noted" if self._is_unknown(told.guest) else "welcome"
        # A confirmed address comes with the next exchange, and an older hub does not know it.
        either = not before and (rotten or told.guest.is_stranger)
        fits = verdict == expected or (either and verdict in ("welcome", "noted"))
        if not fits or (before or check_in_id) != check_in_id:
            self._is_wrong("wrong screens", f"{told} should be {expected} {before or ''}: {answer}")
        if check_in_id is not None:
            self.said.setdefault(check_in_id, told)
            station.inside[told.session_id, told.guest.name] = check_in_id
        if verdict == "noted" and told.guest in self._crowd:
            # To this desk, they are somebody else by their card.
            self._crowd.remove(told.guest)

    def _takes_back(self, station: Station) -> None:
        (session_id, name), check_in_id = list(station.inside.items())[-1]
        with station.kiosk.browser() as browser:
            browser.undo(check_in_id)
        self._undone.add(check_in_id)
        del station.inside[session_id, name]

    def _is_unknown(self, guest: Guest) -> bool:
        return guest.is_stranger and guest.name not in self._owners

    def _not_yet_at(self, station: Station) -> list[Guest]:
        inside = {name for _, name in station.inside}
        return [each for each in self._crowd if each.name not in inside]

    def _stranger(self) -> Guest:
        address = f"guest{next(self._strangers)}@private.example"
        return Guest(address, (address,))

    def _session(self) -> str:
        return self._chance.choice(self._fair.sessions)

    def _intent(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    # --- how it is

    def _quiet(self, *stations: Station) -> None:
        """They come by themselves."""
        for station in stations:
            self._eventually(station, "to hand everything over", _is_quiet)

    def _eventually(self, station: Station, what: str, true: Callable[[Station], bool]) -> None:
        if not _within(lambda: true(station)):
            postman = _last_words(station.postman) if station.postman else ""
            raise Stuck(f"{station.name} was waited for {what}: {station.kiosk.status()} {postman}")

    def _counted_again(self, without: Collection[str] = ("back",)) -> None:
        """The hub knows again what it knew, and nobody had to go to a kiosk."""
        if not _within(lambda: self._counts() == self._expected(without)):
            raise Stuck(f"counted and parked {self._counts()}, should be {self._expected(without)}")

    def _counts(self) -> list[tuple[int, int]]:
        return [self._hub.count(each) for each in self._fair.sessions]

    def _expected(self, without: Collection[str] = ()) -> list[tuple[int, int]]:
        """How many different people desks have told that they are in, and how many check-ins nobody knows whose."""
        valid = {fact_id: each for fact_id, each in self.said.items() if each.station not in without}
        valid = {fact_id: each for fact_id, each in valid.items() if fact_id not in self._undone}
        numbers = []
        for session_id in self._fair.sessions:
            here = [each.guest for each in valid.values() if each.session_id == session_id]
            known = {self._owners.get(each.name, each.name) for each in here if not self._is_unknown(each)}
            numbers.append((len(known), sum(self._is_unknown(each) for each in here)))
        return numbers

    def _knows_everybody(self, station: Station) -> bool:
        return bool(station.kiosk.status()["roster"]["people"] == PEOPLE + NEWCOMERS)

    # --- the reckoning

    def _reckoning(self) -> None:
        self._happens("all is quiet: the reckoning")
        fresh = _roster(self._fair.new_kiosk("fresh"))
        for station in self._stations:
            self._eventually(station, "to know whom a fresh one knows", lambda each: _roster(each.kiosk) == fresh)
        for station in self._stations:
            station.off()
        self._reckon_facts()
        expected, counted = self._expected(), self._counts()
        if expected != counted:
            self._is_wrong("wrong counts", f"counted and parked {counted}, should be {expected}")
        try:
            self._hub.ask("doctor")
        except Failed as failed:
            self._is_wrong("not well", failed.out)

    def _reckon_facts(self) -> None:
        held = self._fair.held()
        facts = {str(fact.id): fact for fact in (FACT.decode(each.body) for each in held)}
        for fact_id in sorted({*self.said, *self._kept()} - set(facts)):
            self._is_wrong("lost", f"{fact_id} is not at the hub: {self.said.get(fact_id)}")
        for fact_id in sorted(
            {fact_id for fact_id, fact in facts.items() if isinstance(fact, CheckIn)} - set(self.said)
        ):
            self._is_wrong("doubled", f"nobody was told of {fact_id}")
        for each in held:
            if each.verdict == ID_CONFLICT:
                self._is_wrong("doubled", f"fact {each.seq} of {each.stream_id}: {each.verdict}")

    def _kept(self) -> Iterator[str]:
        for station in self._stations:
            with closing(Journal(station.kiosk.folder / "journal.sqlite")) as journal:
                yield from kept_in(journal)

    # --- telling

    def _happens(self, what: str, steps: int = 0) -> None:
        self.steps += steps
        say(f"  terrible day, {time.monotonic() - self._began:5.1f} s: {what}")

    def _is_wrong(self, name: str, line: str) -> None:
        self.wrong.append((name, line))

    def _place(self, name: str) -> Path:
        return self._folder / name


def _student(number: int) -> Guest:
    card = sample.swipe(people.card(number))
    return Guest(people.username(number), (people.address(number), people.second_address(number), card))


def _is_quiet(station: Station) -> bool:
    """Whether the hub has everything, and the last exchange went well."""
    status = station.kiosk.status()
    return status["waiting"] == 0 and status["problem"] is None


def _roster(kiosk: ForkedKiosk) -> tuple[bytes, ...]:
    """Everybody it knows, as sums."""
    with closing(Roster(kiosk.folder, clock.boot())) as roster:
        return roster.digests()


def _within(true: Callable[[], bool]) -> bool:
    """Whether it comes true before patience ends."""
    until = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(_AGAIN_S)
    return True


def _last_words(process: Forked) -> str:
    return Path(f"{process.log}.err").read_text("utf-8", "replace")[-300:].strip()
