"""Student files on their way in."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.actions.imports import Done, Job
from hub.actions.imports.students import StudentFile, import_students
from hub.database import writing
from hub.readers import How, Table
from hub.readers.kinds import read_file
from hub.readers.reading import kind_named
from hub.store import imports
from hub.store.imports import Import


@contextmanager
def opened_here(path: Path, name: str, how: How) -> Iterator[Table]:
    """Without the child process, whose start takes longer than importing a small file."""
    with path.open("rb", buffering=0) as file:
        yield read_file(file, kind_named(name), how)


def import_file(
    engine: Engine,
    institution_id: UUID,
    path: Path,
    now: datetime,
    options: StudentFile = StudentFile(),  # noqa: B008 - it is frozen
    *,
    import_id: UUID | None = None,
    dry_run: bool = False,
    sees_students: bool = True,
    how: How = How(),  # noqa: B008
    columns: Mapping[int, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Done:
    """Import a student file as somebody at the office does; its failed rows lie beside it, in `failed-rows`."""
    job = Job(
        engine=engine,
        institution_id=institution_id,
        import_id=import_id or uuid7(),
        path=path,
        name=path.name,
        folder=path.parent / "failed-rows",
        now=now,
        dry_run=dry_run,
        sees_students=sees_students,
        how=how,
        columns=columns or {},
        opens=opened_here,
        progress=lambda rows, _: progress(rows) if progress is not None else None,
    )
    if not dry_run:
        with writing(engine) as conn:
            imports.add(conn, institution_id, _listed(job))
    return import_students(job, options)


def _listed(job: Job) -> Import:
    return Import(
        id=job.import_id,
        kind="students",
        session_id=None,
        state="applied",
        file_name=job.name,
        fingerprint="",
        size=0,
        options={},
        result=None,
        who="ada@example.edu",
        asked_by=None,
        made_at=job.now,
        changed_at=job.now,
        applied_at=job.now,
    )
