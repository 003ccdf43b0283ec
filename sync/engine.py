"""One exchange: hand over what waits, then catch up. Pure but for the two things it speaks to.

The hub's word decides what is stored there, in both directions: a mark may go back, and then the facts after it are
sent again. Where the hub holds another history under this stream's name (this disk was copied, or set back), the kiosk
goes on under a new name and hands everything over again, which the hub knows by the facts' ids. Nothing in here, and no
answer, ever deletes a fact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from sync import PROTO, chain
from sync.errors import (
    ChainBroken,
    CheckinError,
    DeviceRevoked,
    ForeignStream,
    Fork,
    Gap,
    HubMismatch,
    TooLarge,
    TryLater,
    Unreadable,
)
from sync.messages import (
    MAX_FACTS,
    Assignment,
    Bucket,
    Digests,
    FeedPage,
    Moment,
    Push,
    PushAnswer,
    Receipt,
    StreamMark,
    Verbatim,
    encode,
)

MAX_PAGES = 1_000
"""Feed pages in one exchange; the next one goes on from there, after handing over what came in."""

MOST_BUCKETS = 16
"""Of a roster that differs in more of them, everything is fetched again: that is less work for both."""

LONGEST_ROUND_MS = 10_000
"""A clock that is compared over a slower answer than this says too little."""

Clock = Callable[[], Moment]
"""Reads the device's clocks; called before and after each push."""


@dataclass(frozen=True, slots=True)
class ClockSample:
    """The hub's time at a moment of this device, and how long the answer that told it took."""

    hub_time: datetime
    moment: Moment
    round_trip_ms: int


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a stream stands: made up to `head_seq`, known to be at the hub up to `acked_seq`. `parent`: the stream it
    goes on from, if it began as another."""

    stream_id: UUID
    head_seq: int
    acked_seq: int
    parent: UUID | None = None

    @property
    def waiting(self) -> int:
        return self.head_seq - self.acked_seq


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a roster has caught up. No epoch: it has to begin. `mark`: the change of the hub's that it stands at, if
    that is known."""

    epoch: UUID | None
    position: int
    mark: UUID | None = None


class Hub(Protocol):
    """The hub, however it is reached. Every method raises from `sync.errors`."""

    def push(self, stream_id: UUID, push: Push) -> PushAnswer: ...

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None: ...

    def digests(self) -> Digests: ...

    def bucket(self, number: int) -> Bucket: ...


class Journal(Protocol):
    """The facts of this kiosk."""

    def marks(self) -> Marks: ...

    def facts_after(self, seq: int, limit: int) -> Sequence[bytes]:
        """The bytes of facts seq + 1, seq + 2, … as first written; at most `limit`."""

    def hash_at(self, seq: int) -> bytes | None:
        """The chain's hash after fact `seq` (`chain.START` at 0), or None when this journal has no such fact."""

    def settle(self, mark: StreamMark, receipts: Sequence[Receipt]) -> None:
        """Take over the hub's mark, even when it is lower than ours, and its verdicts."""

    def start_new_stream(self) -> None:
        """Go on under another name: the same facts, in the same order, none of them known to be at the hub."""


class Roster(Protocol):
    """The people and sessions this kiosk knows."""

    def cursor(self) -> Cursor:
        """Where to go on: in the roster that is being loaded if there is one, else in the one in use."""

    def apply(self, page: FeedPage) -> None:
        """The page's entries and the cursor after them, both or neither. A page with `start` begins a new roster,
        which takes the place of the old one when its last page is in."""

    def digests(self) -> tuple[bytes, ...]:
        """What the roster in use is made of, by its own rows; a row that has rotted counts as not there."""

    def mend(self, bucket: Bucket) -> None:
        """Put everything of a bucket in the place of what is in it now."""

    def begin_anew(self) -> None:
        """Ask for everything from the start; until it has come, what is there serves."""

    def wipe(self) -> None:
        """Forget everybody: this kiosk was cut off."""


@dataclass(slots=True)
class Report:
    """How an exchange went. `problem` is None or a stable code; what was done before it stays done.

    `sample` compares the clocks, `assignment` is the session the office wants here; each None when nothing was said.
    `renewed`: the stream goes on under a new name. `audited`: the roster was compared with the hub's, and is the same;
    `mended`: so many of its buckets had to be fetched again for that.
    """

    sent: int = 0
    acked: int = 0
    waiting: int = 0
    received: int = 0
    problem: str | None = None
    detail: str = ""
    retry_after: float | None = None
    sample: ClockSample | None = None
    assignment: Assignment | None = None
    renewed: bool = False
    audited: bool = False
    mended: int = 0


def run_once(hub: Hub, journal: Journal, roster: Roster, clock: Clock, *, audit: bool = False) -> Report:
    """Hand over every waiting fact, then catch up with the feed; with `audit`, compare the whole roster with the hub's.
    Always ends; never raises from `sync.errors`."""
    report = Report()
    try:
        try:
            _hand_over(hub, journal, clock, report)
        except (Fork, ForeignStream, TooLarge, Unreadable, ChainBroken) as error:
            # Something wrong with this stream is no reason to go without a fresh list of people.
            _note(report, error)
        _catch_up(hub, roster, report)
        if audit:
            _audit(hub, roster, report)
    except DeviceRevoked as error:
        _note(report, error)
        _forget(roster, report)
    except CheckinError as error:
        _note(report, error)
    report.waiting = journal.marks().waiting
    return report


def _hand_over(hub: Hub, journal: Journal, clock: Clock, report: Report) -> None:
    limit = MAX_FACTS
    went_back = verbatim = False
    while True:
        marks = journal.marks()
        push = _next_push(journal, marks, limit, clock(), verbatim)
        try:
            answer = hub.push(marks.stream_id, push)
        except (TooLarge, Unreadable) as error:
            if len(push.facts) > 1:
                limit = len(push.facts) // 2
            elif push.facts and isinstance(error, Unreadable) and not verbatim:
                # This one alone spoils the others' way: the hub gets its bytes, and need not understand them.
                verbatim = True
            else:
                raise
            continue
        except (Gap, Fork, ForeignStream) as error:
            if isinstance(error, Gap) and journal.hash_at(error.acked_seq) == error.acked_hash:
                # A hub that was restored from a backup holds less than it once did: its number is the truth.
                if went_back:
                    raise
                went_back = True
                journal.settle(StreamMark(acked_seq=error.acked_seq, acked_hash=error.acked_hash), ())
            elif report.renewed:
                raise
            else:
                report.renewed = True
                journal.start_new_stream()
            continue
        if verbatim:
            limit, verbatim = MAX_FACTS, False
        report.sent += len(push.facts)
        report.sample = _sample(push.clock, clock(), answer.hub_time) or report.sample
        report.assignment = answer.assignment
        _believe(journal, answer.stream, answer.receipts)
        report.acked += len(answer.receipts)
        if answer.stream.acked_seq < marks.acked_seq + len(push.facts):
            raise HubMismatch("the hub took less than it was given")
        if answer.stream.acked_seq >= journal.marks().head_seq:
            return


def _next_push(journal: Journal, marks: Marks, limit: int, now: Moment, verbatim: bool) -> Push:
    """The facts after the hub's mark, if they are still the ones that were written. Raises `ChainBroken`."""
    before = journal.hash_at(marks.acked_seq)
    if before is None:
        raise ChainBroken(f"no hash at {marks.acked_seq}")
    facts = journal.facts_after(marks.acked_seq, limit)
    if marks.waiting and not facts:
        raise ChainBroken(f"no fact after {marks.acked_seq}")
    hashes = chain.hashes(before, facts)
    if facts and journal.hash_at(marks.acked_seq + len(facts)) != hashes[-1]:
        raise ChainBroken(f"a fact after {marks.acked_seq} has changed")
    return Push(
        proto=PROTO,
        from_seq=marks.acked_seq + 1,
        prev_hash=before,
        head_seq=marks.head_seq,
        clock=now,
        facts=tuple(msgspec.Raw(_as_verbatim(fact) if verbatim or not _is_json(fact) else fact) for fact in facts),
        parent=marks.parent,
    )


def _is_json(fact: bytes) -> bool:
    try:
        msgspec.json.decode(fact)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _as_verbatim(fact: bytes) -> bytes:
    return encode(Verbatim(bytes=fact))


def _sample(began: Moment, ended: Moment, hub_time: datetime) -> ClockSample | None:
    took = ended.since_boot_ms - began.since_boot_ms
    if began.boot != ended.boot or not 0 <= took <= LONGEST_ROUND_MS:
        return None
    # Half of the way there, half of it back: the best guess of when the hub looked at its clock.
    return ClockSample(hub_time + timedelta(milliseconds=took / 2), ended, took)


def _believe(journal: Journal, mark: StreamMark, receipts: Sequence[Receipt]) -> None:
    if journal.hash_at(mark.acked_seq) != mark.acked_hash:
        raise HubMismatch(f"the hub's hash at {mark.acked_seq} is not ours")
    journal.settle(mark, receipts)


def _catch_up(hub: Hub, roster: Roster, report: Report) -> None:
    begun = False
    for _ in range(MAX_PAGES):
        cursor = roster.cursor()
        page = hub.pull(cursor.epoch, cursor.position, cursor.mark)
        if page is None:
            return
        if page.start is None and (page.epoch != cursor.epoch or page.to < cursor.position):
            raise HubMismatch("a feed page that does not follow ours")
        if page.start is not None and begun:
            raise HubMismatch("a feed that began twice")
        stuck = page.start is None and page.to == cursor.position
        if page.more and (stuck or not page.entries):
            raise HubMismatch("a feed page that leads nowhere")
        begun = begun or page.start is not None
        roster.apply(page)
        report.received += len(page.entries)
        if not page.more:
            return


def _audit(hub: Hub, roster: Roster, report: Report) -> None:
    """Find what has rotted or never came, by our own rows, and fetch it again."""
    differing = _differing(hub, roster)
    if differing is not None and len(differing) > MOST_BUCKETS:
        roster.begin_anew()
        raise HubMismatch("a roster that has little in common with the hub's")
    for number in differing or ():
        bucket = hub.bucket(number)
        if not _is_here(roster, bucket):
            return
        roster.mend(bucket)
        report.mended += 1
    if report.mended:
        differing = _differing(hub, roster)
    if differing:
        roster.begin_anew()
        raise HubMismatch("a roster that is not the hub's, even after it was mended")
    # None: the hub has gone on meanwhile, and is asked another time.
    report.audited = differing is not None


def _differing(hub: Hub, roster: Roster) -> list[int] | None:
    """The buckets in which our rows are not what the hub says. None: it speaks of another state than ours."""
    said = hub.digests()
    if not _is_here(roster, said):
        return None
    ours = roster.digests()
    if len(ours) != len(said.buckets):
        raise HubMismatch("digests of another kind")
    return [number for number, (mine, hubs) in enumerate(zip(ours, said.buckets, strict=True)) if mine != hubs]


def _is_here(roster: Roster, said: Digests | Bucket) -> bool:
    cursor = roster.cursor()
    return (said.epoch, said.position) == (cursor.epoch, cursor.position)


def _forget(roster: Roster, report: Report) -> None:
    try:
        roster.wipe()
    except CheckinError as error:
        # Said again with every exchange from now on, and tried again each time.
        report.detail = f"the roster could not be wiped: {error.code}"


def _note(report: Report, error: CheckinError) -> None:
    if report.problem is not None:
        return
    report.problem = error.code
    report.detail = error.detail
    report.retry_after = error.retry_after if isinstance(error, TryLater) else None
