"""A small real hub: one stream, one feed, in memory. Answers can be lost on their way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sync import chain
from sync.errors import CheckinError, Fork, Gap, HubUnreachable
from sync.messages import FACT, Bucket, CheckIn, Digests, FeedPage, Push, PushAnswer, Receipt, StreamMark
from tests.kiosk import builders as b


@dataclass
class FakeHub:
    """Implements `sync.engine.Hub` as wire.md has it; `lose` answers get lost after being processed."""

    feed: Sequence[FeedPage] = ()
    facts: list[bytes] = field(default_factory=list)
    lose: int = 0
    says: CheckinError | None = None

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        self._perhaps_refuse()
        hashes = [chain.START, *chain.hashes(chain.START, self.facts)]
        if push.from_seq > len(hashes):
            raise Gap(len(self.facts), hashes[-1])
        if push.prev_hash != hashes[push.from_seq - 1]:
            raise Fork(push.from_seq)
        del self.facts[push.from_seq - 1 :]
        self.facts += [bytes(each) for each in push.facts]
        self._perhaps_lose()
        mark = chain.hashes(chain.START, self.facts) or [chain.START]
        return PushAnswer(
            hub_id=b.HUB_ID,
            epoch=b.EPOCH,
            hub_time=datetime.now(UTC),
            stream=StreamMark(acked_seq=len(self.facts), acked_hash=mark[-1]),
            receipts=tuple(
                Receipt(seq=push.from_seq + nth, id=FACT.decode(each).id, verdict="counted")
                for nth, each in enumerate(push.facts)
            ),
        )

    def pull(self, epoch: UUID | None, after: int, mark: UUID | None) -> FeedPage | None:
        self._perhaps_refuse()
        if not self.feed:
            return None
        if epoch != self.feed[0].epoch:
            return self.feed[0]
        return next((page for page in self.feed if page.to > after), None)

    def digests(self) -> Digests:
        self._perhaps_refuse()
        return Digests(hub_id=b.HUB_ID, epoch=b.EPOCH, position=0, buckets=())

    def bucket(self, number: int) -> Bucket:
        raise HubUnreachable

    def present(self) -> set[UUID]:
        """Who is in, as far as this hub was told."""
        decoded = [FACT.decode(each) for each in self.facts]
        return {fact.ref for fact in decoded if isinstance(fact, CheckIn) and fact.ref}

    def _perhaps_refuse(self) -> None:
        if self.says is not None:
            raise self.says

    def _perhaps_lose(self) -> None:
        if self.lose:
            self.lose -= 1
            raise HubUnreachable("the answer was lost")
