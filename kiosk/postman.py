"""The postman: a process of its own that hands over check-ins and fetches the roster, again and again.

The desk never waits for it. What it did last is written into the journal, for the screen.
"""

import fcntl
import logging
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from types import FrameType
from typing import NoReturn
from uuid import UUID

from kiosk import clock
from kiosk.actions import setting_up
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange
from kiosk.store.roster import Roster
from kiosk.store.sqlite import NotRecorded, StoreDamaged
from sync import pace
from sync.engine import Clock, Hub, Report, run_once
from sync.errors import ChainBroken, DeviceRevoked, HubUnreachable, Refused
from sync.messages import Bucket, Digests, FeedPage, Push, PushAnswer

_log = logging.getLogger(__name__)

_GIVES_WAY = 10

_QUIET = timedelta(minutes=1)
"""A kiosk with nothing to say writes down that it is well this often, and spares its card otherwise."""

_AUDITS = timedelta(hours=1)
"""The whole roster is compared with the hub's this often: what has rotted on the disk is found and fetched again."""


LONGEST_ANSWER_S = 120.0
"""A page of the roster comes in this time over the slowest line that is of any use."""


class AnotherPostman(Refused):
    """One postman for one data folder: two would send the same check-ins and load the same roster."""

    code = "another_postman"


@dataclass(frozen=True, slots=True)
class Round:
    """What one postman carries and to whom, and the clocks it reads."""

    hub: Hub
    journal: Journal
    roster: Roster
    now: Clock = clock.now


class InTime:
    """A hub that is given up when an answer takes too long, however slowly it goes on talking. For the main thread: the
    system's alarm goes off there."""

    def __init__(self, hub: Hub, longest_s: float = LONGEST_ANSWER_S) -> None:
        self._hub, self._longest_s = hub, longest_s

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        with self._in_time():
            return self._hub.push(stream_id, push)

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        with self._in_time():
            return self._hub.pull(epoch, after, mark)

    def digests(self) -> Digests:
        with self._in_time():
            return self._hub.digests()

    def bucket(self, number: int) -> Bucket:
        with self._in_time():
            return self._hub.bucket(number)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        before = signal.signal(signal.SIGALRM, _give_up)
        others = signal.setitimer(signal.ITIMER_REAL, self._longest_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *others)
            signal.signal(signal.SIGALRM, before)


def _give_up(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise HubUnreachable("it talks too slowly")


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Holds the folder for this postman. Raises `AnotherPostman`; the system lets go when the process ends."""
    path = data_dir / "postman.lock"
    with path.open("w") as lock:
        path.chmod(0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherPostman(str(data_dir)) from error
        yield


def go_once(rounds: Round) -> Report:
    """One exchange, written down in the journal."""
    before, at = rounds.journal.exchange(), rounds.now().wall
    report = run_once(rounds.hub, rounds.journal, rounds.roster, rounds.now, audit=_is_due(before, at))
    _note(rounds.journal, before, report, rounds.now().wall)
    setting_up.keep_lock(rounds.journal, rounds.roster)
    setting_up.go_where_sent(rounds.journal, rounds.roster, report.assignment)
    _tell(report)
    rounds.journal.tend()
    return report


def go_on(rounds: Round, stop: Event, mend: Callable[[], bool]) -> None:
    """Exchange after exchange until `stop` is set.

    `mend` is called when the journal turns out to be damaged: it makes it sound, or raises, and says whether it had to.
    Raises `StoreTooNew`, and `StoreDamaged` when the journal was found sound and is damaged all the same.
    """
    failures = 0
    retry_after: float | None = None
    found_sound = False
    while not stop.is_set():
        try:
            report = _go_soundly(rounds)
            failures = 0 if report.problem is None else failures + 1
            retry_after, found_sound = report.retry_after, False
        except NotRecorded as error:
            _log.warning("the disk does not take the marks: %s", error.reason)
            failures, retry_after = failures + 1, None
        except StoreDamaged:
            failures, retry_after = failures + 1, None
            mended = _mended(rounds.journal, mend)
            if mended is False and found_sound:
                raise
            # Another program may have mended it meanwhile.
            found_sound = mended is False
        chance = random.random()  # noqa: S311 - spreads kiosks in time, keeps no secret
        stop.wait(pace.delay(failures, chance, retry_after))


def _go_soundly(rounds: Round) -> Report:
    """One exchange. Raises `StoreDamaged` for damage of the journal that the exchange only reports, too."""
    met = Event()
    # The report's code may as well be about the roster's file, which is thrown away and fetched again.
    rounds.journal.when_damaged(met.set)
    report = go_once(rounds)
    if met.is_set() or report.problem == ChainBroken.code:
        raise StoreDamaged(rounds.journal.path, report.detail)
    return report


def _mended(journal: Journal, mend: Callable[[], bool]) -> bool | None:
    """Whether there was anything to mend; None: that could not be found out, for now."""
    journal.let_go()
    try:
        return mend()
    except NotRecorded as error:
        _log.warning("the journal is damaged and cannot be mended yet: %s", error.reason)
        return None


def give_way() -> None:
    """Let the desk go first on a small machine: a fresh list of everybody is seconds of work, a student is waiting."""
    os.nice(_GIVES_WAY)


def end_on_signals() -> None:
    """SIGTERM and Ctrl-C end the program at once: every write is a transaction, and what was on its way goes again."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _is_due(before: Exchange | None, at: datetime) -> bool:
    return before is None or before.audited_at is None or abs(at - before.audited_at) >= _AUDITS


def _note(journal: Journal, before: Exchange | None, report: Report, at: datetime) -> None:
    well = report.problem is None
    quiet = well and not report.sent and not report.received and not report.audited
    if quiet and before and before.problem is None and abs(at - before.at) < _QUIET:
        return
    revoked = report.problem == DeviceRevoked.code
    journal.note(
        Exchange(
            at=at,
            well_at=at if well else (before.well_at if before else None),
            problem=report.problem,
            sent_at=at if report.sent else (before.sent_at if before else None),
            audited_at=at if report.audited else (before.audited_at if before else None),
            sample=report.sample or (before.sample if before else None),
            withdrawn=revoked or (not well and before is not None and before.withdrawn),
        )
    )


def _tell(report: Report) -> None:
    if report.problem is not None:
        _log.warning("exchange failed: %s (%s); %d waiting", report.problem, report.detail, report.waiting)
    elif report.sent or report.received:
        _log.info("sent %d, received %d, %d waiting", report.sent, report.received, report.waiting)
    if report.renewed:
        _log.warning("the hub held another history under this stream's name: going on under a new one")
    if report.mended:
        _log.warning("%d parts of the roster were not the hub's and were fetched again", report.mended)
