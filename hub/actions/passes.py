"""QR passes of students."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine

from hub.database import writing
from hub.errors import UnknownStudent
from hub.store import feed, passes
from hub.store import students as store
from sync.identifiers import Pass


def issue(
    engine: Engine, institution_id: UUID, usernames: Sequence[str], now: datetime, *, reissue: bool = False
) -> dict[str, Pass]:
    """The pass of each of these students, made for those who have none; kiosks know it with their next exchange.

    `reissue`: everybody gets a new one, and the one before is good no more. Raises `UnknownStudent`, and then makes
    none.
    """
    with writing(engine) as conn:
        students = _known(conn, institution_id, usernames)
        there = passes.of_students(conn, institution_id, students.values())
        if reissue:
            passes.drop(conn, institution_id, there)
            there = {}
        # Upper case, because a QR code of capitals and digits is the smallest.
        made = {each: secrets.token_hex(16).upper() for each in students.values() if each not in there}
        mine = {"institution_id": institution_id, "made_at": now}
        passes.add(conn, [mine | {"id": pass_id, "student_id": each} for each, pass_id in made.items()])
        feed.touch(conn, institution_id, "person", made)
    known = there | made
    return {username: Pass(known[student_id]) for username, student_id in students.items()}


def revoke(engine: Engine, institution_id: UUID, username: str) -> bool:
    """Make a student's pass good no more; whether there was one. Raises `UnknownStudent`."""
    with writing(engine) as conn:
        students = _known(conn, institution_id, [username])
        there = passes.of_students(conn, institution_id, students.values())
        passes.drop(conn, institution_id, there)
        feed.touch(conn, institution_id, "person", there)
    return bool(there)


def _known(conn: Connection, institution_id: UUID, usernames: Sequence[str]) -> dict[str, UUID]:
    """The students by username, in the order asked for, kept from other writers until the transaction ends."""
    found = {row.username: row.id for row in store.named(conn, institution_id, usernames)}
    for username in usernames:
        if username not in found:
            raise UnknownStudent(f"There is no student {username!r}. Upper and lower case count.")
    return {username: found[username] for username in usernames}
