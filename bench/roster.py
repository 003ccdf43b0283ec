"""A kiosk fetches 100,000 people from a real hub: seconds and bytes, and what check-ins notice of it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

from bench import people
from bench.client import Timed, for_a_while, in_turn
from bench.desks import Kiosk
from bench.hubs import Hub, World
from bench.processes import KIOSK, Done, Failed, Server, complete
from bench.report import Report, over, percentile, rounds, say
from bench.wire import Wire, counted_wire
from sync.hub_client import enrol

ROUNDS = 4
QUIET_S = 6.0
PAUSE_S = 0.02
"""Between two check-ins: a busy desk, not a load test."""


@dataclass(slots=True)
class Found:
    """What the rounds came to."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    peak_mib: list[float] = field(default_factory=list)
    before: list[Timed] = field(default_factory=list)
    during: list[Timed] = field(default_factory=list)


def run(world: World, report: Report) -> None:
    """An empty kiosk first; then, again and again, a kiosk whose roster key was rotated and that people check in at."""
    hub = world.full_hub()
    found = Found()
    with ExitStack() as stack:
        server = stack.enter_context(hub.serve())
        wire = stack.enter_context(counted_wire(server.port))
        kiosk = Kiosk(world.place("kiosk"), hub.new_session("The great fair"))
        complete([*KIOSK, "enrol", f"http://127.0.0.1:{wire.port}", hub.invite("front door")], kiosk.env())
        say("roster: the first pull, to an empty kiosk")
        first = _pull(kiosk, wire, Found())
        report.figure("roster.first_pull", [first.seconds], "s")
        desk = stack.enter_context(kiosk.serve())
        newcomers = (kiosk.check_in(number) for number in count())
        for _ in rounds("roster", ROUNDS, 100):
            _round(hub, server, kiosk, desk, wire, newcomers, found)
    _tell(found, report)


def _round(
    hub: Hub, server: Server, kiosk: Kiosk, desk: Server, wire: Wire, newcomers: Iterator[bytes], found: Found
) -> None:
    found.before.append(in_turn(desk.port, for_a_while(newcomers, QUIET_S), b'"welcome"', PAUSE_S))
    _rotate(hub, server)
    stop = threading.Event()

    def check_in() -> None:
        requests = iter(lambda: b"" if stop.is_set() else next(newcomers), b"")
        found.during.append(in_turn(desk.port, requests, b'"welcome"', PAUSE_S))

    thread = threading.Thread(target=check_in)
    thread.start()
    try:
        _pull(kiosk, wire, found)
    finally:
        stop.set()
        thread.join()


def _rotate(hub: Hub, server: Server) -> None:
    # A kiosk that is cut off takes the roster key with it: all others load everybody afresh.
    lost = enrol(f"http://127.0.0.1:{server.port}", hub.invite("lost"), "bench").kiosk_id
    hub.command("kiosks", "revoke", str(lost))


def _pull(kiosk: Kiosk, wire: Wire, found: Found) -> Done:
    before = wire.received
    done = complete([*KIOSK, "post", "--once", "--json"], kiosk.env())
    if done.told["received"] < people.MANY:
        raise Failed(f"the kiosk received {done.told['received']} entries")
    found.seconds.append(done.seconds)
    found.megabytes.append((wire.received - before) / 1e6)
    found.peak_mib.append(done.peak_mib)
    return done


def _tell(found: Found, report: Report) -> None:
    before, during = ([percentile(each.seconds, 99) for each in runs[1:]] for runs in (found.before, found.during))
    report.figure("roster.post_peak_memory", found.peak_mib[1:], "MiB")
    report.figure("roster.check_in_p99_before", [1000 * each for each in before], "ms")
    report.figure("roster.check_in_p99_while_loading", [1000 * each for each in during], "ms")
    report.ratio("roster.bytes_over_the_wire", found.megabytes[1:], "<=", 20, "MB")
    report.ratio("roster.pull_while_checking_in", found.seconds[1:], "<=", 20, "s")
    report.ratio("roster.check_in_p99_while_loading/before", over(during, before), "<=", 2)
    failed = sum(each.failed for each in [*found.before, *found.during])
    report.ratio("roster.failed_check_ins", [float(failed)], "<=", 0, "check-ins")
