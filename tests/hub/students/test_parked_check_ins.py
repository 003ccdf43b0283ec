"""A check-in that waited for an address counts once the address is a student's, confirmed."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from hub.actions import students
from hub.database import reading, writing
from hub.schema import events, facts, kiosks, sessions, streams
from hub.store.facts import add
from tests.hub.students.desk import ADA, Office

PARKED = "parked:unknown_address"


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
        said = {"claimed_key": "countess@example.edu", "verdict": PARKED, "hash": b"h", "body": b"{}"}
        add(conn, [mine | fact_row | said | {"received_at": now, "occurred_at": now}])
    return fact


def standing(office: Office, fact: UUID) -> tuple[str, object]:
    with reading(office.engine) as conn:
        row = conn.execute(sa.select(facts.c.verdict, facts.c.student_id).where(facts.c.id == fact)).one()
        return row.verdict, row.student_id


def test_an_imported_address_counts_what_waited_for_it(office: Office, parked: UUID) -> None:
    office.rows(ADA)
    assert standing(office, parked) == (PARKED, None)
    office.rows({**ADA, "additional_email_addresses": "Countess@Example.edu"})
    assert standing(office, parked) == ("counted", office.field("ada", "id"))


def test_an_added_address_counts_what_waited_for_it_once_confirmed(office: Office, parked: UUID) -> None:
    office.rows(ADA)
    for confirmed, expected in ((False, PARKED), (True, "counted")):
        students.add_email(office.engine, office.institution_id, "ada", "countess@example.edu", confirmed, office.now)
        assert standing(office, parked)[0] == expected


def test_rule_35_what_an_archived_student_did_is_left_to_staff(office: Office, parked: UUID) -> None:
    archived = {**ADA, "email_address": "countess@example.edu", "disabled": "TRUE"}
    office.rows(archived)
    assert standing(office, parked) == (PARKED, None)
    office.rows({**archived, "disabled": "FALSE"})
    assert standing(office, parked)[0] == "counted"
