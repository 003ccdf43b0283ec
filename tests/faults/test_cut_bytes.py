"""A connection that ends anywhere loses nothing, and a kiosk that takes a broken answer for a good one is found out."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sync import chain
from sync.errors import HubUnreachable
from sync.hub_client import HubClient
from sync.messages import Push, PushAnswer, StreamMark
from tests.faults.cut_bytes import attempt, cut_bytes
from tests.faults.outcome import Effort

A_LITTLE = Effort(seed=1, scale=0.001)


class Optimist(HubClient):
    """Takes what it has sent for delivered."""

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        try:
            return super().push(stream_id, push)
        except HubUnreachable:
            last = [push.prev_hash, *chain.hashes(push.prev_hash, map(bytes, push.facts))][-1]
            mark = StreamMark(acked_seq=push.from_seq + len(push.facts) - 1, acked_hash=last)
            now = datetime.now(UTC)
            return PushAnswer(hub_id=self._hub_id, epoch=uuid4(), hub_time=now, stream=mark, receipts=())


def test_an_exchange_or_enrolment_that_is_cut_anywhere_loses_nothing() -> None:
    outcome = cut_bytes(A_LITTLE)

    assert outcome.well, outcome
    assert outcome.tried["exchanges"] == outcome.tried["enrolments"] == 20


def test_a_kiosk_that_believes_what_was_never_said_is_found_out() -> None:
    outcome = attempt(A_LITTLE, Optimist)

    assert outcome.wrong["marks ahead of the hub"] > 0, outcome
