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


class Walk:
    """A look at every fact of a journal, in order.

    What is returned is the first thing that is not as it was written, and where: `fact 12: chain`. None: all is.
    """

    def __init__(self) -> None:
        self._hashes = [chain.START]
        self._taken_back: set[str] = set()

    @property
    def seq(self) -> int:
        """How many facts were looked at."""
        return len(self._hashes) - 1

    def past(self, rows: Iterable[Row]) -> str | None:
        """Looks at the next facts."""
        for seq, row in enumerate(rows, self.seq + 1):
            if row.seq != seq:
                return f"fact {seq}: missing"
            after = chain.advance(self._hashes[-1], row.body)
            if after != row.hash:
                return f"fact {seq}: chain"
            self._hashes.append(after)
            said = read(row.body)
            if said is not None:
                if said.noted != (row.id, row.subject, row.session_id, row.kind, row.occurred):
                    return f"fact {seq}: columns"
                self._taken_back.update(said.undoes)
        return None

    def ended(self, head: Head, undone: set[str]) -> str | None:
        """Whether what is kept of the whole stream belongs to the facts that were looked at."""
        if (head.head_seq, head.head_hash) != (self.seq, self._hashes[-1]):
            return "stream: head"
        if not 0 <= head.acked_seq <= self.seq or head.acked_hash != self._hashes[head.acked_seq]:
            return "stream: acked"
        return None if undone == self._taken_back else "undone"
