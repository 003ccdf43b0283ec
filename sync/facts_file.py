"""Facts in a file, for when they have to be carried by hand. Pure.

A text file. The first line is the header, every further one a fact; each begins with a hash in hexadecimal and ends
with a line break:

    <hash of the header> {"format":"kiosk-facts","version":1,"hub_id":…}
    <the chain's hash after this fact> {"kind":"check_in",…}

A fact is there as the bytes first written; where those would be no line of text, `=` and their base64. Nothing can be
changed, left out or moved by accident without the line being known. It is no proof of who wrote the file.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from sync import chain
from sync.errors import Unreadable
from sync.messages import Count, Hash, encode

FORMAT: Literal["kiosk-facts"] = "kiosk-facts"
VERSION = 1
LONGEST_LINE = 16 * 1024
"""Bytes, line break included: many times the longest fact."""
_HASH_DIGITS = 2 * chain.HASH_SIZE


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Whose facts these are, and where in their stream: `count` of them from `from_seq` on.

    `prev_hash` is the chain's hash before the first of them, `last_hash` the one after the last.
    """

    format: Literal["kiosk-facts"] = FORMAT
    version: Annotated[int, msgspec.Meta(ge=1)] = VERSION
    hub_id: UUID
    kiosk_id: UUID
    stream_id: UUID
    from_seq: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    prev_hash: Hash
    count: Count
    last_hash: Hash


@dataclass(frozen=True, slots=True)
class FactsFile:
    """A file that was read, and is as it was written."""

    header: Header
    facts: Sequence[bytes]


class DamagedFile(Unreadable):
    """A line that is not as it was written; `reason` is `no_facts_file`, `newer_version`, `altered`, `cut` or
    `too_long`."""

    code = "damaged_file"

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason, f"line {line}: {reason}")
        self.line = line


def lines(header: Header, facts: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file with these facts, line breaks included."""
    said = encode(header)
    yield _line(chain.advance(chain.START, said), said)
    previous = header.prev_hash
    for fact in facts:
        previous = chain.advance(previous, fact)
        yield _line(previous, fact if _is_text(fact) else b"=" + b64encode(fact))


def read(found: Iterable[bytes]) -> FactsFile:
    """The file with these lines. Raises `DamagedFile` at the first line that is not as it was written."""
    each = iter(found)
    header = _header(next(each, b""))
    facts: list[bytes] = []
    previous = header.prev_hash
    number = 1
    for number, line in enumerate(each, 2):
        said, body = _parts(line, number)
        fact = _fact(body, number)
        previous = chain.advance(previous, fact)
        if said != previous or len(facts) == header.count:
            raise DamagedFile("altered", number)
        facts.append(fact)
    if len(facts) < header.count:
        raise DamagedFile("cut", number + 1)
    if previous != header.last_hash:
        raise DamagedFile("altered", 1)
    return FactsFile(header, facts)


def _header(line: bytes) -> Header:
    try:
        said, body = _parts(line, 1)
        header = msgspec.json.decode(body, type=_Version)
    except (DamagedFile, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedFile("no_facts_file", 1) from error
    if header.version > VERSION:
        raise DamagedFile("newer_version", 1)
    try:
        if said != chain.advance(chain.START, body):
            raise DamagedFile("altered", 1)
        return msgspec.json.decode(body, type=Header)
    except msgspec.DecodeError as error:
        raise DamagedFile("altered", 1) from error


class _Version(msgspec.Struct):
    format: Literal["kiosk-facts"]
    version: int


def _line(digest: bytes, body: bytes) -> bytes:
    return b"%s %s\n" % (digest.hex().encode(), body)


def _parts(line: bytes, number: int) -> tuple[bytes, bytes]:
    if len(line) > LONGEST_LINE:
        raise DamagedFile("too_long", number)
    if not line.endswith(b"\n"):
        raise DamagedFile("cut", number)
    # An editor may have changed the line breaks, which say nothing.
    digest, space, body = line.rstrip(b"\r\n").partition(b" ")
    if len(digest) != _HASH_DIGITS or not space:
        raise DamagedFile("altered", number)
    try:
        return bytes.fromhex(digest.decode("ascii")), body
    except ValueError as error:
        raise DamagedFile("altered", number) from error


def _fact(body: bytes, number: int) -> bytes:
    if not body.startswith(b"="):
        return body
    try:
        return b64decode(body[1:], validate=True)
    except ValueError as error:
        raise DamagedFile("altered", number) from error


def _is_text(fact: bytes) -> bool:
    if not fact.startswith(b"{") or b"\n" in fact or b"\r" in fact:
        return False
    try:
        fact.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
