"""Kiosks to measure: a data folder with an enrolled journal and a sealed roster, made without a hub."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bench import people
from bench.client import form
from bench.processes import KIOSK, Server, free_port, served
from kiosk import clock
from kiosk.store import journal as journals
from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from kiosk.store.roster import Roster
from kiosk.store.sqlite import open_database
from sync import seals
from sync.messages import Enrolled, Entry, FeedPage, Key, Person, Session, Start

HUB_ID, EPOCH, SESSION = (UUID(f"01900000-0000-7000-8000-00000000000{digit}") for digit in "abc")
ROSTER_KEY = bytes(range(32))

Seal = Callable[[int, int], tuple[Key, ...]]
"""The keys of person `number` at feed position `position`."""


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A kiosk's folder."""

    folder: Path
    session_id: UUID = SESSION

    def env(self) -> dict[str, str]:
        return {"KIOSK_DATA_DIR": str(self.folder)}

    def serve(self) -> AbstractContextManager[Server]:
        """The running desk."""
        port = free_port()
        return served([*KIOSK, "serve", "--port", str(port)], port, self.env())

    def check_in(self, number: int) -> bytes:
        """The request that checks somebody in."""
        return form(f"/sessions/{self.session_id}/check-ins", identifier=people.address(number))

    def check_in_process(self, app: Callable[..., Any], number: int) -> tuple[float, bytes]:
        """Checks somebody in at an app in this process: seconds, and the answer."""
        environ = EnvironBuilder(
            f"/sessions/{self.session_id}/check-ins",
            base_url="http://127.0.0.1",
            method="POST",
            data={"identifier": people.address(number)},
            headers=[("Accept", "application/json"), ("X-Kiosk-Client", "bench")],
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
        ).get_environ()
        begun = time.perf_counter()
        body = b"".join(run_wsgi_app(app, environ)[0])
        return time.perf_counter() - begun, body

    def journal_mode(self) -> str:
        """How this machine's kiosk journals."""
        db = open_database(self.folder / "journal.sqlite", journals.KIND)
        mode: str = db.conn.execute("PRAGMA journal_mode").fetchone()[0]
        db.conn.close()
        return mode


def new_kiosk(folder: Path, hub_port: int, count: int = people.MANY) -> Kiosk:
    """Enrolled with a hub said to be on `hub_port`, its roster full, standing at a session."""
    kiosk = empty_kiosk(folder, hub_port)
    load_roster(folder, count)
    return kiosk


def empty_kiosk(folder: Path, hub_port: int) -> Kiosk:
    """Enrolled and standing at a session, without a roster."""
    journal = Journal(folder / "journal.sqlite")
    enrolled = Enrolled(
        kiosk_id=uuid7(), token="a token", hub_id=HUB_ID, hub_key=seals.new_hub_key()[1], institution="Example"
    )
    journal.enrolled(Standing(f"http://127.0.0.1:{hub_port}", enrolled))
    journal.choose(_session())
    journal.close()
    return Kiosk(folder)


def load_roster(folder: Path, count: int, seal: Seal | None = None, page: int = 10_000) -> None:
    """Applies a feed of so many people, from its beginning, to the roster of a folder."""
    roster = Roster(folder, clock.boot())
    for each in _pages(count, seal or sealed, page):
        roster.apply(each)
    roster.close()


def sealed(number: int, position: int) -> tuple[Key, ...]:
    """Their three keys, as the hub seals them."""
    greeting = people.first_name(number)
    return tuple(
        Key(found.tag, seals.seal_greeting(found.box_key, greeting, EPOCH, position))
        for found in (seals.lookup(ROSTER_KEY, each) for each in people.identifiers(number))
    )


def stand_in(number: int, position: int) -> tuple[Key, ...]:
    """Three keys of the right size that nobody can open: for people who never come."""
    return tuple(Key(os.urandom(seals.TAG_SIZE), os.urandom(seals.PAD + 16)) for _ in range(3))


def _pages(count: int, seal: Seal, size: int) -> Iterator[FeedPage]:
    for start in range(0, count, size):
        numbers = range(start, min(start + size, count))
        entries: list[Entry] = [
            Person(position=number + 2, ref=UUID(int=number + 1), state="active", keys=seal(number, number + 2))
            for number in numbers
        ]
        if start == 0:
            entries.insert(0, _session())
        yield FeedPage(
            hub_id=HUB_ID,
            epoch=EPOCH,
            to=numbers[-1] + 2,
            more=numbers[-1] + 1 < count,
            entries=tuple(entries),
            start=Start(roster_key=ROSTER_KEY) if start == 0 else None,
        )


def _session() -> Session:
    now = datetime.now(UTC).replace(microsecond=0)
    return Session(
        position=1,
        id=SESSION,
        event_id=SESSION,
        event="Autumn fair",
        event_kind="career_fair",
        name="Autumn fair",
        starts=now - timedelta(hours=2),
        ends=now + timedelta(hours=2),
    )
