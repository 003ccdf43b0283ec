"""Before the doors open: look at everything, and send one check-in of nobody down the whole road."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import tzinfo
from pathlib import Path
from threading import Event
from uuid import UUID

from kiosk import postman
from kiosk.actions.arrivals import Stores
from kiosk.clock import local
from kiosk.config import APP
from kiosk.rules import preflight
from kiosk.rules.clocks import ahead
from kiosk.rules.preflight import Check
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange, Remembered, Standing
from kiosk.store.sqlite import room
from sync.engine import Clock, Hub
from sync.errors import TryLater
from sync.messages import Bucket, Digests, FeedPage, Moment, Push, PushAnswer, Rehearsal, Session

PATIENCE_S = 6.0
"""Somebody stands there and waits. The postman sets out every few seconds: until then a rehearsal is under way."""
_QUICK_S = (2.0, 3.0)
_LOOK_S = 0.2

Connect = Callable[[Standing], AbstractContextManager[Hub]]
"""Reaches the hub of a standing."""


class Unfinished(TryLater):
    """The hub answers, but there is more to fetch than somebody wants to wait for: the postman goes on with it."""

    code = "unfinished"


def connect(standing: Standing) -> AbstractContextManager[Hub]:
    """The hub over HTTP, asked with less patience than the postman has."""
    from sync.hub_client import HubClient

    enrolled = standing.enrolled
    return HubClient(standing.url, enrolled.hub_id, enrolled.token, APP, _QUICK_S, standing.authority)


def examine(stores: Stores, moment: Moment, zone: tzinfo | None, problem: str | None = None) -> list[Check]:
    """Everything that must be well, as it is; changes nothing. `problem`: why the journal took no write just now."""
    journal, roster = stores.journal, stores.roster
    here, status, settings = journal.remembered(), roster.status(), roster.settings()
    exchange = here.exchange or Exchange(at=moment.wall)
    waiting, rehearsed = journal.waiting(), journal.rehearsed()
    return [
        preflight.membership(here.standing.enrolled.institution if here.standing else None, here.withdrawn),
        preflight.session(here.session, here.session is not None and _is_today(here.session, moment, zone)),
        preflight.people(status.people if status else None, exchange.well_at, moment.wall),
        preflight.cards(len(settings.card_formats) if settings and settings.institution else None),
        preflight.pin(here.lock is not None),
        preflight.clock(ahead(exchange.sample, moment)),
        preflight.disk(room(journal.path), journal.room_left()),
        preflight.journal(problem, journal.durable()),
        _records(journal),
        _hub(here, moment),
        preflight.handed_over(waiting.check_ins, waiting.others),
        preflight.rehearsal(rehearsed.at, rehearsed.at_hub, moment.wall),
    ]


def try_everything(
    stores: Stores, folder: Path, now: Clock, new_id: UUID, connect: Connect, patience_s: float = PATIENCE_S
) -> None:
    """Write something, rehearse a check-in, and hand it over now; or see whether the postman at work does so.

    How it went is then in the journal. Raises `NotRecorded` when the disk takes nothing. Never takes much longer than
    `patience_s` seconds.
    """
    stores.journal.probe()
    here = stores.journal.remembered()
    if here.standing is None:
        return
    if here.session is not None and not here.withdrawn:
        with stores.journal.writing() as page:
            page.append(Rehearsal(id=new_id, session_id=here.session.id, at=now()))
    try:
        with postman.only_one(folder), connect(here.standing) as hub:
            hurried = _Hurried(hub, now, round(patience_s * 1000))
            postman.go_once(postman.Round(hurried, stores.journal, stores.roster))
    except postman.AnotherPostman:
        _watch_postman(stores.journal, here.exchange, patience_s)


class _Hurried:
    """A hub that is not asked for more once patience has run out."""

    def __init__(self, hub: Hub, now: Clock, patience_ms: int) -> None:
        self._hub, self._now = hub, now
        self._until_ms = now().since_boot_ms + patience_ms

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        self._in_time()
        return self._hub.push(stream_id, push)

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        self._in_time()
        return self._hub.pull(epoch, after, mark)

    def digests(self) -> Digests:
        self._in_time()
        return self._hub.digests()

    def bucket(self, number: int) -> Bucket:
        self._in_time()
        return self._hub.bucket(number)

    def _in_time(self) -> None:
        if self._now().since_boot_ms > self._until_ms:
            raise Unfinished


def _watch_postman(journal: Journal, before: Exchange | None, patience_s: float) -> None:
    pause = Event()
    for _ in range(round(patience_s / _LOOK_S)):
        rehearsed, exchange = journal.rehearsed(), journal.exchange()
        if (
            rehearsed.at is None
            or rehearsed.at_hub
            or (exchange != before and exchange is not None and exchange.problem)
        ):
            return
        pause.wait(_LOOK_S)


def _records(journal: Journal) -> Check:
    told = journal.salvaged()
    salvaged = None if told is None else preflight.Salvaged(told.at, ", ".join(told.files), told.lost)
    return preflight.records(journal.marks().head_seq, journal.fault(), salvaged)


def _hub(here: Remembered, moment: Moment) -> Check:
    exchange = here.exchange
    if exchange is None:
        return preflight.hub(None, None, None, moment.wall)
    round_trip_ms = exchange.sample.round_trip_ms if exchange.sample else None
    return preflight.hub(exchange.at, exchange.problem, round_trip_ms, moment.wall)


def _is_today(session: Session, moment: Moment, zone: tzinfo | None) -> bool:
    first, today, last = (local(each, zone).date() for each in (session.starts, moment.wall, session.ends))
    return first <= today <= last
