"""A journal, a roster and a hub held in memory: small, but real. They keep the promises of their Protocols.

The cast: Ada is on the roster, Bo came twice, Cem left the school, Dita forgot her card.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from sync import chain
from sync.digests import Line, bucket_of, digests
from sync.engine import Cursor, Marks
from sync.errors import DeviceRevoked, ForeignStream, Fork, Gap, HubUnreachable, TooLarge, Unreadable
from sync.messages import (
    FACT,
    VERBATIM,
    Bucket,
    CheckIn,
    Digests,
    Entry,
    FeedPage,
    Gone,
    Key,
    Moment,
    Person,
    Push,
    PushAnswer,
    Receipt,
    Session,
    Start,
    StreamMark,
    encode,
)

HUB_ID = UUID("01900000-0000-7000-8000-0000000000b0")
OTHER_HUB = UUID("01900000-0000-7000-8000-0000000000bb")
STREAM = UUID("01900000-0000-7000-8000-000000000051")
SESSION = UUID("01900000-0000-7000-8000-0000000000e1")
EPOCH = UUID("01900000-0000-7000-8000-0000000000e0")

ADA = UUID("01900000-0000-7000-8000-00000000ada0")
BO = UUID("01900000-0000-7000-8000-0000000000b1")
CEM = UUID("01900000-0000-7000-8000-0000000000ce")
DITA = UUID("01900000-0000-7000-8000-00000000d17a")

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def clock() -> Moment:
    return Moment(wall=NOON, boot="boot-1", since_boot_ms=60_000)


def check_in(number: int, who: UUID = ADA) -> bytes:
    """The bytes of the `number`-th check-in of a desk."""
    return encode(
        CheckIn(
            id=UUID(int=(0x0190 << 112) | number),
            session_id=SESSION,
            method="email",
            at=Moment(NOON + timedelta(seconds=number), "boot-1", number * 1_000),
            roster_position=3,
            ref=who,
        )
    )


def check_ins(count: int) -> list[bytes]:
    return [check_in(number) for number in range(1, count + 1)]


def person(position: int, ref: UUID) -> Person:
    return Person(
        position=position,
        ref=ref,
        state="active",
        keys=(Key(tag=ref.bytes[-8:], greeting=b"sealed"),),
    )


def session(position: int) -> Session:
    return Session(
        position=position,
        id=SESSION,
        event_id=SESSION,
        event="Open day",
        event_kind="event",
        name="Morning",
        starts=NOON,
        ends=NOON + timedelta(hours=2),
    )


@dataclass
class MemoryJournal:
    """Facts in a list; what the hub said beside them."""

    facts: list[bytes] = field(default_factory=list)
    acked_seq: int = 0
    verdicts: dict[int, str] = field(default_factory=dict)
    streams: list[UUID] = field(default_factory=lambda: [STREAM])
    rotten: dict[int, bytes] = field(default_factory=dict)

    def marks(self) -> Marks:
        return Marks(
            self.streams[-1], len(self.facts), self.acked_seq, None if len(self.streams) == 1 else self.streams[-2]
        )

    def facts_after(self, seq: int, limit: int) -> Sequence[bytes]:
        read = [self.rotten.get(nth, fact) for nth, fact in enumerate(self.facts, 1)]
        return read[seq : seq + limit]

    def hash_at(self, seq: int) -> bytes | None:
        if not 0 <= seq <= len(self.facts):
            return None
        return [chain.START, *chain.hashes(chain.START, self.facts[:seq])][-1]

    def settle(self, mark: StreamMark, receipts: Sequence[Receipt]) -> None:
        self.acked_seq = mark.acked_seq
        for receipt in receipts:
            self.verdicts[receipt.seq] = receipt.verdict

    def start_new_stream(self) -> None:
        self.streams.append(UUID(int=self.streams[-1].int + 1))
        self.acked_seq = 0


@dataclass
class MemoryRoster:
    """People and sessions in a dict; a roster that is being loaded beside the one in use."""

    known: dict[UUID, Entry] = field(default_factory=dict)
    at: Cursor = field(default_factory=lambda: Cursor(epoch=None, position=0))
    loading: "MemoryRoster | None" = None
    wiped: int = 0
    begins_anew: bool = False

    def cursor(self) -> Cursor:
        if self.begins_anew:
            return Cursor(None, 0)
        return self.loading.cursor() if self.loading else self.at

    def apply(self, page: FeedPage) -> None:
        if page.start is not None:
            self.loading, self.begins_anew = MemoryRoster(), False
        target = self.loading or self
        for entry in page.entries:
            if isinstance(entry, Gone):
                target.known.pop(entry.key, None)
            elif isinstance(entry, Person):
                target.known[entry.ref] = entry
            elif isinstance(entry, Session):
                target.known[entry.id] = entry
        target.at = Cursor(epoch=page.epoch, position=page.to, mark=page.mark)
        if self.loading and not page.more:
            self.known, self.at, self.loading = self.loading.known, self.loading.at, None

    def digests(self) -> tuple[bytes, ...]:
        return digests(_lines(self.known.values()), bytes(32))

    def mend(self, bucket: Bucket) -> None:
        self.known = {key: entry for key, entry in self.known.items() if bucket_of(key) != bucket.number}
        self.known |= {key: entry for entry in bucket.entries for key in [_key(entry)]}

    def begin_anew(self) -> None:
        self.begins_anew = True

    def wipe(self) -> None:
        self.known, self.at, self.loading = {}, Cursor(None, 0), None
        self.wiped += 1


@dataclass
class MemoryHub:
    """A hub that keeps every promise of the wire, over a network that may not."""

    feed: list[Entry] = field(default_factory=list)
    page: int = 2
    most_facts: int = 200
    lost_answers: int = 0
    revoked: bool = False
    streams: dict[UUID, list[bytes]] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    pulls: int = 0
    fetched: list[int] = field(default_factory=list)
    foreign: set[UUID] = field(default_factory=set)
    chokes_on: bytes | None = None

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        self.pushes.append(push)
        if self.revoked:
            raise DeviceRevoked
        if len(push.facts) > self.most_facts:
            raise TooLarge
        if stream_id in self.foreign:
            raise ForeignStream
        if self.chokes_on in [bytes(fact) for fact in push.facts]:
            raise Unreadable("wrong_shape")
        held = self.streams.setdefault(stream_id, [])
        hashes = [chain.START, *chain.hashes(chain.START, held)]
        if push.from_seq - 1 > len(held):
            raise Gap(len(held), hashes[-1])
        if hashes[push.from_seq - 1] != push.prev_hash:
            raise Fork(push.from_seq - 1)
        if push.head_seq < len(held):
            raise Fork(push.head_seq + 1)
        facts = [_bytes(fact) for fact in push.facts]
        for seq, fact in enumerate(facts, push.from_seq):
            if seq <= len(held) and held[seq - 1] != fact:
                raise Fork(seq)
        held.extend(facts[len(held) - push.from_seq + 1 :])
        if self.lost_answers:
            self.lost_answers -= 1
            raise HubUnreachable("cut")
        return self.answer(stream_id, push)

    def answer(self, stream_id: UUID, push: Push) -> PushAnswer:
        held = self.streams[stream_id]
        return PushAnswer(
            hub_id=HUB_ID,
            epoch=EPOCH,
            hub_time=NOON,
            stream=StreamMark(acked_seq=len(held), acked_hash=([chain.START, *chain.hashes(chain.START, held)])[-1]),
            receipts=tuple(_receipt(seq, _bytes(fact)) for seq, fact in enumerate(push.facts, push.from_seq)),
        )

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        self.pulls += 1
        if self.revoked:
            raise DeviceRevoked
        begin = epoch != EPOCH
        newer = [entry for entry in self.feed if begin or entry.position > after]
        if not newer and not begin:
            return None
        entries = tuple(newer[: self.page])
        return FeedPage(
            hub_id=HUB_ID,
            epoch=EPOCH,
            to=entries[-1].position if entries else 0,
            more=len(newer) > self.page,
            entries=entries,
            start=Start(roster_key=bytes(32)) if begin else None,
        )

    def digests(self) -> Digests:
        position = self.feed[-1].position if self.feed else 0
        buckets = digests(_lines(self.feed), bytes(32))
        return Digests(hub_id=HUB_ID, epoch=EPOCH, position=position, buckets=buckets)

    def bucket(self, number: int) -> Bucket:
        self.fetched.append(number)
        position = self.feed[-1].position if self.feed else 0
        entries = tuple(entry for entry in self.feed if _in_digests(entry) and bucket_of(_key(entry)) == number)
        return Bucket(hub_id=HUB_ID, epoch=EPOCH, position=position, number=number, entries=entries)


def _bytes(fact: msgspec.Raw) -> bytes:
    try:
        return VERBATIM.decode(fact).bytes
    except msgspec.ValidationError:
        return bytes(fact)


def _in_digests(entry: Entry) -> bool:
    return isinstance(entry, Person | Session)


def _key(entry: Entry) -> UUID:
    assert isinstance(entry, Person | Session)
    return entry.ref if isinstance(entry, Person) else entry.id


def _lines(entries: Iterable[Entry]) -> Iterator[Line]:
    for entry in entries:
        if _in_digests(entry):
            yield "person" if isinstance(entry, Person) else "session", _key(entry), entry.position


def _receipt(seq: int, fact: bytes) -> Receipt:
    try:
        return Receipt(seq=seq, id=FACT.decode(fact).id, verdict="counted")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Receipt(seq=seq, id=None, verdict="set_aside")


@dataclass
class ScriptedHub:
    """Gives the answers it was told to, round and round, and counts how often it was asked."""

    to_push: Sequence[Callable[[], PushAnswer]]
    to_pull: Sequence[Callable[[], FeedPage | None]]
    pushed: int = 0
    pulled: int = 0

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        self.pushed += 1
        return self.to_push[(self.pushed - 1) % len(self.to_push)]()

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        self.pulled += 1
        return self.to_pull[(self.pulled - 1) % len(self.to_pull)]()

    def digests(self) -> Digests:
        raise HubUnreachable

    def bucket(self, number: int) -> Bucket:
        raise HubUnreachable
