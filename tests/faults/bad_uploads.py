"""Whatever is uploaded: no page fails, nothing is half imported, who had a good row is in, and every refusal says where
and why.

The product's whole web program on a database of each kind; the children that read files are real, and what carries an
import out runs here instead of in a process of its own, for the sake of a thousand files.
"""

import logging
import re
import resource
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub import create_app, migrations
from hub.accounts import add_admin
from hub.actions import events, set_up
from hub.actions.events import NewEvent
from hub.actions.imports import ReportedRow
from hub.actions.imports.carrying_out import carry_out
from hub.actions.imports.place import Goal, Place
from hub.config import read
from hub.database import connect, reading, writing
from hub.readers.limits import MEMORY
from hub.rules import attendee_file, student_file
from hub.schema import addresses, cards, imported_attendance, registrations, students
from hub.store import imports
from hub.store.imports import Import
from hub.views import sentences
from tests.faults.bad_file import DOMAIN, BadFile
from tests.faults.bad_files import FAMILIES, bad_files
from tests.faults.fair import say
from tests.faults.fuzz import on_postgresql
from tests.faults.outcome import Effort, Outcome
from tests.memory import memory

GOAL = 5_000
"""Files."""
PASSWORD = "correct horse battery staple"
_KEPT = (students, addresses, cards, registrations, imported_attendance)
_UNDONE = 7
"""Every so many of what was applied are undone again."""


def bad_uploads(effort: Effort) -> Outcome:
    """A share of the goal: half at a hub on SQLite, half on PostgreSQL, where there is one."""
    many = effort.share(GOAL, least=len(FAMILIES))
    with ExitStack() as ended:
        urls = ["", *ended.enter_context(on_postgresql("bad_uploads"))]
        pool = ended.enter_context(ProcessPoolExecutor(len(urls), mp_context=get_context("spawn")))
        bounds = [many * number // len(urls) for number in range(len(urls) + 1)]
        asked = [
            pool.submit(attempt, effort.seed, range(*between), url)
            for between, url in zip(pairwise(bounds), urls, strict=True)
        ]
        found = [each.result() for each in asked]
    return outcome_of(found)


def outcome_of(found: list["Found"]) -> Outcome:
    """One line about all of them."""
    return Outcome(
        what="bad uploads",
        tried={
            "files": sum(each.files for each in found),
            "refused": sum(each.became["refused"] for each in found),
            "applied": sum(each.became["applied"] for each in found),
            "undone": sum(each.became["undone"] for each in found),
        },
        wrong={name: sum(each.wrong[name] for each in found) for name in Found.WRONG},
        measured={"children_peak_mib": max(each.peak_mib for each in found)},
        told=tuple(line for each in found for line in each.told[:40]),
    )


def attempt(seed: int, numbers: range, url: str = "") -> "Found":
    """The files with these numbers, at a hub of their own; "" for `url`: on SQLite."""
    with (
        tempfile.TemporaryDirectory(prefix="bad-uploads-", dir=memory()) as folder,
        _office(Path(folder), url) as office,
    ):
        for bad in bad_files(Random(f"{seed} {numbers}"), numbers):
            office.upload(bad)
            if office.found.files % 250 == 0:
                say(f"  {office.found.files:,} of {len(numbers):,} uploads")
        office.found.measure()
        return office.found


@dataclass
class Found:
    """What came of the files."""

    WRONG = ("failed pages", "crashes", "partial imports", "good rows lost", "silent refusals", "greedy children")

    files: int = 0
    became: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    peak_mib: float = 0.0
    told: list[str] = field(default_factory=list)

    def tell(self, wrong: str, bad: BadFile, what: object) -> None:
        self.wrong[wrong] += 1
        self.told.append(f"{wrong}: {bad.family} ({bad.name!r}): {what}")

    def measure(self) -> None:
        self.peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        if self.peak_mib * 1024 * 1024 > MEMORY:
            self.wrong["greedy children"] += 1


@contextmanager
def _office(folder: Path, url: str) -> Iterator["_Office"]:
    config = read(
        {
            "HUB_DATA_DIR": str(folder),
            "HUB_DATABASE_URL": url or f"sqlite:///{folder / 'hub.sqlite'}",
            "HUB_SECRET_KEY": secrets.token_urlsafe(48),
        }
    )
    engine = connect(config.database_url)
    migrations.upgrade(engine)
    now = datetime.now(UTC)
    with writing(engine) as conn:
        institution = set_up.make_institution(conn, "Example University", [DOMAIN], now)
    talk = NewEvent("event", "A talk", now - timedelta(hours=2), now + timedelta(hours=2))
    events.create(engine, institution, talk, now)
    app = create_app(config, engine)
    place = Place(engine, institution, config.imports_folder)
    app.extensions["hub_runner"] = _Here(place)
    with app.app_context(), writing(engine) as conn:
        add_admin(conn, institution, "ada@example.edu", PASSWORD, now)
    with _heard() as errors:
        yield _Office(app, engine, place, errors)
    engine.dispose()


@dataclass
class _Here:
    """Carries an import out at once, in this process."""

    place: Place

    def start(self, institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        carry_out(self.place, import_id, goal, lambda: datetime.now(UTC))


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What programs say about faults of their own while this goes on."""
    heard: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield heard
    finally:
        root.removeHandler(handler)


@dataclass
class _Office:
    app: Flask
    engine: Engine
    place: Place
    errors: list[str]
    found: Found = field(default_factory=Found)

    def __post_init__(self) -> None:
        self._client: FlaskClient = self.app.test_client()
        self._form = {"csrf_token": _token(self._client.get("/login").text)}
        self._client.post("/login", data={"email": "ada@example.edu", "password": PASSWORD, **self._form})
        self._form = {"csrf_token": _token(self._client.get("/imports/new").text)}

    def upload(self, bad: BadFile) -> None:
        """Try to bring a file in, all the way as far as the pages let anybody go, and judge what came of it."""
        self.found.files += 1
        before, self.errors[:] = self._kept(), []
        form = {"kind": "attendees" if bad.attendees else "students", "file": (BytesIO(bad.data), bad.name)}
        page = self._ask(bad, "/imports/new", form)
        row = None
        if page is not None:
            self._ask(bad, page)
            self._ask(bad, f"{page}/check", {})
            self._ask(bad, page)
            row = self._row(page)
            if self._kept() != before:
                self.found.tell("partial imports", bad, "a check changed something")
            if row.state == "checked":
                row = self._apply(bad, page, row, before)
        self._judge(bad, row)
        if self.errors:
            self.found.tell("crashes", bad, self.errors[0])
        if page is not None:
            self.place.files(UUID(page.rpartition("/")[2])).remove()

    def _apply(self, bad: BadFile, page: str, checked: Import, before: tuple[int, ...]) -> Import:
        self._ask(bad, f"{page}/apply", {})
        self._ask(bad, page)
        row = self._row(page)
        if row.state != "applied" or row.result is None or checked.result is None:
            self.found.tell("partial imports", bad, f"checked, and then {row.state}: {row.result}")
            return row
        counts = [
            {name: result[name] for name in ("created", "updated", "failed")} for result in (checked.result, row.result)
        ]
        if counts[0] != counts[1]:
            self.found.tell("partial imports", bad, f"{counts[0]} were promised, {counts[1]} it was")
        if not bad.attendees and self._kept()[0] != before[0] + row.result["created"]:
            self.found.tell("partial imports", bad, f"{self._kept()[0] - before[0]} are new, not {counts[1]}")
        for address in set(bad.good) - self._there(bad.good):
            self.found.tell("good rows lost", bad, address)
        if self.found.became["applied"] % _UNDONE == 0:
            self._ask(bad, f"{page}/undo", {})
            self.found.became["undone"] += 1
            if self._kept() != before:
                self.found.tell("partial imports", bad, "undoing left something")
        return row

    def _judge(self, bad: BadFile, row: Import | None) -> None:
        applied = row is not None and row.state in ("applied", "undone")
        self.found.became["applied" if applied else "refused"] += 1
        if row is None:
            return
        if applied:
            if bad.refused:
                self.found.tell("silent refusals", bad, f"it was applied: {row.result}")
            report = self.place.files(row.id).report("apply")
            for each in () if report is None else report.rejected:
                if not _says_where_and_why(each):
                    self.found.tell("silent refusals", bad, each)
            return
        if bad.good:
            self.found.tell("good rows lost", bad, row.result)
        result: dict[str, Any] = row.result or {}
        if (
            row.state != "refused"
            or result.get("reason") not in sentences.REASONS
            or result["reason"] == "reader_failed"
        ):
            self.found.tell("silent refusals", bad, f"{row.state}: {result}")
        elif bad.place and bad.place not in result["about"]:
            self.found.tell("silent refusals", bad, f"no {bad.place}: {result}")

    def _ask(self, bad: BadFile, page: str, form: dict[str, Any] | None = None) -> str | None:
        """Where the answer leads to, if anywhere."""
        answer = self._client.get(page) if form is None else self._client.post(page, data=form | self._form)
        if answer.status_code >= 500:
            self.found.tell("failed pages", bad, f"{answer.status_code} {page}")
        return answer.headers.get("Location") if answer.status_code == 303 else None

    def _row(self, page: str) -> Import:
        with reading(self.engine) as conn:
            row = imports.one(conn, self.place.institution_id, UUID(page.rpartition("/")[2]))
        assert row is not None
        return row

    def _kept(self) -> tuple[int, ...]:
        with reading(self.engine) as conn:
            return tuple(conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in _KEPT)

    def _there(self, wanted: tuple[str, ...]) -> set[str]:
        with reading(self.engine) as conn:
            return set(conn.scalars(sa.select(addresses.c.typed).where(addresses.c.typed.in_(wanted))))


def _says_where_and_why(row: ReportedRow) -> bool:
    codes = student_file.codes.CODES.keys() | attendee_file.codes.CODES.keys()
    return (
        row.line > 0
        and bool(row.outcome.wrong)
        and all(
            each.column and each.text and each.code in codes and each.code in sentences.PROBLEMS
            for each in row.outcome.wrong
        )
    )


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "no form"
    return found[1]
