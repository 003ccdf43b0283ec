"""A kiosk that was alone for a month: thirty days of check-ins, started anew every few days, its clock never set. Then
there is a network, and the desk stays open while everything goes to the hub."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Thread
from uuid import UUID

from uuid_utils.compat import uuid7

from bench import people
from bench.client import Connection, form
from bench.report import percentile
from kiosk import clock
from kiosk.actions import arrivals, undoing
from kiosk.actions.arrivals import Arrival, Stand, Stores
from kiosk.rules.verdicts import Noted, Welcome
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync.messages import Moment
from tests.faults.fair import Fair, Reckoning, kept_in, on_disk, reckon_facts, say
from tests.faults.forks import ForkedKiosk
from tests.faults.outcome import Effort, Outcome
from tests.forks import Forks

FACTS = 50_000
DAYS = 30
"""One session a day."""
UNKNOWN, TAKEN_BACK = 0.05, 0.01
AT_ONCE = 500
"""Check-ins in one transaction while the month is made up; a desk takes each on its own."""
_PAUSE_S = 0.02
_QUIET_S = 10.0
_GIVE_UP_S = 1_800.0


def month_offline(effort: Effort) -> Outcome:
    """Make the month up, let the network come, and reckon when nothing waits any more."""
    return attempt(effort)


def attempt(effort: Effort, hub_variant: str = "") -> Outcome:
    """As `month_offline`; with a variant, a hub that breaks a promise."""
    facts = effort.share(FACTS, least=600)
    with ExitStack() as ended:
        folder = ended.enter_context(on_disk("month"))
        count = facts // DAYS + 200
        fair = Fair(ended.enter_context(Forks()), folder, count, DAYS, variant=hub_variant)
        ended.callback(fair.hub.kill)
        kiosk = fair.new_kiosk("kiosk")
        ended.callback(kiosk.kill)
        fair.hub.stop()
        month = _Month(fair, kiosk, Random(effort.seed), facts)
        began = time.monotonic()
        month.pass_by()
        say(f"  {month.made} facts of {DAYS} days made in {time.monotonic() - began:.0f} s")
        kiosk.serve()
        visitors = _Visitors(fair, kiosk)
        quiet = visitors.come(Event(), min(_QUIET_S, max(1.0, _QUIET_S * effort.scale * 10)))
        fair.hub.serve()
        drain_s, meanwhile = _drain(kiosk, visitors)
        kiosk.post()
        found = Reckoning()
        journal = Journal(kiosk.folder / "journal.sqlite")
        marks, kept = journal.marks(), kept_in(journal)
        journal.close()
        reckon_facts({"kiosk": kept}, fair.held(), found)
        wrong_counts = _wrong_counts(fair, month.present | visitors.present)
    return Outcome(
        what=f"{DAYS} days offline, then a network",
        tried={"facts": len(kept)},
        wrong={
            "lost": found.lost + marks.waiting,
            "doubled": found.doubled,
            "wrong counts": len(wrong_counts),
            "wrong screens": visitors.wrong,
        },
        measured={
            "drain_s": drain_s,
            "facts_per_s": len(kept) / drain_s,
            "quiet_p99_ms": 1000 * percentile(quiet, 99),
            "meanwhile_p99_ms": 1000 * percentile(meanwhile, 99),
        },
        told=tuple([*found.told, *wrong_counts][:40]),
    )


@dataclass
class _Month:
    """The journal of a kiosk, written by the product's own actions, with the clocks of a device nobody looks after."""

    fair: Fair
    kiosk: ForkedKiosk
    chance: Random
    facts: int
    made: int = 0
    present: set[tuple[str, int]] = field(default_factory=set)
    """Who came to which session, and was not taken back."""

    def pass_by(self) -> None:
        """Day after day."""
        journal = Journal(self.kiosk.folder / "journal.sqlite")
        roster = Roster(self.kiosk.folder, clock.boot())
        self._stores = Stores(journal, roster)
        self._device = _Device(self.chance)
        for day, session_id in enumerate(self.fair.sessions):
            if day % 4 == 0:
                self._device.start_anew()
            self._day(session_id, (self.facts - self.made) // (DAYS - day))
        roster.close()
        journal.close()

    def _day(self, session_id: str, facts: int) -> None:
        stand = arrivals.standing_at(self._stores, UUID(session_id), leaving=False)
        assert isinstance(stand, Stand)
        taken_back = round(facts * TAKEN_BACK)
        come = iter(self.chance.sample(range(self.fair.count), self.fair.count))
        known: list[tuple[int, UUID]] = []
        left = facts - taken_back
        while left:
            batch = min(left, AT_ONCE)
            known += self._hour(stand, [next(come) for _ in range(batch)])
            left -= batch
        for person, check_in_id in self.chance.sample(known, taken_back):
            assert undoing.undo(self._stores.journal, check_in_id, self._device.now(), uuid7()) == "undone"
            self.present.discard((session_id, person))
        self.made += facts
        self._device.wait(timedelta(hours=14))

    def _hour(self, stand: Stand, persons: list[int]) -> list[tuple[int, UUID]]:
        known = []
        occasion = arrivals.occasion_of(self._stores.roster, stand, self._arrival(""))
        with self._stores.journal.writing() as page:
            for person in persons:
                unknown = self.chance.random() < UNKNOWN
                arrival = self._arrival(f"guest-{uuid7()}@else.example" if unknown else people.address(person))
                who = arrivals.somebody(stand, self._stores.roster.recognise(arrival.text), by_hand=False)
                verdict = arrivals.record_on(page, occasion, who, arrival)
                assert isinstance(verdict, Noted if unknown else Welcome), verdict
                if isinstance(verdict, Welcome):
                    known.append((person, verdict.check_in_id))
                    self.present.add((str(stand.session.id), person))
        return known

    def _arrival(self, text: str) -> Arrival:
        self._device.wait(timedelta(seconds=self.chance.uniform(1, 30)))
        return Arrival(text, uuid7(), self._device.now(), uuid7())


class _Device:
    """A small computer without a battery: each start finds some date, and its clock runs a little fast or slow."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.start_anew()

    def start_anew(self) -> None:
        self._boot = str(UUID(int=self._chance.getrandbits(128), version=4))
        self._since_boot = timedelta(seconds=self._chance.uniform(20, 90))
        self._began = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=self._chance.uniform(0, 25_000))
        self._pace = self._chance.uniform(0.9999, 1.0001)

    def wait(self, time: timedelta) -> None:
        self._since_boot += time

    def now(self) -> Moment:
        passed = timedelta(milliseconds=round(self._since_boot.total_seconds() * 1000))
        return Moment(
            wall=self._began + passed * self._pace, boot=self._boot, since_boot_ms=passed // timedelta(milliseconds=1)
        )


@dataclass
class _Visitors:
    """People at the desk, one after the other, with a breath in between."""

    fair: Fair
    kiosk: ForkedKiosk
    wrong: int = 0
    present: set[tuple[str, int]] = field(default_factory=set)
    _came: int = 0

    def come(self, end: Event, seconds: float = _GIVE_UP_S) -> list[float]:
        """Until the end, or for so many seconds: how long each answer took."""
        took: list[float] = []
        connection = Connection(self.kiosk.port)
        until = time.perf_counter() + seconds
        while not took or not (end.wait(_PAUSE_S) or time.perf_counter() > until):
            person, day = self._came % self.fair.count, self._came // self.fair.count
            session = self.fair.sessions[-1 - day % DAYS]
            self._came += 1
            asked = form(f"/sessions/{session}/check-ins", identifier=people.second_address(person))
            began = time.perf_counter()
            answer = connection.ask(asked)
            took.append(time.perf_counter() - began)
            # Some of them came in that month already, by their other address.
            self.wrong += b'"welcome"' not in answer.body and b'"already_in"' not in answer.body
            self.present.add((session, person))
        connection.close()
        return took


def _drain(kiosk: ForkedKiosk, visitors: _Visitors) -> tuple[float, list[float]]:
    """Seconds until nothing waits, and how long answers at the desk took meanwhile."""
    end = Event()
    took: list[float] = []
    crowd = Thread(target=lambda: took.extend(visitors.come(end)))
    journal = Journal(kiosk.folder / "journal.sqlite")
    began = time.perf_counter()
    postman = kiosk.start("post")
    crowd.start()
    try:
        head = journal.marks().head_seq
        # Whoever comes meanwhile is not waited for.
        while journal.marks().acked_seq < head and time.perf_counter() - began < _GIVE_UP_S:
            time.sleep(0.05)
        drain_s = time.perf_counter() - began
    finally:
        end.set()
        crowd.join()
        postman.kill()
        journal.close()
    return drain_s, took


def _wrong_counts(fair: Fair, present: set[tuple[str, int]]) -> list[str]:
    came = {session: sum(1 for each, _ in present if each == session) for session in fair.sessions}
    return [
        f"session {session}: {came[session]} came, {number} are counted"
        for session, number in fair.counted().items()
        if number != came[session]
    ]
