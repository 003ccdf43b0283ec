"""Whether a journal still says what was written into it: its chain, and what is noted beside its facts. Pure.

SQLite knows of no change that leaves its pages in order; the chain knows of every one.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from sync import chain
from sync.messages import FACT, CheckIn, CheckOut, Undo


class Row(NamedTuple):
    """A fact as its table has it."""

    seq: int
    id: str
    subject: str | None
    session_id: str
    kind: str
    body: bytes
    hash: bytes
    occurred: str


class Head(NamedTuple):
    """The stream's own row: how far it goes, and how far the hub holds it."""

    stream_id: str
    head_seq: int
    head_hash: bytes
    acked_seq: int
    acked_hash: bytes


class Noted(NamedTuple):
    """What stands beside a fact for looking it up. All of it can be had again from the fact's bytes."""

    id: str
    subject: str | None
    session_id: str
    kind: str
    occurred: str


class Read(NamedTuple):
    """What a fact's bytes say: what is noted beside it, and what it takes back."""

    noted: Noted
    undoes: tuple[str, ...]


def read(body: bytes) -> Read | None:
    """None: not a fact, or one of a newer program."""
    try:
        fact = FACT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    subject = None
    if isinstance(fact, CheckIn | CheckOut):
        subject = str(fact.ref) if fact.ref else fact.tag.hex() if fact.tag is not None else None
    kind = fact.__struct_config__.tag
    noted = Noted(str(fact.id), subject, str(fact.session_id), str(kind), fact.at.wall.isoformat())
    return Read(noted, tuple(map(str, fact.undoes)) if isinstance(fact, Undo) else ())


def fault(head: Head, rows: Iterable[Row], undone: set[str]) -> str | None:
    """The first thing that is not as it was written, and where: `fact 12: chain`. None: all is as it was.

    `rows` are all the facts in order.
    """
    before, seq = chain.START, 0
    acked = chain.START if head.acked_seq == 0 else None
    taken_back: set[str] = set()
    for seq, row in enumerate(rows, 1):
        if row.seq != seq:
            return f"fact {seq}: missing"
        before = chain.advance(before, row.body)
        if before != row.hash:
            return f"fact {seq}: chain"
        said = read(row.body)
        if said is not None:
            if said.noted != (row.id, row.subject, row.session_id, row.kind, row.occurred):
                return f"fact {seq}: columns"
            taken_back.update(said.undoes)
        if seq == head.acked_seq:
            acked = before
    if (head.head_seq, head.head_hash) != (seq, before):
        return "stream: head"
    if head.acked_hash != acked:
        return "stream: acked"
    return None if undone == taken_back else "undone"
