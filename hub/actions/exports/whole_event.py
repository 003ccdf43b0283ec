"""A whole event as a folder of files, or as one file with that folder in it."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from hub.actions.exports import Export, words
from hub.actions.exports.attendees import Gathered, Written, as_csv, as_handshake, as_workbook, file_name, gather
from hub.store.exports import Attendee
from hub.writers import csv_file

_README = {"en": "README.txt", "fr": "LISEZMOI.txt"}


def write_folder(export: Export, event_id: UUID, folder: Path, delimiter: str = ",") -> Written:
    """Fill a folder, which is there and empty, with all files of an event. Raises as `attendees.write` does."""
    with export.scratch() as scratch:
        found = gather(export, event_id, scratch)
        _write_attendees(export, found, folder, delimiter, scratch)
        _write_sessions(export, found, _named(export, folder, "sessions"), delimiter)
        _write_counts(export, found, _named(export, folder, "counts"), delimiter)
        as_handshake(found, _named(export, folder, "handshake"))
        _write_readme(export, found, folder / _README[export.language])
        rows = len(found.people)
    export.note("export_event", event_id=str(event_id), rows=rows)
    return Written(file_name(export, found.event, words.FILES["event"][export.language], "zip"), rows, found.waiting)


def write_zip(export: Export, event_id: UUID, file: Path, delimiter: str = ",") -> Written:
    """The same, as one archive."""
    with export.scratch() as scratch:
        written = write_folder(export, event_id, scratch, delimiter)
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for each in sorted(scratch.iterdir()):
                archive.write(each, f"{Path(written.name).stem}/{each.name}")
    return written


def _named(export: Export, folder: Path, what: str) -> Path:
    return folder / f"{words.FILES[what][export.language]}.csv"


def _write_attendees(export: Export, found: Gathered, folder: Path, delimiter: str, scratch: Path) -> None:
    stem = words.FILES["attendees"][export.language]
    names = [stem] if len(found.sessions) == 1 else [f"{stem}_{number}" for number, _ in enumerate(found.sessions, 1)]
    for name, people in zip(names, _session_by_session(found), strict=True):
        as_csv(export, found, people, folder / f"{name}.csv", delimiter)
    for name, people in zip(names, _session_by_session(found), strict=True):
        as_workbook(export, found, people, folder / f"{name}.xlsx", scratch)


def _session_by_session(found: Gathered) -> Iterator[Iterator[Attendee]]:
    """The people of each session, none for some. To be read before the next session's are asked for."""
    groups = groupby(found.people, key=lambda each: each.session_id)
    session_id, people = next(groups, (None, iter(())))
    for session in found.sessions:
        if session.id == session_id:
            yield people
            session_id, people = next(groups, (None, iter(())))
        else:
            yield iter(())


def _write_sessions(export: Export, found: Gathered, file: Path, delimiter: str) -> None:
    rows = (
        (
            str(number),
            session.name,
            session.starts.astimezone(export.zone).isoformat(timespec="minutes"),
            session.ends.astimezone(export.zone).isoformat(timespec="minutes"),
            str(session.id),
            session.external_id or "",
        )
        for number, session in enumerate(found.sessions, 1)
    )
    csv_file.write_for_people(file, words.SESSIONS[export.language], rows, delimiter)


def _write_counts(export: Export, found: Gathered, file: Path, delimiter: str) -> None:
    registered, checked_in, both = Counter[UUID](), Counter[UUID](), Counter[UUID]()
    for each in found.people:
        registered[each.session_id] += each.registered
        checked_in[each.session_id] += each.checked_in
        both[each.session_id] += each.registered and each.checked_in

    rows = (
        (
            session.name,
            str(registered[session.id]),
            str(checked_in[session.id]),
            str(both[session.id]),
            str(checked_in[session.id] - both[session.id]),
            str(found.counts[session.id].parked),
        )
        for session in found.sessions
    )
    csv_file.write_for_people(file, words.COUNTS[export.language], rows, delimiter)


def _write_readme(export: Export, found: Gathered, file: Path) -> None:
    event = found.event
    files = {what: words.FILES[what][export.language] for what in ("attendees", "counts", "handshake", "sessions")}
    text = words.README[export.language].format(
        event=event.name,
        starts=f"{event.starts.astimezone(export.zone):%Y-%m-%d %H:%M}",
        ends=f"{event.ends.astimezone(export.zone):%Y-%m-%d %H:%M}",
        zone=export.zone.key,
        now=f"{export.now.astimezone(export.zone):%Y-%m-%d %H:%M}",
        waiting=words.waiting(found.waiting, export.language),
        **files,
    )
    # As Windows writes it: the simplest editors there show it in one line otherwise.
    file.write_text(text.replace(" \n", "\n"), "utf-8-sig", newline="\r\n")
