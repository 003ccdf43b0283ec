"""Counting 50,000 check-ins: the command, the count itself, and the live page changed and unchanged against a hello."""

import re
import sys
import time
from uuid import UUID

import requests

from bench.client import Connection, Timed, for_a_while, in_turn, request
from bench.hubs import ADMIN, PASSWORD, Hub, Visited, World
from bench.ingest import CHECK_INS, batches, hand_over
from bench.processes import Failed, free_port, served
from bench.report import Report, over, percentile, rounds, say
from hub.actions import attendance
from hub.database import connect, reading
from hub.store import institutions

ROUNDS = 7
PAGES = 150
RUN_S = 1.5


def run(world: World, report: Report) -> None:
    """In a hub where everybody has checked in to one session of today."""
    visited = world.visited or _visited(world)
    _command(visited, report)
    _in_process(visited, report)
    _live_page(visited.hub, report)


def _visited(world: World) -> Visited:
    hub = world.full_hub()
    session_id = hub.new_session("The great fair")
    with hub.serve() as server:
        say(f"count: handing over {CHECK_INS} check-ins")
        hand_over(server.port, batches(server.port, hub, [session_id]))
    return Visited(hub, session_id)


def _command(visited: Visited, report: Report) -> None:
    seconds = []
    for _ in rounds("count, hub count", ROUNDS, 20):
        done = visited.hub.command("count", str(visited.session_id), "--json")
        seconds.append(done.seconds)
        if done.told["checked_in"] < 10_000:
            raise Failed(f"only {done.told['checked_in']} counted")
    report.figure("count.hub_count_command", seconds[1:], "s")


def _in_process(visited: Visited, report: Report) -> None:
    engine = connect(visited.hub.database_url)
    with reading(engine) as conn:
        institution_id: UUID = institutions.all_ids(conn)[0][0]
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        attendance.count(engine, institution_id, visited.session_id)
        times.append(1000 * (time.perf_counter() - begun))
    engine.dispose()
    report.figure("count.one_session", times[1:], "ms")


def _live_page(hub: Hub, report: Report) -> None:
    hello_port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "bench.floor.hello:app", "-b", f"127.0.0.1:{hello_port}"),
        *("-w", "1", "-k", "gthread", "--threads", "8", "--keep-alive", "20", "--log-level", "warning"),
    ]
    changed: list[Timed] = []
    unchanged: list[Timed] = []
    hello: list[Timed] = []
    with hub.serve() as server, served(command, hello_port, path="/hello"):
        headers = {"Cookie": signed_in(server.port)}
        for _ in rounds("count, live page", ROUNDS, 40):
            page = request("GET", "/live", headers)
            changed.append(in_turn(server.port, for_a_while([page] * PAGES, RUN_S), b"great fair"))
            same = request("GET", "/live", headers | {"If-None-Match": _etag(server.port, page)})
            unchanged.append(in_turn(server.port, for_a_while([same] * PAGES, RUN_S)))
            hello.append(in_turn(hello_port, for_a_while([request("GET", "/hello")] * PAGES, RUN_S), b"hello"))
    failed = sum(each.failed for each in changed + unchanged + hello)
    if failed:
        raise Failed(f"{failed} pages failed")
    p50 = {
        name: [1000 * percentile(each.seconds, 50) for each in runs[1:]]
        for name, runs in (("changed", changed), ("unchanged", unchanged), ("hello", hello))
    }
    for name, values in p50.items():
        report.figure(f"count.live_{name}_p50", values, "ms")
    report.ratio("count.live_changed", p50["changed"], "<=", 20, "ms")
    report.ratio("count.live_unchanged/hello", over(p50["unchanged"], p50["hello"]), "<=", 2)


def signed_in(port: int) -> str:
    """The cookie of somebody who has signed in."""
    with requests.Session() as browser:
        address = f"http://127.0.0.1:{port}/login"
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(address, timeout=10).text)
        form = {"email": ADMIN, "password": PASSWORD, "csrf_token": token.group(1) if token else ""}
        browser.post(address, data=form, timeout=10, allow_redirects=False)
        return "; ".join(f"{each.name}={each.value}" for each in browser.cookies)


def _etag(port: int, page: bytes) -> str:
    connection = Connection(port)
    try:
        return connection.ask(page).headers["etag"]
    finally:
        connection.close()
