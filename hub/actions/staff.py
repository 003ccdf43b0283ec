"""Who may sign in at an institution: let somebody in, show everybody, let somebody in no more."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine

from hub.actions import audit
from hub.database import one_at_a_time, reading, writing
from hub.errors import HubRefused
from hub.rules.roles import ADMIN
from hub.store import staff
from hub.store.staff import Member


def everyone(engine: Engine, institution_id: UUID) -> list[Member]:
    """An institution's staff, by address, those who may not sign in any more included."""
    with reading(engine) as conn:
        return staff.everyone(conn, institution_id)


def add(
    engine: Engine, institution_id: UUID, email: str, password_hash: str, role: str, who: str, now: datetime
) -> None:
    """Let somebody sign in, for the first time or again. Raises `HubRefused` when the address is in use."""
    values = {
        "email": email,
        "password": password_hash,
        "active": True,
        # Another one: who was signed in somewhere under the old one is no longer.
        "fs_uniquifier": uuid4().hex,
        "update_datetime": now,
    }
    with writing(engine) as conn:
        there = _alone_with(conn, institution_id, email)
        if there is not None and (there.active or there.institution_id != institution_id):
            raise HubRefused(
                f"Somebody signs in with {email} already. `hub staff list` shows who, if it is one of yours."
            )
        if there is None:
            staff.add(conn, {"institution_id": institution_id, "create_datetime": now, **values}, role)
        else:
            staff.change(conn, there.id, values, role)
        audit.note(conn, institution_id, now, who, "add_staff", email=email, role=role)


def remove(engine: Engine, institution_id: UUID, email: str, who: str, now: datetime) -> None:
    """Let somebody sign in no more, from their next click on. Raises `HubRefused` for a stranger and the last admin."""
    with writing(engine) as conn:
        there = _alone_with(conn, institution_id, email)
        if there is None or there.institution_id != institution_id or not there.active:
            raise HubRefused(f"Nobody here signs in with {email}. `hub staff list` shows who does.")
        admins = [each for each in staff.everyone(conn, institution_id) if each.active and each.role == ADMIN]
        if [each.id for each in admins] == [there.id]:
            raise HubRefused(f"{there.email} is the only admin left. Add another one first, with `hub staff add`.")
        staff.change(conn, there.id, {"active": False, "update_datetime": now})
        audit.note(conn, institution_id, now, who, "remove_staff", email=there.email)


def _alone_with(conn: Connection, institution_id: UUID, email: str) -> Member | None:
    # Two admins who remove each other at the same time would leave none.
    one_at_a_time(conn, f"staff of {institution_id}")
    return staff.find(conn, email)
