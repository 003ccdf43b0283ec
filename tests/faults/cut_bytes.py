"""The connection ends at every byte of an exchange and of an enrolment, in either direction, politely and not.

Kiosk's side: the product's journal, roster, client and engine. Hub's side: a real process.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from hub.actions.kiosks import invite
from hub.database import connect, reading
from hub.schema import streams
from kiosk import clock, postman
from kiosk.actions import arrivals, setting_up
from kiosk.config import APP
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync import hub_client
from sync.engine import Report
from sync.errors import CheckinError, CodeRefused
from sync.hub_client import HubClient
from tests.faults.fair import Fair, Reckoning, kept_in, on_disk, reckon_facts, say, unheard
from tests.faults.outcome import Effort, Outcome
from tests.forks import Forks
from tests.whole.proxy import Carried, Cut, Proxy

PEOPLE = 2


def cut_bytes(effort: Effort) -> Outcome:
    """Everywhere, or at the places the seed chooses."""
    return attempt(effort)


def attempt(effort: Effort, client: type[HubClient] = HubClient) -> Outcome:
    """As `cut_bytes`; `client` may be one that breaks a promise."""
    with ExitStack() as ended:
        ended.enter_context(unheard("kiosk.postman"))
        folder = ended.enter_context(on_disk("cut"))
        fair = Fair(ended.enter_context(Forks()), folder, PEOPLE, 1)
        ended.callback(fair.hub.kill)
        proxy = ended.enter_context(Proxy(fair.hub.port))
        ended.callback(setattr, proxy, "cut", None)
        road = _Road(fair, proxy, folder / "kiosk", client)
        ended.callback(road.close)
        exchanges = _places(road.measured(), effort)
        for number, cut in enumerate(exchanges):
            road.exchange(cut)
            _tell("exchange", number, len(exchanges))
        found = road.found()
        gate = _Gate(fair, proxy, folder / "newcomer")
        ended.callback(gate.close)
        enrolments = _places(gate.measured(), effort)
        for number, cut in enumerate(enrolments):
            gate.enrol(cut)
            _tell("enrolment", number, len(enrolments))
    return Outcome(
        what="connection cut at a byte",
        tried={"exchanges": len(exchanges), "enrolments": len(enrolments)},
        wrong={
            "lost": found.lost,
            "doubled": found.doubled,
            "marks ahead of the hub": len(road.ahead),
            "half a roster": len(road.half),
            "stuck": len(road.stuck) + len(gate.stuck),
        },
        measured={"codes_used_up_by_a_cut": gate.used_up},
        told=tuple([*found.told, *road.ahead, *road.half, *road.stuck, *gate.stuck][:40]),
    )


def _places(whole: Carried, effort: Effort) -> list[Cut]:
    """Before every byte in each direction and after the last one; politely and not."""
    every = [Cut("requests", after, reset) for after in range(whole.requests + 1) for reset in (False, True)]
    every += [Cut("answers", after, reset) for after in range(whole.answers + 1) for reset in (False, True)]
    return Random(effort.seed).sample(every, min(len(every), effort.share(len(every), least=20)))


def _tell(what: str, number: int, of: int) -> None:
    if number % 500 == 499:
        say(f"  {what}: cut {number + 1} of {of} times")


@dataclass
class _Road:
    """A kiosk, and the only way from there to its hub."""

    fair: Fair
    proxy: Proxy
    folder: Path
    client: type[HubClient]
    ahead: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._journal = Journal(self.folder / "journal.sqlite")
        code = self.fair.hub.ask("kiosks", "invite")["code"]
        self._standing = setting_up.enrol(
            self._journal, self.proxy.url, lambda: hub_client.enrol(self.proxy.url, code, APP)
        )
        # The roster of this desk is not the one that is fetched again and again.
        self._desk = Roster(self.folder / "desk", clock.boot())
        self._post(self._desk)
        self._guests = 0
        self._hub = connect(self.fair.hub.database_url)

    def close(self) -> None:
        self._journal.close()
        self._desk.close()
        self._hub.dispose()

    def measured(self) -> Carried:
        """How many bytes one whole exchange is."""
        self._take_check_in()
        with _fresh_roster(self.folder / "roster") as roster:
            self._post(roster)
        return self.proxy.carried

    def exchange(self, cut: Cut) -> None:
        """One that is cut there, and then one that is not."""
        self._take_check_in()
        with _fresh_roster(self.folder / "roster") as roster:
            self.proxy.cut = cut
            self._post(roster)
            self.proxy.cut = None
            marks, at_hub = self._journal.marks(), self._at_hub()
            if marks.acked_seq > at_hub:
                self.ahead.append(f"{cut}: the kiosk believes {marks.acked_seq}, the hub has {at_hub}")
            status = roster.status()
            if status is not None and status.people != PEOPLE:
                self.half.append(f"{cut}: {status.people} people")
            report = self._post(roster)
            after = roster.status()
            if report.problem is not None or report.waiting or after is None or after.people != PEOPLE:
                self.stuck.append(f"{cut}: then {report.problem} {report.detail}, {report.waiting} waiting, {after}")

    def found(self) -> Reckoning:
        """What the journal has, against what the hub has."""
        result = Reckoning()
        reckon_facts({"kiosk": kept_in(self._journal)}, self.fair.held(), result)
        return result

    def _take_check_in(self) -> None:
        stores = arrivals.Stores(self._journal, self._desk)
        session_id = UUID(self.fair.sessions[0])
        self._guests += 1
        guest = f"guest-{self._guests:06}@elsewhere.example"
        verdict = arrivals.check_in(stores, session_id, arrivals.Arrival(guest, None, clock.now(), uuid7()))
        assert verdict.code == "noted", verdict

    def _post(self, roster: Roster) -> Report:
        enrolled = self._standing.enrolled
        with self.client(self._standing.url, enrolled.hub_id, enrolled.token, APP) as hub:
            return postman.go_once(postman.Round(hub, self._journal, roster))

    def _at_hub(self) -> int:
        with reading(self._hub) as conn:
            acked = conn.execute(
                sa.select(streams.c.acked_seq).where(streams.c.id == self._journal.marks().stream_id)
            ).scalar()
        return int(acked or 0)


@contextmanager
def _fresh_roster(folder: Path) -> Iterator[Roster]:
    """A roster that knows nobody yet, in a folder that is gone after."""
    folder.mkdir(parents=True)
    roster = Roster(folder, clock.boot())
    yield roster
    roster.close()
    shutil.rmtree(folder)


@dataclass
class _Gate:
    """Where kiosks enrol. `used_up`: how often a code was spent on an answer that did not arrive."""

    fair: Fair
    proxy: Proxy
    folder: Path
    used_up: int = 0
    stuck: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hub = connect(self.fair.hub.database_url)

    def close(self) -> None:
        self._hub.dispose()

    def measured(self) -> Carried:
        """How many bytes one whole enrolment is."""
        self._ask(self._code())
        return self.proxy.carried

    def enrol(self, cut: Cut) -> None:
        """Cut there, then tried again with the same code, then with a new one: each as a person would."""
        code = self._code()
        self.proxy.cut = cut
        outcomes: Sequence[str | None] = [self._ask(code)]
        self.proxy.cut = None
        if outcomes[-1] is not None:
            outcomes = [*outcomes, self._ask(code)]
        if outcomes[-1] == CodeRefused.code:
            # The person is told to ask for another one.
            self.used_up += 1
            outcomes = [*outcomes, self._ask(self._code())]
        if outcomes[-1] is not None:
            self.stuck.append(f"enrolment, {cut}: {outcomes}")

    def _ask(self, code: str) -> str | None:
        """None: enrolled. Else what the kiosk says."""
        journal = Journal(self.folder / "journal.sqlite")
        try:
            setting_up.enrol(journal, self.proxy.url, lambda: hub_client.enrol(self.proxy.url, code, APP))
        except CheckinError as error:
            return error.code
        finally:
            journal.close()
        shutil.rmtree(self.folder)
        return None

    def _code(self) -> str:
        return invite(self._hub, self.fair.institution_id, "Newcomer", datetime.now(UTC)).code
