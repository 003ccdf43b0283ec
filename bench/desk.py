"""One check-in at a kiosk that knows 100,000 people, against a bare view and a hello on the same server."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from bench import people
from bench.client import Timed, at_once, for_a_while, in_turn, request
from bench.desks import Kiosk, new_kiosk
from bench.floor import bare_view
from bench.hubs import World
from bench.processes import KIOSK, beside, free_port, served
from bench.report import Report, over, percentile, rounds, say
from bench.silent_hub import SilentHub, silent_hub

ROUNDS = 7
ONE_BY_ONE = 400
CLIENTS, EACH = 8, 120
IN_PROCESS = 300
RUN_S = 1.5
"""No single run takes longer: on a slow disk it has fewer requests."""

WELCOME = b'"welcome"'
HELLO = request("GET", "/hello")


@dataclass(frozen=True, slots=True)
class Bench:
    """The two servers that take turns, and the people who have not come yet."""

    kiosk: Kiosk
    port: int
    bare_port: int
    newcomers: Iterator[int]
    hub: SilentHub

    def next(self, number: int) -> list[bytes]:
        return [self.kiosk.check_in(each) for each in islice(self.newcomers, number)]


def run(world: World, report: Report) -> None:
    """Sequential and with eight clients over HTTP, while the hub hangs, then in process."""
    newcomers = count()
    with silent_hub() as hub:
        say("desk: sealing and storing a roster of 100,000 people")
        kiosk = new_kiosk(world.place("kiosk"), hub.port)
        bare = world.place("bare.sqlite")
        bare_view.make_file(bare, ((people.address(number), number) for number in range(people.MANY)))
        mode = kiosk.journal_mode()
        with ExitStack() as stack:
            server = stack.enter_context(kiosk.serve())
            bare_port = free_port()
            command = [sys.executable, "-m", "bench.floor.bare_view", str(bare), mode, str(bare_port)]
            stack.enter_context(served(command, bare_port, path="/hello"))
            bench = Bench(kiosk, server.port, bare_port, newcomers, hub)
            failed = _one_by_one(bench, report)
            failed += _together(bench, report)
        report.ratio("desk.failed_check_ins", [float(failed)], "<=", 0, "check-ins")
        _in_process(bench, bare, mode, report)


def _one_by_one(bench: Bench, report: Report) -> int:
    first: list[Timed] = []
    again: list[Timed] = []
    bare: list[Timed] = []
    hello: list[Timed] = []
    hung: list[Timed] = []
    for _ in rounds("desk, one by one", ROUNDS, 90):
        requests = bench.next(ONE_BY_ONE)
        first.append(in_turn(bench.port, for_a_while(requests, RUN_S), WELCOME))
        came = requests[: len(first[-1].seconds)]
        again.append(in_turn(bench.port, for_a_while(came, RUN_S), b'"already_in"'))
        bare.append(in_turn(bench.bare_port, for_a_while(requests, RUN_S), WELCOME))
        hello.append(in_turn(bench.bare_port, for_a_while([HELLO] * ONE_BY_ONE, RUN_S), b"hello"))
        with _postman(bench):
            hung.append(in_turn(bench.port, for_a_while(bench.next(ONE_BY_ONE), RUN_S), WELCOME))
    kinds: dict[str, list[Timed]] = {
        "check_in": first,
        "repeat": again,
        "bare_view": bare,
        "hello": hello,
        "check_in_hub_hangs": hung,
    }
    for name, runs in kinds.items():
        for percent in (50, 95, 99):
            report.figure(f"desk.{name}_p{percent}", [1000 * each for each in _warm(runs, percent)], "ms")
    report.ratio("desk.check_in_p99/hello_p99", over(_warm(first, 99), _warm(hello, 99)), "<=", 4)
    report.figure("desk.check_in_p99/bare_view_p99", over(_warm(first, 99), _warm(bare, 99)), "x")
    report.ratio("desk.check_in_p99_hub_hangs/quiet", over(_warm(hung, 99), _warm(first, 99)), "<=", 2)
    report.ratio("desk.repeat_p50/first_p50", over(_warm(again, 50), _warm(first, 50)), "<=", 1)
    return sum(each.failed for each in [*first, *again, *hung])


def _together(bench: Bench, report: Report) -> int:
    ours, bare = [], []
    with _postman(bench):
        for _ in rounds(f"desk, {CLIENTS} clients", ROUNDS, 40):
            clients = [bench.next(EACH) for _ in range(CLIENTS)]
            ours.append(at_once(bench.port, clients, RUN_S, WELCOME))
            bare.append(at_once(bench.bare_port, clients, RUN_S, WELCOME))
    for name, runs in (("check_ins", ours), ("bare_view", bare)):
        report.figure(f"desk.{name}_per_s_{CLIENTS}_clients", [each.per_second for each in runs[1:]], "/s")
        report.figure(f"desk.{name}_p99_{CLIENTS}_clients", [1000 * each for each in _warm(runs, 99)], "ms")
    rates = over([each.per_second for each in ours[1:]], [each.per_second for each in bare[1:]])
    report.ratio("desk.check_ins_per_s/bare_view", rates, ">=", 0.5)
    return sum(each.failed for each in ours)


def _in_process(bench: Bench, bare: Path, mode: str, report: Report) -> None:
    from kiosk import create_app
    from kiosk.config import Config

    ours = create_app(Config(data_dir=bench.kiosk.folder))
    theirs = bare_view.bare_app(bare, mode)
    mine, other = [], []
    for _ in rounds("desk, in process", ROUNDS, 20):
        numbers = list(islice(bench.newcomers, IN_PROCESS))
        mine.append(_median_call(ours, bench.kiosk, numbers))
        other.append(_median_call(theirs, bench.kiosk, numbers))
    report.figure("desk.check_in_in_process", [1e6 * each for each in mine[1:]], "us")
    report.figure("desk.bare_view_in_process", [1e6 * each for each in other[1:]], "us")
    report.ratio("desk.check_in_in_process/bare_view", over(mine[1:], other[1:]), "<=", 2)


def _median_call(app: Callable[..., Any], kiosk: Kiosk, numbers: Sequence[int]) -> float:
    times = []
    for number in numbers:
        seconds, body = kiosk.check_in_process(app, number)
        times.append(seconds)
        if WELCOME not in body:
            raise ValueError(f"no welcome in process: {body[:100]!r}")
        if sum(times) > RUN_S:
            break
    return percentile(times, 50)


@contextmanager
def _postman(bench: Bench) -> Iterator[None]:
    """A postman at work who waits for an answer that never comes."""
    bench.hub.called.clear()
    with beside([*KIOSK, "post"], bench.kiosk.env()):
        if not bench.hub.called.wait(30):
            raise TimeoutError("the postman never called the hub")
        yield


def _warm(runs: Sequence[Timed], percent: float) -> list[float]:
    # The first round warms both sides up.
    return [percentile(each.seconds, percent) for each in runs[1:]]
