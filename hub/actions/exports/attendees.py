"""Who was at an event: as Handshake imports it, as CSV, or as a workbook."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from hub.actions.exports import Export, words
from hub.actions.exports.spool import Spool
from hub.database import reading
from hub.errors import UnknownEvent
from hub.store import agenda, attendance, events, exports
from hub.store.agenda import Event
from hub.store.attendance import Count
from hub.store.events import FAIR, Session
from hub.store.exports import Attendee
from hub.writers import csv_file, workbook
from hub.writers.workbook import Cell

Format = Literal["handshake", "csv", "xlsx"]
HANDSHAKE = ("student_email_address", "registered", "checked_in", "identifiable_type", "identifiable_id", "identifier")
"""RULE-73."""
_MOMENTS = (9, 12)
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Written:
    """What went into an export. `name`: what to call the file.

    `waiting`: check-ins that wait for a decision, and are not in it. `left_out`: people without a school address, where
    that is what people are known by. `known_elsewhere`: False when it names what it is about by our own ids.
    """

    name: str
    rows: int
    waiting: int
    left_out: int = 0
    known_elsewhere: bool = True


@dataclass(frozen=True, slots=True)
class Gathered:
    """All there is to say about who was at an event, as it was at one moment."""

    event: Event
    sessions: list[Session]
    counts: dict[UUID, Count]
    people: Spool[Attendee]

    @property
    def waiting(self) -> int:
        """Check-ins that wait for a decision."""
        return sum(each.parked for each in self.counts.values())

    @property
    def once_each(self) -> bool:
        """Whether another system knows all sessions as one thing, so that a person is there or not."""
        return self.event.kind != FAIR and (len(self.sessions) == 1 or self.event.external_id is not None)


def write(export: Export, event_id: UUID, format: Format, file: Path, delimiter: str = ",") -> Written:
    """Write an event's attendees into a file. Raises `UnknownEvent`, or `HubRefused` for what a sheet cannot hold."""
    with export.scratch() as scratch:
        found = gather(export, event_id, scratch)
        match format:
            case "handshake":
                written = _handshake(export, found, file)
            case "csv":
                written = _for_people(export, found, "csv", as_csv(export, found, found.people, file, delimiter))
            case "xlsx":
                written = _for_people(export, found, "xlsx", as_workbook(export, found, found.people, file, scratch))
    export.note("export_attendees", event_id=str(event_id), format=format, rows=written.rows)
    return written


def _handshake(export: Export, found: Gathered, file: Path) -> Written:
    return Written(
        name=file_name(export, found.event, words.FILES["handshake"][export.language], "csv"),
        rows=as_handshake(found, file),
        waiting=found.waiting,
        left_out=sum(not each.address for each in found.people),
        known_elsewhere=all(session.external_id for session in found.sessions),
    )


def _for_people(export: Export, found: Gathered, extension: str, rows: int) -> Written:
    name = file_name(export, found.event, words.FILES["attendees"][export.language], extension)
    return Written(name, rows, found.waiting)


def gather(export: Export, event_id: UUID, scratch: Path) -> Gathered:
    """Put aside who was at an event. Raises `UnknownEvent`."""
    with reading(export.engine) as conn:
        event = agenda.one(conn, export.institution_id, event_id)
        if event is None:
            raise UnknownEvent(f"There is no event {event_id}. `hub events list` shows them.")
        sessions = events.of_event(conn, export.institution_id, event_id)
        ids = [session.id for session in sessions]
        people = exports.attendees(conn, export.institution_id, ids)
        return Gathered(
            event,
            sessions,
            attendance.counts(conn, export.institution_id, ids),
            Spool(scratch / "attendees", Attendee, people),
        )


def as_handshake(found: Gathered, file: Path) -> int:
    """RULE-73: by school address, whatever somebody checked in with (RULE-80)."""
    return csv_file.write_exactly(file, HANDSHAKE, _once_each(found) if found.once_each else _by_session(found))


def _by_session(found: Gathered) -> Iterator[tuple[str, ...]]:
    # A fair is named by its sessions, even by its only one (RULE-42); so is what only we know, to come back as it was.
    ids = {each.id: (each.external_id if found.event.kind == FAIR else None) or str(each.id) for each in found.sessions}
    for each in found.people:
        if each.address:
            yield _line(each.address, each.registered, each.checked_in, "CareerFairSession", ids[each.session_id])


def _once_each(found: Gathered) -> Iterator[tuple[str, ...]]:
    people: dict[str, tuple[bool, bool]] = {}
    for each in found.people:
        if each.address:
            registered, checked_in = people.get(each.address, (False, False))
            people[each.address] = (registered or each.registered, checked_in or each.checked_in)
    id = found.event.external_id or str(found.event.id)
    return (_line(address, *said, "Event", id) for address, said in people.items())


def _line(address: str, registered: bool, checked_in: bool, type: str, id: str) -> tuple[str, ...]:
    return address, str(registered).upper(), str(checked_in).upper(), type, id, ""


def as_csv(export: Export, found: Gathered, people: Iterable[Attendee], file: Path, delimiter: str) -> int:
    """For people to read, in their language; moments with their offset."""
    rows = ([_text(cell) for cell in row] for row in _cells(export, found, people))
    return csv_file.write_for_people(file, words.ATTENDEES[export.language], rows, delimiter)


def as_workbook(export: Export, found: Gathered, people: Iterable[Attendee], file: Path, scratch: Path) -> int:
    """The same as a workbook; moments as clocks showed them, in the zone that the header names."""
    headers = [
        f"{header} ({export.zone.key})" if index in _MOMENTS else header
        for index, header in enumerate(words.ATTENDEES[export.language])
    ]
    rows = _cells(export, found, people)
    return workbook.write(file, words.SHEETS["attendees"][export.language], headers, rows, scratch)


def _cells(export: Export, found: Gathered, people: Iterable[Attendee]) -> Iterator[tuple[Cell, ...]]:
    names = {session.id: session.name for session in found.sessions}
    yes, no = words.YES_NO[export.language]
    how = words.HOW[export.language]
    for each in people:
        method = each.method if each.seen else "file" if each.by_file else None
        yield (
            names[each.session_id],
            each.username,
            each.first_name,
            each.middle_name,
            each.last_name,
            each.preferred_name,
            each.address,
            yes if each.registered else no,
            yes if each.checked_in else no,
            export.local(each.arrived),
            how.get(method, method) if method else None,
            each.kiosk,
            export.local(each.left),
        )


def _text(cell: Cell) -> str:
    return cell.isoformat(timespec="seconds") if isinstance(cell, datetime) else cell or ""


def file_name(export: Export, event: Event, what: str, extension: str) -> str:
    """What to call a file about an event: its day, its name without spaces and signs, and what it is."""
    return f"{event.starts.astimezone(export.zone):%Y-%m-%d}_{slug(event.name)}_{what}.{extension}"


def slug(name: str) -> str:
    """A name as part of a file's name."""
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", name).casefold())
    return plain[:_LONGEST_NAME].strip("-") or "event"
