"""Which of the facts found in a damaged journal are the ones that were written. Pure.

The chain vouches for a fact: the hash noted after it is that of its bytes and of the hash before it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kiosk.store.soundness import Head, Noted, read
from sync import chain

_NEAR = 8
"""Bits of a noted hash that may differ from the right one: of 256, never so few by chance."""
_MENDED_AT_MOST = 1_000
_PLACED_AT_MOST = 2_000

How = Literal["proven", "mended", "unproven"]


class Found(NamedTuple):
    """A fact as it was found, whatever became of it: `hash` is the chain's after it."""

    seq: int
    noted: Noted
    intent_id: str | None
    body: bytes
    hash: bytes


class Kept(NamedTuple):
    """A fact that is carried over, with the number it had.

    `proven`: the chain vouches for its bytes. `mended`: it does since one bit of them was put right. `unproven`: what
    came before it is gone, and everything noted beside it agrees with its bytes.
    """

    seq: int
    noted: Noted
    intent_id: str | None
    body: bytes
    how: How


@dataclass(frozen=True, slots=True)
class Judged:
    """`kept`, in order; `altered`: readable, but not as written; `gaps`: first and last number of what is not kept."""

    kept: list[Kept]
    altered: list[Found]
    gaps: list[tuple[int, int]]


def judge(found: Iterable[Found], head: Head | None, loose: Iterable[Found] = ()) -> Judged:
    """Every fact once, and none that contradicts the chain. `head` None: nobody knows how far the stream went.

    Of `loose` ones nobody knows the number: the chain says where they belong, if they do.
    """
    everything = sorted(set(found), key=lambda each: each.seq)
    hashes = _hashes(everything, head)
    by_seq: dict[int, list[Found]] = defaultdict(list)
    for each in everything:
        by_seq[each.seq].append(each)
    # Two of one number may both follow from what was before: the stream is the one that leads to its head.
    heads = _leading_to(head, hashes, by_seq)
    everything.sort(key=lambda each: (each.seq, each not in heads))
    kept: dict[int, Kept] = {}
    for each in everything:
        if each.seq not in kept and _proven(each, hashes, by_seq):
            kept[each.seq] = _kept(each, each.body, "proven")
    _place(everything, loose, hashes, kept)
    _mend(everything, hashes, kept)
    ids = {each.noted.id for each in kept.values()}
    altered = []
    for each in everything:
        said = read(each.body)
        if said is not None and said.noted.id in ids:
            continue
        if each.seq in kept:
            if said is not None and _follows(each, hashes):
                altered.append(each)
            continue
        if said is not None and said.noted == each.noted and not hashes.get(each.seq - 1):
            kept[each.seq] = _kept(each, each.body, "unproven")
            ids.add(each.noted.id)
        else:
            altered.append(each)
    known = {each.body for each in everything}
    altered += [each for each in loose if each.noted.id not in ids and each.body not in known]
    return Judged([kept[seq] for seq in sorted(kept)], altered, list(_gaps(kept, hashes, head)))


def _hashes(found: Iterable[Found], head: Head | None) -> dict[int, set[bytes]]:
    """What is noted anywhere as the chain's hash after a number."""
    hashes: dict[int, set[bytes]] = defaultdict(set)
    hashes[0].add(chain.START)
    for each in found:
        hashes[each.seq].add(each.hash)
    if head is not None:
        hashes[head.head_seq].add(head.head_hash)
        hashes[head.acked_seq].add(head.acked_hash)
    return hashes


def _leading_to(head: Head | None, hashes: Mapping[int, set[bytes]], by_seq: Mapping[int, list[Found]]) -> set[Found]:
    """The facts by which the stream came to its head, back to the first that is missing."""
    heads: set[Found] = set()
    seq, after = (head.head_seq, head.head_hash) if head else (0, chain.START)
    step: tuple[Found, bytes] | None
    while (step := _step_to(after, by_seq.get(seq, ()), hashes.get(seq - 1, ()))) is not None:
        each, after = step
        heads.add(each)
        seq -= 1
    return heads


def _step_to(after: bytes, found: Iterable[Found], befores: Collection[bytes]) -> tuple[Found, bytes] | None:
    steps = ((each, before) for each in found for before in befores)
    return next((step for step in steps if chain.advance(step[1], step[0].body) == after), None)


def _follows(each: Found, hashes: Mapping[int, set[bytes]]) -> bool:
    return any(chain.advance(before, each.body) == each.hash for before in hashes.get(each.seq - 1, ()))


def _proven(each: Found, hashes: dict[int, set[bytes]], by_seq: Mapping[int, list[Found]]) -> bool:
    for before in tuple(hashes.get(each.seq - 1, ())):
        after = chain.advance(before, each.body)
        noted = hashes[each.seq]
        if after in noted:
            return True
        # The hash may be what was damaged: then it is near the right one, or the next fact goes on from the right one.
        following = by_seq.get(each.seq + 1, ())
        goes_on = any(chain.advance(after, other.body) in hashes[other.seq] for other in following)
        if goes_on or any(_distance(after, other) <= _NEAR for other in noted):
            noted.add(after)
            return True
    return False


def _place(
    found: Iterable[Found], loose: Iterable[Found], hashes: dict[int, set[bytes]], kept: dict[int, Kept]
) -> None:
    """Facts whose number is not known, or was damaged: their place is where the chain goes on with them."""
    bodies = {each.body for each in kept.values()}
    left = [each for each in found if each.seq not in kept] + [each for each in loose if each.body not in bodies]
    left = left[:_PLACED_AT_MOST]
    for seq in [seq for seq in sorted(hashes) if seq + 1 not in kept]:
        at = seq
        while at + 1 not in kept and (each := _next(hashes[at], hashes[at + 1], left)) is not None:
            at += 1
            left = [other for other in left if other.body != each.body]
            hashes[at].update(chain.advance(before, each.body) for before in hashes[at - 1])
            kept[at] = _kept(each, each.body, "proven")._replace(seq=at)


def _next(befores: Iterable[bytes], afters: Collection[bytes], left: Sequence[Found]) -> Found | None:
    for before in befores:
        for each in left:
            after = chain.advance(before, each.body)
            if after == each.hash or after in afters:
                return each
    return None


def _mend(found: Iterable[Found], hashes: Mapping[int, set[bytes]], kept: dict[int, Kept]) -> None:
    """Facts of which one bit was changed: the chain says which one it was."""
    left = [each for each in found if each.seq not in kept][:_MENDED_AT_MOST]
    for each in left:
        for before in hashes.get(each.seq - 1, ()):
            noted = hashes[each.seq]
            body = next((one for one in one_bit_off(each.body) if chain.advance(before, one) in noted), None)
            if body is not None:
                kept[each.seq] = _kept(each, body, "mended")


def one_bit_off(content: bytes) -> Iterator[bytes]:
    """Everything that differs from it in one bit."""
    tried = bytearray(content)
    for bit in range(8 * len(content)):
        tried[bit // 8] ^= 1 << bit % 8
        yield bytes(tried)
        tried[bit // 8] ^= 1 << bit % 8


def _kept(each: Found, body: bytes, how: How) -> Kept:
    said = read(body)
    # A fact of a kind this program does not know: nobody can look it up by what may be wrong here.
    return Kept(each.seq, each.noted if said is None else said.noted, each.intent_id, body, how)


def _gaps(kept: Mapping[int, Kept], hashes: Mapping[int, set[bytes]], head: Head | None) -> Iterator[tuple[int, int]]:
    last = 0
    for seq in sorted(kept):
        if seq > last + 1:
            yield last + 1, seq - 1
        last = seq
    # The head's number may be what was damaged.
    if head is not None and head.head_seq > last and head.head_hash not in hashes[last]:
        yield last + 1, head.head_seq


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
