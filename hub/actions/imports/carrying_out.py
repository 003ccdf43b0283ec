"""What takes long: check a file, apply it, undo that. Runs in a process of its own, or for a command that waits.

All of a file counts or nothing does: that it was applied is written down in the transaction that applies it.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils.compat import uuid7

from hub.actions import audit
from hub.actions.imports import Chosen, Done, ImportResult, Job, Undone
from hub.actions.imports import Progress as Told
from hub.actions.imports.jobs import RUNNING, choices, plain
from hub.actions.imports.kinds import KINDS
from hub.actions.imports.place import Files, Goal, Place, Progress
from hub.database import reading, writing, writing_much
from hub.errors import HubRefused, UnreadableFile
from hub.store import imports
from hub.store.imports import Import, Kind, State

COUNTED = ("created", "updated", "unchanged", "skipped", "failed")
"""The numbers of a result that are the same again if nothing changed meanwhile."""
CHECKS = 2
"""Files that are checked at the same time; the others wait. Each takes a copy of a SQLite database."""
_TELL_EVERY_S = 0.25
_log = logging.getLogger("hub.imports")
Clock = Callable[[], datetime]


def carry_out(place: Place, import_id: UUID, goal: Goal, clock: Clock) -> None:
    """Do what an import is waiting for, and write down how it ended. The caller holds its lock.

    Nothing is raised but what no import can be blamed for; an import that is not waiting for this stays as it is.
    """
    with reading(place.engine) as conn:
        row = imports.one(conn, place.institution_id, import_id)
    if row is None or RUNNING.get(row.state) != goal:
        return
    files = place.files(import_id)
    try:
        earlier = files.failed_rows((row.result or {}).get("failed_rows_file"))
        if goal == "check":
            with place.in_turn(f"check-{row.id.int % CHECKS}"):
                done = _carry(place, row, files, clock, dry_run=True)
            files.write_report("check", done.report)
            _end(place, row, "checked", clock, done.result, noted="import_check")
        elif goal == "apply":
            with place.in_turn():
                done = _carry(place, row, files, clock, dry_run=False)
            files.write_report("apply", done.report)
        else:
            with place.in_turn():
                _undo(place, row, clock)
        if goal != "undo" and earlier is not None and str(earlier) != done.result.failed_rows_file:
            earlier.unlink(missing_ok=True)
    except UnreadableFile as error:
        _end(place, row, "refused", clock, _refusal(error.reason, error.detail, error.about))
    except (HubRefused, SQLAlchemyError, OSError) as error:
        _log.warning("import %s: %s", import_id, type(error).__name__)
        code = error.code if isinstance(error, HubRefused) else "not_now"
        if goal == "undo":
            _end(place, row, "applied", clock, (row.result or {}) | {"not_undone": code})
        else:
            # The database's own words may hold somebody's address.
            said = str(error) if isinstance(error, HubRefused) else type(error).__name__
            _end(place, row, "interrupted", clock, _refusal(code, said, {}))
    finally:
        files.write_progress(None)


def _carry(place: Place, row: Import, files: Files, clock: Clock, *, dry_run: bool) -> Done:
    chosen = choices(row)
    job = _job(
        place, row.id, files.upload, row.file_name, chosen, files.folder, clock(), _Teller(files), dry_run=dry_run
    )
    return KINDS[row.kind].carry(job, chosen, row.session_id, None if dry_run else _applied(place, row, clock))


def _applied(place: Place, row: Import, clock: Clock) -> Callable[[Connection, ImportResult], None]:
    # What the check said stays beside what was done, for people to see where it differs.
    expected = {} if row.result is None else {"expected": {name: row.result.get(name) for name in COUNTED}}

    def note(conn: Connection, result: ImportResult) -> None:
        now = clock()
        moved = imports.move(
            conn,
            place.institution_id,
            row.id,
            ["applying"],
            "applied",
            now,
            applied_at=now,
            result=msgspec.to_builtins(result) | expected,
        )
        if not moved:
            raise HubRefused("Somebody called this import off. Nothing was changed.")
        _note(conn, place, row, "import_apply", now)

    return note


def _note(conn: Connection, place: Place, row: Import, what: str, now: datetime) -> None:
    audit.note(conn, place.institution_id, now, row.asked_by or row.who, what, import_id=str(row.id))


def _undo(place: Place, row: Import, clock: Clock) -> None:
    with writing_much(place.engine) as conn:
        now = clock()
        undone: Undone = KINDS[row.kind].undo(conn, place.institution_id, row.id, now)
        result = (row.result or {}) | {"undone": msgspec.to_builtins(undone)}
        if not imports.move(conn, place.institution_id, row.id, ["undoing"], "undone", now, result=result):
            raise HubRefused("Somebody called this off. Nothing was changed.")
        _note(conn, place, row, "import_undo", now)


def _end(place: Place, row: Import, state: State, clock: Clock, result: object, noted: str | None = None) -> None:
    now = clock()
    with writing(place.engine) as conn:
        imports.move(conn, place.institution_id, row.id, [row.state], state, now, result=msgspec.to_builtins(result))
        if noted is not None:
            _note(conn, place, row, noted, now)


def _refusal(reason: str, detail: str, about: dict[str, str | int]) -> dict[str, Any]:
    return {"reason": reason, "detail": detail, "about": about}


@dataclass(slots=True)
class _Teller:
    """Writes progress down, but not for every chunk."""

    files: Files
    _next: float = field(default=0.0)

    def __call__(self, rows: int, part: float) -> None:
        if monotonic() >= self._next:
            self.files.write_progress(Progress(rows, part))
            self._next = monotonic() + _TELL_EVERY_S


def import_file(
    place: Place,
    kind: Kind,
    session_id: UUID | None,
    path: Path,
    chosen: Chosen,
    who: str,
    clock: Clock,
    told: Told | None,
) -> Done:
    """Apply a file that lies on this machine, for somebody who waits. It is listed as every other import is.

    Raises `UnreadableFile` or `HubRefused`; then nothing was changed and nothing is listed.
    """
    import_id, now = uuid7(), clock()
    files = place.files(import_id)
    with files.held(), place.in_turn():
        try:
            new = _listed(import_id, kind, session_id, path, chosen, who, now)
            with writing(place.engine) as conn:
                imports.add(conn, place.institution_id, new)
            job = _job(place, import_id, path, path.name, chosen, files.folder, now, told)
            done = KINDS[kind].carry(job, chosen, session_id, _applied(place, new, clock))
        except BaseException:
            # Unless it is in: somebody may have pressed Ctrl-C when the database had it already.
            with writing(place.engine) as conn:
                dropped = imports.drop(conn, place.institution_id, import_id)
            if dropped:
                files.remove()
            raise
        files.write_report("apply", done.report)
    return done


def try_file(
    place: Place,
    kind: Kind,
    session_id: UUID | None,
    path: Path,
    chosen: Chosen,
    now: datetime,
    told: Told | None,
    failed_dir: Path,
) -> Done:
    """What applying such a file would come to; changes nothing. Raises as `import_file`."""
    job = _job(place, uuid7(), path, path.name, chosen, failed_dir, now, told, dry_run=True)
    return KINDS[kind].carry(job, chosen, session_id, None)


def _job(
    place: Place,
    import_id: UUID,
    path: Path,
    name: str,
    chosen: Chosen,
    folder: Path,
    now: datetime,
    told: Told | None,
    *,
    dry_run: bool = False,
) -> Job:
    return Job(
        engine=place.engine,
        institution_id=place.institution_id,
        import_id=import_id,
        path=path,
        name=name,
        folder=folder,
        now=now,
        dry_run=dry_run,
        sees_students=chosen.sees_students,
        how=chosen.how,
        columns=chosen.columns,
        progress=told,
    )


def _listed(
    import_id: UUID, kind: Kind, session_id: UUID | None, path: Path, chosen: Chosen, who: str, now: datetime
) -> Import:
    fingerprint, size = _fingerprint(path)
    return Import(
        id=import_id,
        kind=kind,
        session_id=session_id,
        state="applying",
        file_name=plain(path.name),
        fingerprint=fingerprint,
        size=size,
        options=msgspec.to_builtins(chosen, str_keys=True),
        result=None,
        who=who,
        made_at=now,
        changed_at=now,
        applied_at=None,
    )


def _fingerprint(path: Path) -> tuple[str, int]:
    """Of a file that cannot be read there is none: whoever opens it next says why."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except OSError:
        return "", 0
