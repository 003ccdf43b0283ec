"""The hash chain of a stream: how a gap, a change or a fork is recognised. Pure.

`hash_n = BLAKE2b-256(hash_{n-1} ‖ bytes of fact n)`, and the hash before the first fact is 32 zero bytes.
"""

from collections.abc import Iterable
from hashlib import blake2b

HASH_SIZE = 32
START = bytes(HASH_SIZE)
"""The hash before the first fact of any stream."""


def advance(previous: bytes, fact: bytes) -> bytes:
    """The 32-byte hash of the chain after `fact`, given the hash before it."""
    return blake2b(previous + fact, digest_size=HASH_SIZE).digest()


def hashes(previous: bytes, facts: Iterable[bytes]) -> list[bytes]:
    """The hash after each of `facts`, in order, starting from the hash before the first of them."""
    out = []
    for fact in facts:
        previous = advance(previous, fact)
        out.append(previous)
    return out
