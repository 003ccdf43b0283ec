"""What staff may see of the journal: its latest facts and what became of them, and how many are in. Only questions."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

import msgspec
from sqlite_utils import Database

from kiosk.store.sqlite import Garbled
from sync.messages import FACT, Fact, Moment


class Newer(msgspec.Struct, frozen=True):
    """A fact of a kind that this version does not know: a newer one was at work here."""

    id: UUID
    session_id: UUID
    at: Moment


@dataclass(frozen=True, slots=True)
class Kept:
    """A fact of this journal, as it stands now.

    `subject`: by what the journal knows the person again; None: nobody in particular. `waiting`: the hub does not hold
    it, as far as this kiosk knows. `verdict`: the hub's, once it has said one. `undone`: a later fact takes it back.
    """

    fact: Fact | Newer
    subject: str | None
    waiting: bool
    verdict: str | None
    undone: bool


_KEPT = (
    "SELECT body, iif(kind IN ('check_in', 'undo', 'check_out', 'rehearsal'), NULL, id || ' ' || session_id || ' ' ||"
    " occurred), subject, seq > (SELECT acked_seq FROM stream), verdict, id IN (SELECT id FROM undone)"
    " FROM facts WHERE "
)


def latest(db: Database, limit: int, session_id: UUID | None = None) -> list[Kept]:
    """The newest facts first, at most `limit`; with `session_id`, of that session only."""
    where, values = ("session_id = ?", [str(session_id)]) if session_id else ("1", [])
    rows = db.execute(f"{_KEPT}{where} ORDER BY seq DESC LIMIT ?", [*values, limit])
    return [_kept(row) for row in rows]


def kept(db: Database, fact_id: UUID) -> Kept | None:
    """The fact with this id, or None when this journal has none."""
    row = db.execute(f"{_KEPT}id = ?", [str(fact_id)]).fetchone()
    return None if row is None else _kept(row)


def everyone_out_by(db: Database, intent_id: UUID, session_id: UUID) -> UUID | None:
    """The check-out of everybody that an earlier sending of the same form has made."""
    row = db.execute(
        "SELECT id FROM facts WHERE intent_id = ? AND session_id = ? AND kind = 'check_out' AND subject IS NULL",
        [str(intent_id), str(session_id)],
    ).fetchone()
    return None if row is None else UUID(row[0])


def inside(db: Database, session_id: UUID) -> int:
    """How many have checked in to a session here and not out again. Somebody who was noted under an address and later
    came as a person of the roster counts as often as they are known."""
    everybody_left = db.execute(
        "SELECT coalesce(max(seq), 0) FROM facts WHERE session_id = ? AND subject IS NULL AND kind = 'check_out'"
        " AND id NOT IN (SELECT id FROM undone)",
        [str(session_id)],
    ).fetchone()[0]
    row = db.execute(
        "SELECT count(DISTINCT subject) FROM facts AS came WHERE session_id = ? AND seq > ? AND kind = 'check_in'"
        " AND id NOT IN (SELECT id FROM undone)"
        " AND NOT EXISTS (SELECT 1 FROM facts AS went WHERE went.session_id = came.session_id"
        " AND went.subject = came.subject AND went.seq > came.seq AND went.kind = 'check_out'"
        " AND went.id NOT IN (SELECT id FROM undone))",
        [str(session_id), everybody_left],
    ).fetchone()
    return int(row[0])


def _kept(row: tuple[bytes, str | None, str | None, int, str | None, int]) -> Kept:
    body, newer, subject, waiting, verdict, undone = row
    # The body decides: its kind as noted beside it may be what was damaged.
    is_known = newer is None or msgspec.json.decode(body, type=_Kind).kind in _KNOWN
    fact = FACT.decode(body) if newer is None or is_known else _newer(newer)
    return Kept(fact, subject, bool(waiting), verdict, bool(undone))


def _newer(noted: str) -> Newer:
    try:
        fact_id, session_id, occurred = noted.split(" ")
        return Newer(UUID(fact_id), UUID(session_id), Moment(datetime.fromisoformat(occurred), "", 0))
    except ValueError:
        raise Garbled("fact") from None


class _Kind(msgspec.Struct):
    kind: str


_KNOWN = {each.__struct_config__.tag for each in get_args(Fact)}
