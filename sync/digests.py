"""What a roster is made of, in 256 short sums, by which two sides find out where they differ. Pure.

A sum says which people and sessions are in a bucket, and at which feed position each was last changed. It does not
cover what a row says: whoever holds rows proves them by a check of their own, and leaves out what fails it.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Literal
from uuid import UUID

BUCKETS = 256
SIZE = 16

Line = tuple[Literal["person", "session"], UUID, int]
"""What it is, its id, and the position of its last change."""


def bucket_of(key: UUID) -> int:
    """In which bucket an id is. By its last byte, which is random; the first ones tell the time."""
    return key.bytes[-1]


def digests(lines: Iterable[Line], roster_key: bytes) -> tuple[bytes, ...]:
    """The sum of each bucket, whatever the order of the lines."""
    sums = [0] * BUCKETS
    for kind, key, position in lines:
        said = kind.encode() + key.bytes + position.to_bytes(8, "big")
        sums[bucket_of(key)] += int.from_bytes(blake2b(said, digest_size=SIZE, key=roster_key).digest(), "big")
    return tuple((each % 2 ** (8 * SIZE)).to_bytes(SIZE, "big") for each in sums)
