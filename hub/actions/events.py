"""Create events and give them the formats their cards come in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine
from uuid_utils.compat import uuid7

from hub.database import reading, writing
from hub.errors import HubRefused
from hub.store import events, feed, institutions
from hub.store.events import Session
from sync.identifiers import compile_formats
from sync.messages import CardFormat

MAX_SESSIONS = 200
LONGEST_EXTERNAL_ID = 255
LONGEST_NEXT_STEP = 200
"""Characters; a desk shows it in large letters, for a few seconds."""
MOST_MINUTES = 366 * 24 * 60
FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Dates that every time zone and database can hold, and that somebody may have meant."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What an organiser says about an event; moments are aware."""

    kind: str
    name: str
    starts: datetime
    ends: datetime
    sessions: int = 1
    external_id: str | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class SessionChanges:
    """What an organiser says about a session; what is not said stays as it is.

    `next_step`: by language, the empty text for none. `settings`: of `listed`, `check_out`, `opens_before` and
    `closes_after` (minutes, or None: at any time) those that are said. `external_id`: the empty text for none.
    """

    next_step: dict[str, str] = field(default_factory=dict)
    settings: dict[str, bool | int | None] = field(default_factory=dict)
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """The event and its sessions, in order."""

    event_id: UUID
    sessions: list[Session]


def everything(engine: Engine, institution_id: UUID) -> list[Created]:
    """Every event of an institution with its sessions, the latest event first."""
    with reading(engine) as conn:
        found = events.of_institution(conn, institution_id)
    by_event = {session.event_id: [each for each in found if each.event_id == session.event_id] for session in found}
    return [Created(event_id, its) for event_id, its in reversed(by_event.items())]


def create(engine: Engine, institution_id: UUID, new: NewEvent, now: datetime) -> Created:
    """Create an event; several sessions share its time equally. Raises `HubRefused` saying what is wrong.

    The same external id again returns the event that has it, unchanged.
    """
    _check(new)
    with writing(engine) as conn:
        known = events.by_external_id(conn, institution_id, new.external_id) if new.external_id else None
        event_id = known or uuid7()
        if known is None:
            events.add(
                conn,
                {
                    "institution_id": institution_id,
                    "id": event_id,
                    "kind": new.kind,
                    "name": new.name.strip(),
                    "starts": new.starts,
                    "ends": new.ends,
                    "external_id": new.external_id,
                    "capacity": new.capacity,
                    "made_at": now,
                },
                _session_rows(institution_id, event_id, new),
            )
        its_sessions = events.of_event(conn, institution_id, event_id)
        if known is None:
            feed.touch(conn, institution_id, "session", [session.id for session in its_sessions])
        return Created(event_id, its_sessions)


def change(engine: Engine, institution_id: UUID, session_id: UUID, changes: SessionChanges) -> Session:
    """Change what desks are told about a session, or what other systems call it.

    Raises `UnknownSession`, or `HubRefused` saying what is wrong.
    """
    for text in changes.next_step.values():
        _check_next_step(text)
    for minutes in (changes.settings.get("opens_before"), changes.settings.get("closes_after")):
        if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
            raise HubRefused(f"Opening and closing are 0 to {MOST_MINUTES} minutes away, not {minutes}.")
    with writing(engine) as conn:
        before = events.there(conn, institution_id, session_id)
        steps = before.next_step | {language: text.strip() for language, text in changes.next_step.items()}
        next_step = {language: text for language, text in sorted(steps.items()) if text}
        events.change(conn, institution_id, session_id, {"next_step": next_step, **changes.settings})
        after = events.there(conn, institution_id, session_id)
        if after != before:
            feed.touch(conn, institution_id, "session", [session_id])
        if changes.external_id is not None:
            _call(conn, institution_id, after, changes.external_id.strip() or None)
        return events.there(conn, institution_id, session_id)


def _call(conn: Connection, institution_id: UUID, session: Session, external_id: str | None) -> None:
    if external_id is not None and not (external_id.isprintable() and len(external_id) <= LONGEST_EXTERNAL_ID):
        raise HubRefused(f"An external id is one line of {LONGEST_EXTERNAL_ID} characters at most.")
    if not events.call(conn, institution_id, session, external_id):
        raise HubRefused(f"Another one has the external id {external_id!r} already. `hub events list` shows them.")


def card_formats(engine: Engine, institution_id: UUID) -> tuple[CardFormat, ...]:
    """How this institution's cards read."""
    with reading(engine) as conn:
        return institutions.of(conn, institution_id).card_formats


def set_card_formats(engine: Engine, institution_id: UUID, formats: tuple[CardFormat, ...]) -> None:
    """Say how this institution's cards read, first match first. Raises `BadPattern` and then changes nothing."""
    compile_formats(formats)
    with writing(engine) as conn:
        institutions.set_card_formats(conn, institution_id, formats)
        feed.touch(conn, institution_id, "settings", [institution_id])


def _check(new: NewEvent) -> None:
    if not new.name.strip():
        raise HubRefused("An event needs a name.")
    if new.ends < new.starts:
        raise HubRefused(f"The event ends ({new.ends.isoformat()}) before it starts ({new.starts.isoformat()}).")
    if not (new.starts.year >= FIRST_YEAR and new.ends.year <= LAST_YEAR):
        raise HubRefused(f"An event lies between the years {FIRST_YEAR} and {LAST_YEAR}.")
    if not 1 <= new.sessions <= MAX_SESSIONS:
        raise HubRefused(f"An event has 1 to {MAX_SESSIONS} sessions, not {new.sessions}.")
    if new.capacity is not None and new.capacity < 0:
        raise HubRefused("A capacity is a number of people, 0 or more.")


def _check_next_step(text: str) -> None:
    if len(text.strip()) > LONGEST_NEXT_STEP:
        raise HubRefused(f"A next step has {LONGEST_NEXT_STEP} characters at most: it has to be read in passing.")
    if not text.strip().isprintable():
        raise HubRefused("A next step is one line of text.")


def _session_rows(institution_id: UUID, event_id: UUID, new: NewEvent) -> list[dict[str, object]]:
    length: timedelta = (new.ends - new.starts) / new.sessions
    return [
        {
            "institution_id": institution_id,
            "id": uuid7(),
            "event_id": event_id,
            "number": number + 1,
            "name": new.name.strip() if new.sessions == 1 else f"{new.name.strip()} · {number + 1}",
            "starts": new.starts + length * number,
            "ends": new.starts + length * (number + 1),
        }
        for number in range(new.sessions)
    ]
