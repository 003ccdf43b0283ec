"""Import an attendee file: who registered for an event that is over, and who came."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Connection, Engine

from hub.actions.imports import (
    MOST_SHOWN,
    BeforeCommit,
    Difference,
    Done,
    Job,
    Kept,
    Outcome,
    Undone,
    Warned,
    Wrong,
    remarks,
)
from hub.actions.imports.running import chunks, run
from hub.database import reading
from hub.errors import HubRefused, UnknownEvent, UnknownSession
from hub.readers import Row, Table
from hub.rules.attendee_file.codes import REPEATED
from hub.rules.attendee_file.columns import (
    ADDRESS,
    ALIASES,
    CHECKED_IN,
    COLUMNS,
    REGISTERED,
    Header,
    Options,
    read_header,
    understood,
)
from hub.rules.attendee_file.occasions import Occasion, Occasions, listed
from hub.rules.attendee_file.plan import Change, Entry, Holder, Known, Record, entry_of, plan
from hub.rules.attendee_file.rows import FileRow, read_row
from hub.rules.headers import Understood
from hub.store import events, facts, feed, imported, imports, registrations, students
from hub.store.imported import Pair

_STOCK_TAKING = (4, 16, 64, 256)
"""After which chunks: each time there may be four times as much as before."""


def import_attendees(job: Job, options: Options, before_commit: BeforeCommit | None = None) -> Done:
    """Add to sessions who registered and who came. Nothing is taken away, and the same file again changes nothing.

    Attendance counts beside check-ins, each student once (RULE-39). Archived students are taken in: they were there.
    Raises `UnknownSession` and, with one of `attendee_file.REASONS` or a reason of `hub.readers.reading`,
    `UnreadableFile`.
    """
    occasions = _occasions(job.engine, job.institution_id)
    if options.session_id is not None and str(options.session_id) not in occasions.sessions:
        raise _no_session(str(options.session_id))
    return run(job, Attendees(job, options, Known(occasions, options.session_id, job.sees_students)), before_commit)


def session_called(engine: Engine, institution_id: UUID, name: str) -> UUID:
    """The session with this id, ours or another system's. Raises `UnknownSession`."""
    found = _occasions(engine, institution_id).session(name)
    if found is None:
        raise _no_session(name)
    return found.session_id


def only_session(engine: Engine, institution_id: UUID, event: str) -> UUID:
    """The session of an event that has one, by the event's id, ours or another system's.

    Raises `UnknownEvent`, or `HubRefused` where there are several.
    """
    its = _occasions(engine, institution_id).event(event)
    if not its:
        raise UnknownEvent(f"There is no event {event}. `hub events list` shows them.")
    if len(its) > 1:
        raise HubRefused(f"This event has {len(its)} sessions. Name one: {', '.join(each.name for each in its)}")
    return its[0].session_id


def _occasions(engine: Engine, institution_id: UUID) -> Occasions:
    with reading(engine) as conn:
        return listed(Occasion._make(row) for row in events.named(conn, institution_id))


def _no_session(name: str) -> UnknownSession:
    return UnknownSession(f"There is no session {name}. `hub events list` shows them.")


def undo_attendees(conn: Connection, institution_id: UUID, import_id: UUID, now: datetime) -> Undone:
    """Take back what a file said, in a `writing` block; again: nothing is left to do.

    What a kiosk saw, another file says as well or somebody entered by hand stays, and who is still there is counted as
    kept.
    """
    imports.take_turns(conn, institution_id)
    attended, registered = imported.drop_import(conn, institution_id, import_id)
    unregistered = registrations.drop_import(conn, institution_id, import_id)
    seen, present = set[Pair](), set[Pair]()
    for session_id, pairs in groupby(sorted(attended), key=lambda pair: pair[0]):
        for some in chunks(student_id for _, student_id in pairs):
            seen |= {(session_id, each) for each in facts.seen(conn, institution_id, session_id, some)}
            present |= {(session_id, each) for each in facts.present(conn, institution_id, session_id, some)}
    _tell_kiosks(conn, institution_id, {student_id for _, student_id in unregistered})
    kept = sorted(present | (registered - unregistered - attended))
    names = students.usernames(conn, institution_id, {student_id for _, student_id in kept[:MOST_SHOWN]})
    return Undone(
        undone=len((attended | registered).difference(kept)),
        kept=len(kept),
        told=tuple(
            sorted(
                (
                    Kept(names[pair[1]], "seen_at_a_kiosk" if pair in seen else "said_elsewhere")
                    for pair in kept[:MOST_SHOWN]
                ),
                key=lambda each: each.who,
            )
        ),
    )


@dataclass(slots=True)
class Attendees:
    """What an attendee file means to `running.run`."""

    alone: ClassVar[str | None] = ADDRESS
    job: Job
    options: Options
    known: Known
    found: Understood = field(init=False)
    header: Header = field(init=False)
    chunks: int = 0
    registered: set[UUID] = field(default_factory=set)
    repeated: int = 0
    not_begun: int = 0

    def columns(self, headers: Sequence[str]) -> tuple[str | None, ...]:
        self.found = understood(headers, self.job.columns)
        self.header = read_header(self.found, self.options)
        return tuple(self.found.columns.get(index) for index in range(len(headers)))

    def rows(self, conn: Connection, rows: Sequence[Row]) -> list[Outcome]:
        read = [read_row(self.header, row.number, row.cells, row.inexact) for row in rows]
        self.known.holders = _holders(conn, self.job.institution_id, read)
        entries = [entry_of(row, self.known) for row in read]
        records = _records(conn, self.job.institution_id, [each for each in entries if each is not None])
        planned = [None if each is None else (each, plan(each, records[each.pair])) for each in entries]
        self._store(conn, [each for each in planned if each is not None])
        self.repeated += sum(_is_repeat(row) for row in read)
        return [_refused(row) if each is None else _outcome(*each) for row, each in zip(read, planned, strict=True)]

    def finish(self, conn: Connection) -> None:
        # Last, because from here on other writers of the institution wait for this transaction.
        _tell_kiosks(conn, self.job.institution_id, self.registered)

    def warnings(self, table: Table) -> list[Warned]:
        said = [*remarks.of_headers(self.found, COLUMNS, ALIASES), *remarks.of_format(table.format)]
        if self.repeated:
            said.append(Warned(code="repeated_in_file", rows=self.repeated))
        if self.not_begun:
            said.append(Warned(code="not_begun", rows=self.not_begun))
        return said

    def _store(self, conn: Connection, planned: Sequence[tuple[Entry, Change]]) -> None:
        job = self.job
        registered, attended = defaultdict(list), defaultdict(list)
        for entry, change in planned:
            self.not_begun += change.attends and self.known.occasions.begins(entry.session_id) > job.now
            if change.registers:
                self.registered.add(entry.holder.student_id)
            # Also what is known already: whoever else said it may take it back.
            if entry.row.registered:
                registered[entry.session_id].append(entry.holder.student_id)
            if entry.row.checked_in:
                attended[entry.session_id].append(entry.holder.student_id)
        if job.dry_run:
            # It is in no list that attendance could refer to, and no later row asks for what this one would store.
            return
        for session_id, ids in registered.items():
            registrations.add(conn, job.institution_id, session_id, ids, job.now, job.import_id)
            imported.registered(conn, job.institution_id, session_id, ids, job.import_id)
        for session_id, ids in attended.items():
            imported.attended(conn, job.institution_id, session_id, ids, job.import_id)
        self.chunks += 1
        if self.chunks in _STOCK_TAKING:
            imported.take_stock(conn)


def _holders(conn: Connection, institution_id: UUID, rows: Sequence[FileRow]) -> dict[str, Holder]:
    """Whose the addresses of these rows are; of those that are no school address also what to use instead."""
    found = list(students.holders(conn, institution_id, {row.email.key for row in rows if row.email is not None}))
    others = {each.student_id for each in found if each.kind != "school"}
    main = {each.student_id: each.typed for each in students.addresses_of(conn, institution_id, others) if each.main}
    return {
        each.key: Holder(
            each.student_id, each.disabled, each.kind, each.state == "confirmed", main.get(each.student_id)
        )
        for each in found
    }


def _records(conn: Connection, institution_id: UUID, entries: Sequence[Entry]) -> dict[tuple[UUID, UUID], Record]:
    """What is stored of the people and sessions that these rows mean."""
    by_session: dict[UUID, list[UUID]] = defaultdict(list)
    for each in entries:
        by_session[each.session_id].append(each.holder.student_id)
    records: dict[tuple[UUID, UUID], Record] = {}
    for session_id, ids in by_session.items():
        there = registrations.among(conn, institution_id, session_id, ids)
        present = facts.present(conn, institution_id, session_id, ids)
        records |= {(session_id, each): Record(each in there, each in present) for each in ids}
    return records


def _is_repeat(row: FileRow) -> bool:
    return any(each.code == REPEATED for each in row.problems)


def _refused(row: FileRow) -> Outcome:
    wrong = tuple(Wrong(each.column, each.code, each.text, each.about) for each in row.problems)
    return Outcome(became="skipped" if _is_repeat(row) else "failed", who=row.who, wrong=wrong)


def _outcome(entry: Entry, change: Change) -> Outcome:
    changed = [(REGISTERED, change.registers), (CHECKED_IN, change.attends)]
    differences = tuple(Difference(column, "FALSE", "TRUE") for column, so in changed if so)
    new = not any(change.before)
    return Outcome(
        became=("created" if new else "updated") if differences else "unchanged",
        who=entry.row.who,
        differences=differences,
        flags=change.flags,
    )


def _tell_kiosks(conn: Connection, institution_id: UUID, student_ids: Collection[UUID]) -> None:
    for some in chunks(iter(sorted(student_ids))):
        feed.touch(conn, institution_id, "person", some)
