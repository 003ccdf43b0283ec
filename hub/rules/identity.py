"""Under which id a student is known to kiosks. Pure."""

from hashlib import blake2b
from uuid import UUID


def student_id(private_key: bytes, username: str, holders: int = 0) -> UUID:
    """The id of the student with this username, the same whenever it is asked for: a student whom a restored backup
    does not know is, once imported again, who they were to every kiosk and in every fact.

    `holders`: how many have had the username before and kept the id when theirs was changed. Without the institution's
    private key an id says nothing (RFC 9562, version 8).
    """
    made_of = username.encode() + b"\0" * holders
    digest = bytearray(blake2b(made_of, digest_size=16, key=private_key, person=b"student id").digest())
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return UUID(bytes=bytes(digest))
