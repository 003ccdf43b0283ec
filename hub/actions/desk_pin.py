"""The desk PIN: it opens the directory at every desk of an institution."""

from hmac import compare_digest
from uuid import UUID

from sqlalchemy import Engine
from uuid_utils.compat import uuid4

from hub.database import reading, writing
from hub.errors import HubRefused
from hub.rules.desk_pin import weakness
from hub.store import institutions
from hub.store.institutions import DeskSecret
from sync.seals import PIN_COST, new_key, new_salt, pin_key


class WeakPin(HubRefused):
    code = "weak_pin"


def choose(engine: Engine, institution_id: UUID, pin: str, cost: int = PIN_COST) -> bool:
    """Give the desks a PIN, or another one; whether that changed anything. The same one again changes nothing.

    Every kiosk is given a fresh roster, with a directory that only this PIN opens. Raises `WeakPin`.
    """
    reason = weakness(pin)
    if reason is not None:
        raise WeakPin(f"This PIN is refused: {reason}. Nothing was changed.")
    # Slow on purpose, so not while others wait for this institution.
    salt = new_salt()
    key = pin_key(pin, salt, cost)
    with reading(engine) as conn:
        there = institutions.of(conn, institution_id).desk
    if there is not None and there.cost == cost and compare_digest(pin_key(pin, there.salt, cost), there.key):
        return False
    _rotate(engine, institution_id, DeskSecret(salt, cost, key, new_key()))
    return True


def remove(engine: Engine, institution_id: UUID) -> bool:
    """Take the PIN and the directory from the desks; whether there was one."""
    with reading(engine) as conn:
        there = institutions.of(conn, institution_id).desk
    if there is not None:
        _rotate(engine, institution_id, None)
    return there is not None


def _rotate(engine: Engine, institution_id: UUID, desk: DeskSecret | None) -> None:
    with writing(engine) as conn:
        institutions.lock(conn, institution_id)
        institutions.rotate(conn, institution_id, uuid4(), new_key(), desk)
