"""An address that was somebody else's until lately is looked at twice, and says nothing of what happened before."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub.actions import merging, students
from hub.actions.imports import Warned
from hub.store.events import Session
from sync.messages import PushAnswer
from tests.hub.conftest import Institution
from tests.hub.desk import enrolled
from tests.hub.students.desk import ADA, BO, CEM, DITA, Office, Row, as_csv, counts, on_sqlite
from tests.hub.students.test_parked_check_ins import PARKED, standing

COUNTESS: Row = {**ADA, "email_address": "countess@example.edu"}
NEWCOMER: Row = {**BO, "email_address": "countess@example.edu"}
LINE_3 = Warned(code="recently_freed", rows=1, lines=(3,))
MORE = "additional_email_addresses"


@on_sqlite
@pytest.mark.parametrize(("days", "warnings"), [(179, (LINE_3,)), (181, ())])
def test_who_gets_an_address_that_was_anothers_until_lately_is_flagged_and_is_somebody_of_their_own(
    office: Office, days: int, warnings: tuple[Warned, ...]
) -> None:
    office.rows(COUNTESS)
    office.rows(ADA)
    office.now += timedelta(days=days)
    done = office.do(as_csv([DITA, NEWCOMER]))
    assert counts(done.result) == (2, 0, 0, 0, 0)
    assert done.result.warnings == warnings
    assert [(row.line, row.outcome.who, row.outcome.flags) for row in done.report.flagged] == [
        (3, "bo", ("recently_freed",)) for _ in warnings
    ]
    assert office.field("bo", "id") != office.field("ada", "id")
    assert office.show("ada").preferred_email == "ada@example.edu"


@on_sqlite
def test_an_address_taken_by_hand_is_freed_too(office: Office) -> None:
    office.rows(ADA, CEM)
    for confirmed, address in ((True, "ada@gmail.com"), (False, "a@gmail.com")):
        students.add_email(office.engine, office.institution_id, "ada", address, confirmed, office.now)
        students.remove_email(office.engine, office.institution_id, "ada", address, office.now)
    result = office.rows({**CEM, "email_address": "a@gmail.com"}, {**BO, "email_address": "ada@gmail.com"})
    assert result.warnings == (LINE_3,)


@on_sqlite
def test_within_one_file_too_an_address_may_pass_from_one_to_another(office: Office) -> None:
    office.rows(COUNTESS)
    assert office.rows(ADA, NEWCOMER).warnings == (LINE_3,)


@on_sqlite
def test_who_gets_their_own_address_back_is_not_flagged(office: Office) -> None:
    office.rows(COUNTESS)
    office.rows(ADA)
    assert office.rows(COUNTESS).warnings == ()


@on_sqlite
def test_who_got_their_own_address_back_was_there_before_they_lost_it(office: Office, parked: UUID) -> None:
    office.rows({**ADA, MORE: "countess@example.edu", "disabled": "TRUE"})
    office.now += timedelta(days=1)
    office.rows({**ADA, MORE: "**CLEAR**"})
    office.rows({**ADA, MORE: "countess@example.edu", "disabled": "FALSE"})
    assert standing(office, parked) == ("counted", office.field("ada", "id"))


@on_sqlite
def test_what_an_undone_import_freed_was_never_freed(office: Office, parked: UUID) -> None:
    office.rows({**ADA, MORE: "countess@example.edu", "disabled": "TRUE"}, BO)
    office.now += timedelta(days=1)
    office.rows({**ADA, MORE: "**CLEAR**"})
    office.undo()
    merging.merge(office.engine, office.institution_id, "ada", "bo", office.now)
    office.rows({**BO, "disabled": "FALSE"})
    assert standing(office, parked) == ("counted", office.field("bo", "id"))


def test_a_check_in_made_while_an_address_was_anothers_is_left_to_staff(office: Office, parked: UUID) -> None:
    students_address = {**ADA, MORE: "countess@example.edu"}
    office.rows({**students_address, "disabled": "TRUE"})
    assert standing(office, parked) == (PARKED, None)
    office.now += timedelta(days=1)
    office.rows({**ADA, MORE: "**CLEAR**"})
    office.rows(NEWCOMER)
    assert standing(office, parked) == (PARKED, None)


def test_a_check_in_made_after_an_address_was_freed_is_the_newcomers(office: Office, parked: UUID) -> None:
    office.now -= timedelta(days=1)
    office.rows({**COUNTESS, "disabled": "TRUE"})
    office.rows(ADA)
    office.rows(NEWCOMER)
    assert standing(office, parked) == ("counted", office.field("bo", "id"))


@pytest.mark.parametrize(("freed_ago", "verdict"), [(timedelta(hours=1), "counted"), (timedelta(minutes=1), PARKED)])
def test_a_check_in_that_arrives_late_is_judged_by_whose_the_address_was(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    office: Office,
    freed_ago: timedelta,
    verdict: str,
) -> None:
    desk = enrolled(engine, institution.id, office.now)
    desk.note(session.id, "countess@example.edu")  # ten minutes before it is handed over
    office.now = datetime.now(UTC) - freed_ago
    office.rows(COUNTESS)
    office.rows(ADA, NEWCOMER)
    answer: PushAnswer = desk.hand_over(client)
    assert [receipt.verdict for receipt in answer.receipts] == [verdict]
