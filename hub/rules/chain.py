"""Whether a push follows what the hub holds. Pure.

The hub holds the stream up to some number, and its hash there. A push may start right after it, or earlier (a repeat:
the overlap must be the same, byte for byte), but never later, and never with another history.
"""

from collections.abc import Callable, Sequence

from sync.chain import hashes
from sync.errors import Fork, Gap
from sync.messages import Push


def new_hashes(push: Push, acked_seq: int, acked_hash: bytes, held_hash: Callable[[int], bytes | None]) -> list[bytes]:
    """The chain's hash after each fact of the push, the repeated ones included.

    `held_hash(seq)` is what the hub holds at a number up to `acked_seq` (`chain.START` at 0). Raises `Gap` when facts
    are missing between, `Fork` when the push tells another history or its kiosk has gone back in time.
    """
    before = push.from_seq - 1
    if before > acked_seq:
        raise Gap(acked_seq, acked_hash)
    if held_hash(before) != push.prev_hash:
        raise Fork(before)
    if push.head_seq < acked_seq:
        raise Fork(push.head_seq + 1)
    chain = hashes(push.prev_hash, (bytes(fact) for fact in push.facts))
    _same_overlap(chain, push.from_seq, acked_seq, held_hash)
    return chain


def _same_overlap(
    chain: Sequence[bytes], from_seq: int, acked_seq: int, held_hash: Callable[[int], bytes | None]
) -> None:
    for seq, ours in enumerate(chain, from_seq):
        if seq > acked_seq:
            return
        if held_hash(seq) != ours:
            raise Fork(seq)
