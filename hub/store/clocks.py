"""What was learnt of kiosks' clocks: one sample for each run of a kiosk's kernel, the latest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.database import put
from hub.schema import clock_samples


@dataclass(frozen=True, slots=True)
class Heard:
    """The hub's time when so much time had passed since a kiosk's kernel was started."""

    boot: str
    since_boot_ms: int
    hub_time: datetime


def keep(conn: Connection, institution_id: UUID, kiosk_id: UUID, heard: Heard) -> None:
    """From now on this is the sample of its run, if that has a name that can be kept."""
    if not _can_be_kept(heard.boot):
        return
    row = {
        "institution_id": institution_id,
        "kiosk_id": kiosk_id,
        "boot": heard.boot,
        "since_boot_ms": heard.since_boot_ms,
        "hub_time": heard.hub_time,
    }
    put(conn, clock_samples, [row])


def of(conn: Connection, institution_id: UUID, kiosk_id: UUID, boots: Iterable[str]) -> list[Heard]:
    """The samples of these runs, as far as there are any."""
    rows = conn.execute(
        sa.select(clock_samples.c.boot, clock_samples.c.since_boot_ms, clock_samples.c.hub_time).where(
            clock_samples.c.institution_id == institution_id,
            clock_samples.c.kiosk_id == kiosk_id,
            clock_samples.c.boot.in_(list(filter(_can_be_kept, boots))),
        )
    )
    return [Heard(*row) for row in rows]


def _can_be_kept(boot: str) -> bool:
    # PostgreSQL has no text with a NUL in it. No kernel names its runs so.
    return "\0" not in boot
