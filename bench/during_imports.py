"""What others wait for while a file is checked and applied: staff on their pages, a kiosk with its check-ins."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from uuid import UUID

from bench.client import Connection, request
from bench.count import signed_in
from bench.hubs import Hub
from bench.ingest import batches
from bench.processes import Failed
from bench.report import Report, percentile, say
from hub.actions.imports import Chosen, jobs
from hub.actions.imports.place import Goal, Place
from hub.config import read
from hub.database import connect, reading
from hub.runner import Runner
from hub.store import institutions

PAGES = ("/", "/live", "/events")
PAGE_EVERY_S = 0.2
PUSH_EVERY_S = 0.25
IN_A_PUSH = 5
CHECK_INS = 5_000
QUIET_S = 5.0
AGAIN_S = 0.25
"""How long a kiosk waits that was told that the hub is busy."""


@dataclass(slots=True)
class Waits:
    """What somebody waited for who asks every so often: counted from when they wanted to ask, so that no answer that
    is late hides the ones that had to wait for it.
    """

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


@dataclass(slots=True)
class Until:
    """When to stop asking, once that is known."""

    moment: float = float("inf")


def place_of(hub: Hub) -> Place:
    """Where the imports of a hub's only institution are."""
    engine = connect(hub.database_url)
    with reading(engine) as conn:
        institution_id: UUID = institutions.all_ids(conn)[0][0]
    return Place(engine, institution_id, hub.folder / "imports")


def take_in(place: Place, file: Path) -> UUID:
    """What uploading a student file does."""
    with file.open("rb") as stream:
        chosen = Chosen(sees_students=True)
        return jobs.take_in(place, "students", None, file.name, stream, chosen, "bench", datetime.now(UTC))


def measure(name: str, hub: Hub, file: Path, report: Report) -> None:
    """Staff look at five pages a second and a kiosk pushes four times: before, while a file is checked, applied."""
    place = place_of(hub)
    import_id = take_in(place, file)
    session_id = hub.new_session("The great fair")
    with hub.serve() as server:
        cookie = {"Cookie": signed_in(server.port)}
        pages = cycle([request("GET", path, cookie) for path in PAGES])
        made = batches(server.port, hub, [session_id], CHECK_INS, IN_A_PUSH)
        pushes = iter([each.request for each in made])

        def phase(during: str, work: Callable[[], None]) -> None:
            say(f"imports, {name}: pages and pushes, {during}")
            until, begun = Until(), time.perf_counter()
            with ThreadPoolExecutor(2) as threads:
                asking = {
                    "pages": threads.submit(_ask, server.port, pages, PAGE_EVERY_S, until),
                    "pushes": threads.submit(_ask, server.port, pushes, PUSH_EVERY_S, until),
                }
                try:
                    work()
                finally:
                    until.moment = time.perf_counter()
            report.figure(f"imports.{name}_{during}", [until.moment - begun], "s")
            _tell(f"imports.{name}_{during}", {who: each.result() for who, each in asking.items()}, report)

        # Nothing is imported: what the two after it are held against.
        phase("quiet", lambda: time.sleep(QUIET_S))
        phase("checking", lambda: _carry_out(place, import_id, "check", hub))
        phase("applying", lambda: _carry_out(place, import_id, "apply", hub))
    place.engine.dispose()


def _ask(port: int, requests: Iterator[bytes], every_s: float, until: Until) -> Waits:
    """All that is due until then, the last ones later if those before them were."""
    waits = Waits()
    connection = Connection(port)
    due = time.perf_counter()
    while due < until.moment:
        # People and kiosks ask at a pace of their own, and one that was told "busy" comes again a moment later.
        time.sleep(max(0.0, due - time.perf_counter()))
        wanted = next(requests)
        while (status := connection.ask(wanted).status) == 503:
            waits.refused += 1
            time.sleep(AGAIN_S)
        if status != 200:
            raise Failed(f"an answer was {status}")
        waits.seconds.append(time.perf_counter() - due)
        due += every_s
    connection.close()
    return waits


def _carry_out(place: Place, import_id: UUID, goal: Goal, hub: Hub) -> None:
    runner = Runner(read({**os.environ, **hub.env()}))
    jobs.begin(place, import_id, goal, "bench", datetime.now(UTC), runner.start)
    runner.wait()
    state = jobs.show(place, import_id, datetime.now(UTC)).row.state
    if state not in ("checked", "applied"):
        raise Failed(f"the import is {state}")


def _tell(name: str, waits: dict[str, Waits], report: Report) -> None:
    for who, waited in waits.items():
        report.figure(f"{name}_{who}_p95", [1000 * percentile(waited.seconds, 95)], "ms")
        report.figure(f"{name}_{who}_max", [1000 * max(waited.seconds)], "ms")
    report.figure(f"{name}_pushes_refused", [waits["pushes"].refused], "pushes")
