"""Imports: who brought which file when, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import Row, one_at_a_time
from hub.schema import imports

Kind = Literal["students", "attendees"]
State = Literal[
    "uploaded",
    "checking",
    "checked",
    "applying",
    "applied",
    "undoing",
    "undone",
    "refused",
    "interrupted",
    "thrown_away",
]


@dataclass(frozen=True, slots=True)
class Import:
    """One file. `fingerprint`: SHA-256 of its bytes, in hexadecimal. `session_id`: whose page it was uploaded on.

    `result`: the numbers of the last check, of the import or of the undoing, or why it was refused. `who` brought it,
    `asked_by` wants what is under way.
    """

    id: UUID
    kind: Kind
    session_id: UUID | None
    state: State
    file_name: str
    fingerprint: str
    size: int
    options: dict[str, Any]
    result: dict[str, Any] | None
    who: str
    made_at: datetime
    changed_at: datetime
    applied_at: datetime | None
    asked_by: str | None = None


_COLUMNS = [imports.c[name] for name in Import.__dataclass_fields__]


def take_turns(conn: Connection, institution_id: UUID) -> None:
    """Until this transaction ends, nobody else imports, undoes or merges: each locks many students, in an order of its
    own.
    """
    one_at_a_time(conn, f"import into {institution_id}")


def add(conn: Connection, institution_id: UUID, new: Import) -> None:
    """Keep a new one."""
    row: Row = {name: getattr(new, name) for name in Import.__dataclass_fields__}
    conn.execute(sa.insert(imports), row | {"institution_id": institution_id})


def one(conn: Connection, institution_id: UUID, import_id: UUID) -> Import | None:
    """The import with this id."""
    found = conn.execute(
        sa.select(*_COLUMNS).where(imports.c.institution_id == institution_id, imports.c.id == import_id)
    ).one_or_none()
    return None if found is None else Import(*found)


def listed(
    conn: Connection,
    institution_id: UUID,
    *,
    kind: Kind | None = None,
    states: Collection[State] | None = None,
    session_ids: Collection[UUID] | None = None,
    offset: int = 0,
    limit: int,
) -> list[Import]:
    """The latest first, those that were thrown away left out; of one kind, some states or some sessions' pages only,
    if asked.
    """
    wanted = [imports.c.institution_id == institution_id, imports.c.state != "thrown_away"]
    wanted += [imports.c.kind == kind] if kind else []
    wanted += [imports.c.state.in_(states)] if states is not None else []
    wanted += [imports.c.session_id.in_(session_ids)] if session_ids is not None else []
    rows = conn.execute(
        sa.select(*_COLUMNS)
        .where(*wanted)
        .order_by(imports.c.made_at.desc(), imports.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [Import(*row) for row in rows]


def applied_before(conn: Connection, institution_id: UUID, this: Import) -> Import | None:
    """Another import of the very same file that is in, the latest one."""
    found = conn.execute(
        sa.select(*_COLUMNS)
        .where(
            imports.c.institution_id == institution_id,
            imports.c.fingerprint == this.fingerprint,
            imports.c.kind == this.kind,
            imports.c.id != this.id,
            imports.c.state == "applied",
        )
        .order_by(imports.c.applied_at.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else Import(*found)


def applied_after(conn: Connection, institution_id: UUID, this: Import) -> Import | None:
    """The first import of that kind that came after this one and is in."""
    found = conn.execute(
        sa.select(*_COLUMNS)
        .where(
            imports.c.institution_id == institution_id,
            imports.c.kind == this.kind,
            imports.c.state.in_(("applied", "undoing")),
            imports.c.applied_at > this.applied_at,
        )
        .order_by(imports.c.applied_at)
        .limit(1)
    ).one_or_none()
    return None if found is None else Import(*found)


def move(
    conn: Connection,
    institution_id: UUID,
    import_id: UUID,
    before: Collection[State],
    after: State,
    now: datetime,
    **values: object,
) -> bool:
    """Bring an import from one of these states to another; False when it was in none of them."""
    moved = conn.execute(
        sa.update(imports)
        .where(imports.c.institution_id == institution_id, imports.c.id == import_id, imports.c.state.in_(before))
        .values(state=after, changed_at=now, **values)
    )
    return moved.rowcount == 1


def all_of(conn: Connection, institution_id: UUID, ids: Collection[UUID]) -> list[Import]:
    """Those of these that there are."""
    rows = conn.execute(sa.select(*_COLUMNS).where(imports.c.institution_id == institution_id, imports.c.id.in_(ids)))
    return [Import(*row) for row in rows]


def put_result(conn: Connection, institution_id: UUID, import_id: UUID, result: dict[str, Any]) -> None:
    """Keep another result of an import, whose state stays."""
    conn.execute(
        sa.update(imports)
        .where(imports.c.institution_id == institution_id, imports.c.id == import_id)
        .values(result=result)
    )


def older_than(conn: Connection, institution_id: UUID, moment: datetime) -> list[UUID]:
    """Imports with which nothing has happened since."""
    rows = conn.execute(
        sa.select(imports.c.id).where(imports.c.institution_id == institution_id, imports.c.changed_at < moment)
    )
    return list(rows.scalars())


def drop(conn: Connection, institution_id: UUID, import_id: UUID) -> bool:
    """Forget an import that is being applied and comes to nothing; False when it is in."""
    dropped = conn.execute(
        sa.delete(imports).where(
            imports.c.institution_id == institution_id, imports.c.id == import_id, imports.c.state == "applying"
        )
    )
    return dropped.rowcount == 1
