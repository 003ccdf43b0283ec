"""One student at a time: show, add an address, remove one."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine
from uuid_utils.compat import uuid7

from hub.database import Row, reading, writing
from hub.errors import HubRefused, UnknownStudent
from hub.rules.addresses import TAKEN, UNREADABLE
from hub.store import facts, feed, freed
from hub.store import students as store
from sync.errors import Unreadable
from sync.identifiers import Email, read_email


class UnreadableAddress(HubRefused):
    """What was given is no address; `reason` is the one of `sync.errors.Unreadable`."""

    code = "unreadable_address"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This {UNREADABLE[reason]}. Example: ada@example.edu")
        self.reason = reason


class AddressTaken(HubRefused):
    code = "email_taken"


class UnknownAddress(HubRefused):
    code = "unknown_address"


class MainAddress(HubRefused):
    code = "main_address"


class ShownAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address as people see it."""

    address: str
    kind: str
    state: str
    main: bool


class ShownStudent(msgspec.Struct, frozen=True, kw_only=True):
    """A student as people see them, the main address first (RULE-2: it is preferred unless another was chosen)."""

    username: str
    disabled: bool
    excluded_from_sync: bool
    preferred_email: str | None
    emails: tuple[ShownAddress, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """The student without the address. `warning`: a code, when the next sync brings it back (RULE-14)."""

    student: ShownStudent
    warning: str | None

    STILL_IN_THE_FILE: ClassVar[str] = "still_in_the_sync_file"


def show(engine: Engine, institution_id: UUID, username: str) -> ShownStudent:
    """The student with this username. Raises `UnknownStudent`."""
    with reading(engine) as conn:
        return _shown(conn, institution_id, username)


def add_email(
    engine: Engine, institution_id: UUID, username: str, address: str, confirmed: bool, now: datetime
) -> ShownStudent:
    """Give a student one more address, pending until confirmed (RULE-3, RULE-4); again: changes nothing.

    It may have any domain (RULE-11). `confirmed` says that somebody made sure, and confirms one that is pending.
    Raises `UnknownStudent`, `UnreadableAddress` or `AddressTaken` (RULE-10).
    """
    email = _read(address)
    with writing(engine) as conn:
        student = _locked(conn, institution_id, username)
        mine = _address(conn, institution_id, student.id, email.key)
        if mine is None:
            _add(conn, institution_id, student.id, email, confirmed, now)
        elif confirmed and mine.state == "pending":
            row = {"institution_id": institution_id, "id": mine.id, "state": "confirmed", "confirmed_at": now}
            store.change_addresses(conn, [row])
        if confirmed and (mine is None or mine.state == "pending"):
            feed.touch(conn, institution_id, "person", [student.id])
            facts.settle_claims(conn, institution_id, store.claims_found(conn, institution_id))
        return _shown(conn, institution_id, username)


def remove_email(engine: Engine, institution_id: UUID, username: str, address: str, now: datetime) -> Removed:
    """Take an address from a student, as staff may (RULE-13); kiosks stop knowing it.

    When it was the preferred one, the main one is again (RULE-2). Raises `UnknownStudent`, `UnreadableAddress`,
    `UnknownAddress` or `MainAddress` (RULE-1).
    """
    email = _read(address)
    with writing(engine) as conn:
        student = _locked(conn, institution_id, username)
        mine = _address(conn, institution_id, student.id, email.key)
        if mine is None:
            raise UnknownAddress(f"{username} has no such address. `hub students show {username}` lists them.")
        if mine.main:
            raise MainAddress(
                "This is the main school address, which every student has. "
                "Import a student file with another email_address instead."
            )
        store.drop_addresses(conn, institution_id, [mine.id])
        if mine.state == "confirmed":
            freed.note(conn, institution_id, [(mine.key, student.id)], now)
        if student.preferred_address_id == mine.id:
            row = {"institution_id": institution_id, "id": student.id, "preferred_address_id": None, "changed_at": now}
            store.change(conn, [row])
        if mine.state == "confirmed":
            feed.touch(conn, institution_id, "person", [student.id])
        comes_back = mine.kind == "school" and not student.excluded_from_sync
        warning = Removed.STILL_IN_THE_FILE if comes_back else None
        return Removed(_shown(conn, institution_id, username), warning)


def exclude_from_sync(
    engine: Engine, institution_id: UUID, username: str, excluded: bool, now: datetime
) -> ShownStudent:
    """Let files that come every night change a student no longer, or again (RULE-18). Raises `UnknownStudent`."""
    with writing(engine) as conn:
        student = _locked(conn, institution_id, username)
        row = {"institution_id": institution_id, "id": student.id, "excluded_from_sync": excluded, "changed_at": now}
        store.change(conn, [row])
        return _shown(conn, institution_id, username)


def _read(address: str) -> Email:
    try:
        return read_email(address)
    except Unreadable as error:
        raise UnreadableAddress(error.reason) from error


def _locked(conn: Connection, institution_id: UUID, username: str) -> store.Found:
    found = store.named(conn, institution_id, [username])
    if not found:
        raise _unknown(username)
    return found[0]


def _address(conn: Connection, institution_id: UUID, student_id: UUID, key: str) -> store.Found | None:
    mine = store.addresses_of(conn, institution_id, [student_id])
    return next((row for row in mine if row.key == key), None)


def _add(
    conn: Connection, institution_id: UUID, student_id: UUID, email: Email, confirmed: bool, now: datetime
) -> None:
    row: Row = {
        "institution_id": institution_id,
        "id": uuid7(),
        "student_id": student_id,
        "typed": email.typed,
        "key": email.key,
        "kind": "additional",
        "main": False,
        "state": "confirmed" if confirmed else "pending",
        "origin": "added",
        "added_at": now,
        "confirmed_at": now if confirmed else None,
    }
    if not store.add_address_once(conn, row):
        raise AddressTaken(f"This address {TAKEN} by another student. Remove it there first, or use another one.")


def _shown(conn: Connection, institution_id: UUID, username: str) -> ShownStudent:
    student = store.one(conn, institution_id, username)
    if student is None:
        raise _unknown(username)
    rows = list(store.addresses_of(conn, institution_id, [student.id]))
    preferred = next((row for row in rows if row.id == student.preferred_address_id), None)
    main = next((row for row in rows if row.main), None)
    shown = preferred or main
    return ShownStudent(
        username=student.username,
        disabled=student.disabled,
        excluded_from_sync=student.excluded_from_sync,
        preferred_email=None if shown is None else shown.typed,
        emails=tuple(ShownAddress(address=row.typed, kind=row.kind, state=row.state, main=row.main) for row in rows),
    )


def _unknown(username: str) -> UnknownStudent:
    return UnknownStudent(f"There is no student {username!r}. Upper and lower case count.")
