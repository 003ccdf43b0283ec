"""Register students for a session, and take that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from hub.database import writing
from hub.store import events, feed, registrations
from hub.store import students as store
from hub.store.students import Named
from sync.errors import Unreadable
from sync.identifiers import read_email

Reason = Literal["unknown", "not_a_school_address", "archived", "not_registered"]


class NotDone(msgspec.Struct, frozen=True, kw_only=True):
    """A line that names nobody to register: its number, what it says, and why."""

    line: int
    who: str
    reason: Reason


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What a list came to. `already`: students who were registered before, or whom an earlier line names."""

    session_id: UUID
    registered: int
    already: int
    failed: tuple[NotDone, ...]


class Unregistered(msgspec.Struct, frozen=True, kw_only=True):
    """How many registrations were taken back, and what names nobody who had one."""

    session_id: UUID
    unregistered: int
    failed: tuple[NotDone, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    who: str
    found: Named | Reason


def register(engine: Engine, institution_id: UUID, session_id: UUID, lines: Sequence[str], now: datetime) -> Registered:
    """Register students, named by username or school address, one a line; empty lines are passed over.

    An additional address names nobody here, even if confirmed (RULE-74). What cannot be done comes back, and the rest
    is done. Raises `UnknownSession`.
    """
    with writing(engine) as conn:
        events.there(conn, institution_id, session_id)
        found = _found(conn, institution_id, lines)
        failed = [_not_done(each, each.found) for each in found if isinstance(each.found, str)]
        failed += [
            _not_done(each, "archived") for each in found if isinstance(each.found, Named) and each.found.disabled
        ]
        named = [each.found.id for each in found if isinstance(each.found, Named) and not each.found.disabled]
        new = set(named) - registrations.of_session(conn, institution_id, session_id)
        registrations.add(conn, institution_id, session_id, new, now)
        registrations.keep(conn, institution_id, session_id, named)
        feed.touch(conn, institution_id, "person", sorted(new))
    return Registered(
        session_id=session_id,
        registered=len(new),
        already=len(named) - len(new),
        failed=tuple(sorted(failed, key=lambda each: each.line)),
    )


def unregister(engine: Engine, institution_id: UUID, session_id: UUID, lines: Sequence[str]) -> Unregistered:
    """Take registrations back; lines as in `register`. Raises `UnknownSession`."""
    with writing(engine) as conn:
        events.there(conn, institution_id, session_id)
        there = registrations.of_session(conn, institution_id, session_id)
        found = _found(conn, institution_id, lines)
        going = {each.found.id for each in found if isinstance(each.found, Named)} & there
        registrations.drop(conn, institution_id, session_id, going)
        feed.touch(conn, institution_id, "person", sorted(going))
    failed = [
        _not_done(each, each.found if isinstance(each.found, str) else "not_registered")
        for each in found
        if isinstance(each.found, str) or each.found.id not in going
    ]
    return Unregistered(session_id=session_id, unregistered=len(going), failed=tuple(failed))


def _not_done(line: _Line, reason: Reason) -> NotDone:
    return NotDone(line=line.number, who=line.who, reason=reason)


def _found(conn: Connection, institution_id: UUID, lines: Sequence[str]) -> list[_Line]:
    """Whom each line names, as far as it says anything."""
    said = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    # What no name can hold no database need see.
    by_username = store.by_username(conn, institution_id, {text for _, text in said if text.isprintable()})
    keys = {text: key for _, text in said if text not in by_username and (key := _key(text))}
    by_address = store.by_address(conn, institution_id, set(keys.values()))

    def whom(text: str) -> Named | Reason:
        if text in by_username:
            return by_username[text]
        there = by_address.get(keys.get(text, ""))
        if there is None:
            return "unknown"
        student, kind = there
        return student if kind == "school" else "not_a_school_address"

    return [_Line(number, text, whom(text)) for number, text in said]


def _key(text: str) -> str | None:
    try:
        return read_email(text).key
    except Unreadable:
        return None
