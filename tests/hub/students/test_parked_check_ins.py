"""A check-in that waited for an address counts once the address is a student's, confirmed."""

from uuid import UUID

import sqlalchemy as sa

from hub.actions import students
from hub.database import reading
from hub.schema import facts
from tests.hub.students.desk import ADA, Office

PARKED = "parked:unknown_address"


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
