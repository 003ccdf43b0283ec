from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.database import writing
from hub.schema import events, kiosks, sessions, streams
from hub.store.facts import add
from tests.hub.conftest import Institution
from tests.hub.students.desk import Office


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, institution.id, tmp_path, now)


@pytest.fixture
def elsewhere(engine: Engine, other_institution: Institution, tmp_path: Path, now: datetime) -> Office:
    """The office of another institution on the same hub."""
    return Office(engine, other_institution.id, tmp_path, now)


@pytest.fixture
def parked(office: Office) -> UUID:
    """A check-in of somebody who typed countess@example.edu, which nobody knew."""
    kiosk, stream, event, session, fact = (uuid7() for _ in range(5))
    mine, now = {"institution_id": office.institution_id}, office.now
    with writing(office.engine) as conn:
        kiosk_row = {"id": kiosk, "name": "Door", "token_hash": b"t", "app": "test", "enrolled_at": now}
        conn.execute(sa.insert(kiosks), mine | kiosk_row)
        stream_row = {"id": stream, "kiosk_id": kiosk, "acked_seq": 1, "acked_hash": b"h", "head_seq": 1}
        conn.execute(sa.insert(streams), mine | stream_row | {"heard_at": now})
        span = {"name": "Fair", "starts": now, "ends": now}
        conn.execute(sa.insert(events), mine | span | {"id": event, "kind": "event", "made_at": now})
        conn.execute(sa.insert(sessions), mine | span | {"id": session, "event_id": event, "number": 1})
        fact_row = {"stream_id": stream, "seq": 1, "id": fact, "kind": "check_in", "session_id": session}
        said = {"claimed_key": "countess@example.edu", "verdict": "parked:unknown_address", "hash": b"h", "body": b"{}"}
        add(conn, [mine | fact_row | said | {"received_at": now, "occurred_at": now}])
    return fact
