"""Give a kiosk what changed since it last asked, sealed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from threading import Lock
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from hub.database import reading
from hub.rules import directory
from hub.store import domains, events, feed, institutions, roster
from hub.store.feed import Line
from hub.store.institutions import DeskSecret, Institution
from hub.store.kiosks import Kiosk
from sync.digests import digests
from sync.directory import write
from sync.messages import (
    PAGE,
    Bucket,
    DeskLock,
    Digests,
    Entry,
    EventKind,
    FeedPage,
    Gone,
    Key,
    Person,
    Session,
    Settings,
    Start,
    encode,
)
from sync.seals import lookup, seal_directory_line, seal_greeting, wrap_key

PAGE_BYTES = 4 * 2**20
"""A page ends before it is longer: a kiosk reads twice as much of an answer and no more."""


def page_after(
    engine: Engine, hub_id: UUID, kiosk: Kiosk, epoch: UUID | None, after: int, mark: UUID | None = None
) -> FeedPage | None:
    """The next entries after a position of the kiosk's feed, or None when there is nothing new.

    A kiosk of another epoch, or one whose position this hub has not given out, or not under that `mark` (the hub was
    restored from a backup since), starts from the beginning. A kiosk that says no mark is taken at its word.
    """
    with reading(engine) as conn:
        institution = institutions.of(conn, kiosk.institution_id)
        fresh = epoch != institution.epoch or after > institution.feed_position
        fresh = fresh or (mark is not None and mark != feed.mark_at(conn, institution.id, after))
        if fresh:
            after = 0
        elif after == institution.feed_position:
            return None
        lines = feed.after(conn, institution.id, after, PAGE + 1)
        entries = _as_fit(_entries(conn, institution, lines[:PAGE]))
        more = len(lines) > len(entries)
        to = entries[-1].position if more else institution.feed_position
        return FeedPage(
            hub_id=hub_id,
            epoch=institution.epoch,
            to=to,
            more=more,
            entries=entries,
            start=Start(roster_key=institution.roster_key) if fresh else None,
            mark=feed.mark_at(conn, institution.id, to),
        )


def digested(engine: Engine, hub_id: UUID, kiosk: Kiosk) -> Digests:
    """What a roster that has caught up is made of."""
    with reading(engine) as conn:
        institution = institutions.of(conn, kiosk.institution_id)
        return Digests(
            hub_id=hub_id,
            epoch=institution.epoch,
            position=institution.feed_position,
            buckets=_sums(conn, institution),
        )


def _sums(conn: Connection, institution: Institution) -> tuple[bytes, ...]:
    mark = feed.mark_at(conn, institution.id, institution.feed_position)
    standing = (institution.id, institution.epoch, institution.feed_position, mark)
    with _summing:
        found = _summed.get(standing)
        if found is None:
            lines = feed.here(conn, institution.id)
            found = digests(((_what(line), line.key, line.position) for line in lines), institution.roster_key)
            _summed[standing] = found
            if len(_summed) > _MOST_SUMMED:
                _summed.pop(next(iter(_summed)))
    return found


# Every kiosk asks for the same sums, and they take a second where there are many people. Nothing changes them but what
# gives out a position, under a mark.
_summed: dict[tuple[UUID, UUID, int, UUID | None], tuple[bytes, ...]] = {}
_summing = Lock()
_MOST_SUMMED = 16


def bucket(engine: Engine, hub_id: UUID, kiosk: Kiosk, number: int) -> Bucket:
    """Everything that is in one bucket of a roster that has caught up."""
    with reading(engine) as conn:
        institution = institutions.of(conn, kiosk.institution_id)
        lines = feed.in_bucket(conn, institution.id, number)
        return Bucket(
            hub_id=hub_id,
            epoch=institution.epoch,
            position=institution.feed_position,
            number=number,
            entries=tuple(_entries(conn, institution, lines)),
        )


def _as_fit(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The first of them, as many as a page holds; one at least, or a kiosk would never get further."""
    sizes = accumulate(len(encode(entry)) for entry in entries)
    return tuple(entry for entry, size in zip(entries, sizes, strict=True) if size <= PAGE_BYTES) or tuple(entries[:1])


def _what(line: Line) -> Literal["person", "session"]:
    return "session" if line.kind == "session" else "person"


def _entries(conn: Connection, institution: Institution, lines: Sequence[Line]) -> list[Entry]:
    here = [line for line in lines if not line.gone]
    people = roster.people(conn, institution.id, [line.key for line in here if line.kind == "person"])
    sessions = {
        session.id: session
        for session in events.some(conn, institution.id, [line.key for line in here if line.kind == "session"])
    }
    entries: list[Entry] = []
    for line in lines:
        if line.kind == "settings":
            entries.append(_settings(institution, domains.of(conn, institution.id), line.position))
        elif line.kind == "person" and line.key in people:
            entries.append(_person(institution, people[line.key], line.position))
        elif line.kind == "session" and line.key in sessions:
            entries.append(_session(sessions[line.key], line.position))
        else:
            entries.append(Gone(position=line.position, what=_what(line), key=line.key))
    return entries


def _settings(institution: Institution, mail_domains: tuple[str, ...], position: int) -> Settings:
    return Settings(
        position=position,
        institution=institution.name,
        card_formats=institution.card_formats,
        domains=mail_domains,
        desk_lock=None if institution.desk is None else _lock(institution.desk),
    )


def _lock(desk: DeskSecret) -> DeskLock:
    return DeskLock(salt=desk.salt, cost=desk.cost, wrapped_key=wrap_key(desk.key, desk.directory_key))


def _person(institution: Institution, person: roster.Person, position: int) -> Person:
    keys = []
    for identifier in person.identifiers:
        tag, box_key = lookup(institution.roster_key, identifier)
        keys.append(Key(tag, seal_greeting(box_key, person.greeting, institution.epoch, position)))
    return Person(
        position=position,
        ref=person.id,
        state="disabled" if person.disabled else "active",
        keys=tuple(keys),
        directory=_sealed_line(institution, person, position),
        registered=person.registered,
    )


def _sealed_line(institution: Institution, person: roster.Person, position: int) -> bytes | None:
    if institution.desk is None:
        return None
    line = directory.line(
        person.first_name,
        person.last_name,
        person.middle_name,
        person.preferred_name,
        person.school_year_name,
        person.main_address,
    )
    return seal_directory_line(institution.desk.directory_key, write(line), institution.epoch, position)


def _session(session: events.Session, position: int) -> Session:
    return Session(
        position=position,
        id=session.id,
        event_id=session.event_id,
        event=session.event,
        event_kind=msgspec.convert(session.event_kind, EventKind),
        name=session.name,
        starts=session.starts,
        ends=session.ends,
        next_step=session.next_step,
        listed=session.listed,
        check_out=session.check_out,
        opens=_shifted(session.starts, session.opens_before, -1),
        closes=_shifted(session.ends, session.closes_after, 1),
    )


def _shifted(moment: datetime, minutes: int | None, direction: int) -> datetime | None:
    return None if minutes is None else moment + direction * timedelta(minutes=minutes)
