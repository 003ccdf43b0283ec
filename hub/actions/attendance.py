"""How many came: counted from facts, each time it is asked."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from hub.database import reading
from hub.store import attendance, events, institutions, kiosks
from hub.store.attendance import Count
from hub.store.events import Session
from hub.store.kiosks import Listed


@dataclass(frozen=True, slots=True)
class Counted:
    """One session's numbers, and what every kiosk in use still holds back."""

    count: Count
    kiosks: list[Listed]


@dataclass(frozen=True, slots=True)
class Today:
    """Today's sessions with their numbers, and every kiosk, those that were cut off included."""

    institution: str
    sessions: list[tuple[Session, Count]]
    kiosks: list[Listed]
    out_of_place: int


def count(engine: Engine, institution_id: UUID, session_id: UUID) -> Counted:
    """The numbers of one session. Raises `UnknownSession`."""
    with reading(engine) as conn:
        events.there(conn, institution_id, session_id)
        numbers = attendance.counts(conn, institution_id, [session_id])[session_id]
        return Counted(numbers, _in_use(kiosks.everyone(conn, institution_id)))


def today(engine: Engine, institution_id: UUID, day: date, zone: ZoneInfo) -> Today:
    """Every session that touches a day in a time zone, with its numbers."""
    start, end = _span(day, zone)
    with reading(engine) as conn:
        sessions = events.between(conn, institution_id, start, end)
        numbers = attendance.counts(conn, institution_id, [session.id for session in sessions])
        return Today(
            institutions.of(conn, institution_id).name,
            [(session, numbers[session.id]) for session in sessions],
            kiosks.everyone(conn, institution_id),
            attendance.out_of_place(conn, institution_id),
        )


def stamp(engine: Engine, institution_id: UUID) -> tuple[object, ...]:
    """Equal to an earlier one only if `today` would say the same, but for the seconds a kiosk was last heard of."""
    with reading(engine) as conn:
        found = attendance.stamp(conn, institution_id)
    return tuple(each.replace(second=0, microsecond=0) if isinstance(each, datetime) else each for each in found)


def _span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _in_use(found: list[Listed]) -> list[Listed]:
    return [kiosk for kiosk in found if kiosk.revoked_at is None or kiosk.waiting]
