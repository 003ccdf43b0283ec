"""An uploaded file on its way: taken in, looked at, checked, applied, undone. What takes long another process does.

uploaded -> checking -> checked -> applying -> applied -> undoing -> undone. What was refused or interrupted, and what
was checked, can be looked at again with other choices. Nothing counts before `applied`, and then all of it does.
"""

import hashlib
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils.compat import uuid7

from hub.actions import audit
from hub.actions.imports import Chosen, Report
from hub.actions.imports.kinds import KINDS
from hub.actions.imports.place import KEPT_FOR, Files, Goal, Place, Progress
from hub.actions.imports.running import meant, with_header
from hub.database import reading, writing
from hub.errors import HubRefused, UnreadableFile
from hub.readers import Format, Row
from hub.readers.reading import MAX_BYTES, open_table
from hub.rules.headers import Understood
from hub.store import events, import_changes, imports, institutions
from hub.store.imports import Import, Kind, State

PREVIEWED = 8
"""Rows that people are shown as they will be read."""
RUNNING: dict[State, Goal] = {"checking": "check", "applying": "apply", "undoing": "undo"}
MOST_AT_ONCE = 8
"""Imports of an institution that may be under way; of those that are checked, `carrying_out.CHECKS` at a time."""
_LONGEST_NAME = 200
CHANGEABLE: tuple[State, ...] = ("uploaded", "checked", "refused", "interrupted")
"""States in which nothing counts yet and nobody is at work."""
UNFINISHED: tuple[State, ...] = (*CHANGEABLE, *RUNNING)
"""States in which there is something left to do."""
_FROM: dict[Goal, tuple[State, ...]] = {"check": CHANGEABLE, "apply": ("checked",), "undo": ("applied",)}
_TO: dict[Goal, State] = {goal: state for state, goal in RUNNING.items()}
_BACK: dict[State, State] = {"checking": "interrupted", "applying": "interrupted", "undoing": "applied"}

Start = Callable[[UUID, UUID, Goal, int], None]
"""Starts a process that carries an institution's import out (`carrying_out.carry_out`) and holds this lock."""


class UnknownImport(HubRefused):
    code = "unknown_import"


class NotNow(HubRefused):
    """The import is in a state in which this cannot be done."""

    code = "not_now"


class TooLate(HubRefused):
    """What an undoing needs is gone."""

    code = "too_late"


class UndoFirst(NotNow):
    """A later import builds upon this one."""

    code = "undo_first"


class TooMany(HubRefused):
    """As many are under way as one machine can bear."""

    code = "too_many"


@dataclass(frozen=True, slots=True)
class Glance:
    """What a file was understood to be, with its first rows as they will be read, or why it cannot be read.

    `columns`: for each header the column it is taken for, or None; `known` all that it could be, `missing` those it
    needs and lacks.
    """

    format: Format
    headers: tuple[str, ...]
    understood: Understood
    rows: tuple[Row, ...]
    known: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """An import with what there is to see of it.

    `same_file`: another import of the same bytes that is in. `undo_first`: the later one that has to be undone before
    this one can be.
    """

    row: Import
    progress: Progress | None
    report: Report | None
    same_file: Import | None
    failed_rows: Path | None
    undoable_until: datetime | None
    undo_first: Import | None


def take_in(
    place: Place,
    kind: Kind,
    session_id: UUID | None,
    file_name: str,
    stream: BinaryIO,
    chosen: Chosen,
    who: str,
    now: datetime,
) -> UUID:
    """Keep an upload. Raises `UnreadableFile` (`too_large`, `empty`), `UnknownSession`, and then nothing was kept."""
    tidy(place, now)
    if session_id is not None:
        with reading(place.engine) as conn:
            events.there(conn, place.institution_id, session_id)
    import_id = uuid7()
    files = place.files(import_id)
    files.make()
    try:
        fingerprint, size = _copy(stream, files.upload)
        new = Import(
            id=import_id,
            kind=kind,
            session_id=session_id,
            state="uploaded",
            file_name=plain(file_name),
            fingerprint=fingerprint,
            size=size,
            options=msgspec.to_builtins(chosen, str_keys=True),
            result=None,
            who=who,
            made_at=now,
            changed_at=now,
            applied_at=None,
        )
        with writing(place.engine) as conn:
            imports.add(conn, place.institution_id, new)
    except BaseException:
        files.remove()
        raise
    return import_id


def glance(place: Place, import_id: UUID) -> Glance:
    """What we understood. Raises `UnknownImport`, and `UnreadableFile` where nothing can be understood."""
    row = _one(place, import_id)
    chosen = choices(row)
    kind = KINDS[row.kind]
    with open_table(place.files(import_id).upload, row.file_name, chosen.how, quickly=True) as opened:
        table = with_header(opened, kind.alone)
        understood = kind.understood(table.headers, chosen.columns)
        return Glance(
            format=table.format,
            headers=tuple(table.headers),
            understood=understood,
            rows=tuple(meant(list(islice(table.rows, PREVIEWED)), table.format)),
            known=kind.known,
            missing=kind.missing(set(understood.columns.values()), chosen, row.session_id),
        )


def choose(place: Place, import_id: UUID, chosen: Chosen, now: datetime) -> None:
    """Read the file otherwise from now on. Raises `UnknownImport` or `NotNow`."""
    options = msgspec.to_builtins(chosen, str_keys=True)
    _move(place, import_id, CHANGEABLE, "uploaded", now, options=options, result=None)


def begin(place: Place, import_id: UUID, goal: Goal, who: str, now: datetime, start: Start) -> None:
    """Have it done, and do not wait for it. Raises `UnknownImport`, `NotNow`, `UndoFirst`, `TooLate` or `TooMany`."""
    row = _one(place, import_id)
    _check_state(row, _FROM[goal])
    if goal == "undo":
        _check_undoable(place, row, now)
    if len(listed(place, now, states=tuple(RUNNING), limit=MOST_AT_ONCE)) == MOST_AT_ONCE:
        raise TooMany(f"{MOST_AT_ONCE} files are being worked on. Try again when one of them is done.")
    files = place.files(import_id)
    with files.held() as lock:
        # The lock first: what is under way without one was interrupted.
        _move(place, import_id, _FROM[goal], _TO[goal], now, asked_by=who)
        files.write_progress(Progress(0, 0.0))
        try:
            start(place.institution_id, import_id, goal, lock)
        except OSError as error:
            _move(place, import_id, [_TO[goal]], row.state, now)
            raise HubRefused(f"This machine starts no more programs ({error.strerror}). Try again later.") from error


def show(place: Place, import_id: UUID, now: datetime) -> Shown:
    """An import as it stands. One whose process is gone was interrupted. Raises `UnknownImport`."""
    files = place.files(import_id)
    row = _as_it_stands(place, _one(place, import_id), now)
    with reading(place.engine) as conn:
        same = imports.applied_before(conn, place.institution_id, row)
        later = _built_upon(conn, place, row)
    result = row.result or {}
    return Shown(
        row=row,
        progress=files.progress() if row.state in RUNNING else None,
        report=_report(files, row.state),
        same_file=same,
        failed_rows=files.failed_rows(result.get("failed_rows_file")),
        undoable_until=row.applied_at + KEPT_FOR if row.applied_at and _undoable(row, now) and not later else None,
        undo_first=later if _undoable(row, now) else None,
    )


def listed(
    place: Place,
    now: datetime,
    kind: Kind | None = None,
    session_ids: Collection[UUID] | None = None,
    states: Collection[State] | None = None,
    offset: int = 0,
    limit: int = 50,
) -> list[Import]:
    """The latest first, as they stand."""
    with reading(place.engine) as conn:
        found = imports.listed(
            conn,
            place.institution_id,
            kind=kind,
            states=states,
            session_ids=session_ids,
            offset=offset,
            limit=limit,
        )
    return [_as_it_stands(place, each, now) for each in found]


def throw_away(place: Place, import_id: UUID, who: str, now: datetime) -> None:
    """Forget an upload that was not applied, its file at once. Raises `UnknownImport` or `NotNow`."""
    _check_state(_one(place, import_id), CHANGEABLE)
    with place.files(import_id).held(), writing(place.engine) as conn:
        if not imports.move(conn, place.institution_id, import_id, CHANGEABLE, "thrown_away", now):
            raise NotNow("Somebody else was quicker. Look again.")
        audit.note(conn, place.institution_id, now, who, "import_throw_away", import_id=str(import_id))
    place.files(import_id).remove()


def hand_out(place: Place, shown: Shown, who: str, now: datetime) -> Path | None:
    """The failed rows of an import as a file, for somebody who takes them along; None: there is none."""
    if shown.failed_rows is not None:
        with writing(place.engine) as conn:
            audit.note(conn, place.institution_id, now, who, "export_failed_rows", import_id=str(shown.row.id))
    return shown.failed_rows


def tidy(place: Place, now: datetime) -> None:
    """Let go of files and of what an undoing needs, once they were kept for `KEPT_FOR`."""
    with writing(place.engine) as conn:
        import_changes.drop(conn, place.institution_id, imports.older_than(conn, place.institution_id, now - KEPT_FOR))
        old = place.untouched_since(now - KEPT_FOR)
        for row in imports.all_of(conn, place.institution_id, old):
            # Numbers stay; who was left as they were is a list of names.
            undone = dict((row.result or {}).get("undone") or {})
            if undone.pop("told", None):
                imports.put_result(conn, place.institution_id, row.id, (row.result or {}) | {"undone": undone})
    for import_id in old:
        place.files(import_id).remove()


def tidy_all(engine: Engine, folder: Path, now: datetime) -> None:
    """The same for every institution of a hub, unless its database is busy: there is a next time."""
    with suppress(SQLAlchemyError):
        with reading(engine) as conn:
            ids = institutions.all_ids(conn)
        for institution_id, _ in ids:
            tidy(Place(engine, institution_id, folder), now)


def choices(row: Import) -> Chosen:
    """What was decided about an import."""
    return msgspec.convert(row.options, Chosen, str_keys=True)


def _report(files: Files, state: State) -> Report | None:
    match state:
        case "checked":
            return files.report("check")
        case "applied" | "undoing" | "undone":
            # The check's, when the process was stopped between the commit and its own.
            return files.report("apply") or files.report("check")
    return None


def _undoable(row: Import, now: datetime) -> bool:
    return row.state == "applied" and row.applied_at is not None and now < row.applied_at + KEPT_FOR


def _check_undoable(place: Place, row: Import, now: datetime) -> None:
    if not _undoable(row, now):
        raise TooLate(f"An import can be undone for {KEPT_FOR.days} days.")
    with reading(place.engine) as conn:
        later = _built_upon(conn, place, row)
    if later is not None:
        raise UndoFirst(f"{later.file_name} came after it and counts on it. Undo that first: {later.id}")


def _built_upon(conn: Connection, place: Place, row: Import) -> Import | None:
    """The student file after this one, if any: what it found unchanged it did not write down, but says as well."""
    if row.kind != "students" or row.state != "applied":
        return None
    return imports.applied_after(conn, place.institution_id, row)


def _as_it_stands(place: Place, row: Import, now: datetime) -> Import:
    """The import, or what became of it since `row` was read, when nobody is at work on it any more."""
    files = place.files(row.id)
    if row.state not in RUNNING or files.at_work():
        return row
    if not files.folder.is_dir() and now < row.changed_at + KEPT_FOR:
        # Its files are elsewhere, and so may be who works on them.
        return row
    current = _one(place, row.id)
    if current != row:
        return current
    # It ended without a word: the hub or the machine was stopped.
    with writing(place.engine) as conn:
        kept = row.result if row.state == "undoing" else None
        imports.move(conn, place.institution_id, row.id, [row.state], _BACK[row.state], now, result=kept)
    return _one(place, row.id)


def _one(place: Place, import_id: UUID) -> Import:
    with reading(place.engine) as conn:
        row = imports.one(conn, place.institution_id, import_id)
    if row is None:
        raise UnknownImport("There is no such import. The list of imports shows all.")
    return row


def _check_state(row: Import, states: Collection[State]) -> None:
    if row.state not in states:
        raise NotNow(f"This import is {row.state.replace('_', ' ')}: that cannot be done with it.")


def _move(
    place: Place, import_id: UUID, before: Collection[State], after: State, now: datetime, **values: object
) -> None:
    with writing(place.engine) as conn:
        moved = imports.move(conn, place.institution_id, import_id, before, after, now, **values)
    if not moved:
        _check_state(_one(place, import_id), before)
        raise NotNow("Somebody else was quicker. Look again.")


def _copy(stream: BinaryIO, path: Path) -> tuple[str, int]:
    """Fingerprint and size of what was written, which is on the disk then."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        path.chmod(0o600)
        while block := stream.read(1 << 16):
            size += len(block)
            if size > MAX_BYTES:
                raise UnreadableFile("too_large", "The file is larger than 50 MB. Split it and import the parts.")
            digest.update(block)
            file.write(block)
    if not size:
        raise UnreadableFile("empty", "The file is empty. Export it again with a header row.")
    return digest.hexdigest(), size


def plain(file_name: str) -> str:
    """A file name without folders and control characters, as people are shown it; its ending stays."""
    name = Path(file_name.replace("\\", "/"))
    stem, ending = ("".join(char for char in part if char.isprintable()) for part in (name.stem, name.suffix))
    return (stem[: _LONGEST_NAME - len(ending)] + ending[:_LONGEST_NAME]) or "file"
