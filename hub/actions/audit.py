"""Who did what that others may ask about later. Ids, codes and numbers; no names and no addresses of students."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine

from hub.database import reading
from hub.store import audit
from hub.store.audit import Entry

MOST_SHOWN = 500


def note(conn: Connection, institution_id: UUID, now: datetime, who: str, what: str, **about: str | int | None) -> None:
    """Write down that somebody did something, in the transaction in which they did."""
    audit.add(conn, institution_id, now, who, what, {name: value for name, value in about.items() if value is not None})


def latest(engine: Engine, institution_id: UUID) -> list[Entry]:
    """What was done last, the latest first, at most `MOST_SHOWN`."""
    with reading(engine) as conn:
        return audit.latest(conn, institution_id, MOST_SHOWN)
