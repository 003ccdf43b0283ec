"""What a file tells nobody who may upload it but not see students, and nobody about other institutions."""

import msgspec

from hub.actions import merging, students
from hub.actions.imports import Difference, Done, Kept
from hub.actions.imports.students import StudentFile
from tests.hub.students.desk import ADA, BO, Office, Row, as_csv, on_sqlite

MORE = "additional_email_addresses"
STORED = {**ADA, "last_name": "Lovelace", "card_id": "70001", MORE: "ada.byron@example.edu; countess@example.edu"}
BY_ADDRESS = StudentFile(match_by="email_address")


def untold(office: Office, row: Row, options: StudentFile = StudentFile()) -> Done:  # noqa: B008 - it is frozen
    return office.do(as_csv([row]), options, sees_students=False)


@on_sqlite
def test_what_changes_is_told_with_nothing_but_what_the_file_says(office: Office) -> None:
    office.rows(STORED, {**BO, "card_id": "70002"})
    merging.merge(office.engine, office.institution_id, "bo", "ada", office.now)
    said = {"last_name": "**CLEAR**", "card_id": "80001", MORE: "new@example.edu"}
    report = untold(office, {**ADA, **said}).report
    assert report.updated[0].outcome.differences == (
        Difference(MORE, "", "new@example.edu"),
        Difference("card_id", "", "80001"),
        Difference("last_name", "", None),
    )
    written = msgspec.json.encode(report).decode()
    assert [each for each in ("Lovelace", "7000", "byron", "countess", "bo@") if each in written] == []


@on_sqlite
def test_what_changes_though_the_file_does_not_say_it_is_not_told(office: Office) -> None:
    office.rows(STORED)
    (row,) = untold(office, {**ADA, "email_address": "countess@example.edu"}).report.updated
    assert row.outcome.differences == (Difference("email_address", "", "countess@example.edu"),)
    (row,) = untold(office, {**ADA, "email_address": "countess@example.edu", MORE: "**CLEAR**"}).report.updated
    assert row.outcome.differences == (Difference(MORE, "", None),)


@on_sqlite
def test_people_are_called_what_the_file_calls_them(office: Office) -> None:
    office.rows(STORED)
    nameless = {"email_address": "Countess@example.edu", "username": "", "first_name": ""}
    for told in ({"last_name": "Byron"}, {"auth_identifier": "SSO-1"}, {"gender": "female"}):
        report = untold(office, {**nameless, **told}, BY_ADDRESS).report
        (row,) = (*report.updated, *report.rejected)
        assert row.outcome.who == "Countess@example.edu"
    every_night = StudentFile(match_by="email_address", sync=True)
    held = {**nameless, "email_address": "ada.byron@example.edu", "last_name": "King"}
    (row,) = untold(office, held, every_night).report.updated
    assert (row.outcome.who, row.outcome.differences[0].column) == ("ada.byron@example.edu", "last_name")


@on_sqlite
def test_identifiers_that_would_change_are_told_without_the_ones_before(office: Office) -> None:
    office.rows({**STORED, "auth_identifier": "SSO-1"})
    (row,) = untold(office, {**ADA, "username": "countess", "auth_identifier": "SSO-2"}, BY_ADDRESS).report.rejected
    assert [(each.text, each.about) for each in row.outcome.wrong] == [
        ("Attempted to update username to countess", {"new": "countess"}),
        ("Attempted to update auth_identifier to SSO-2", {"new": "SSO-2"}),
    ]


@on_sqlite
def test_who_is_not_put_back_is_called_what_the_file_called_them(office: Office) -> None:
    office.rows(ADA)
    office.rows({**ADA, "username": "", "first_name": "", "last_name": "Byron"}, options=BY_ADDRESS)
    students.add_email(office.engine, office.institution_id, "ada", "ada@gmail.com", False, office.now)
    assert office.undo().told == (Kept("ada@example.edu", "changed_since"),)


@on_sqlite
def test_a_file_does_not_find_out_whose_addresses_on_other_domains_are(office: Office, elsewhere: Office) -> None:
    elsewhere.rows({**BO, "email_address": "bo@elsewhere.edu"})
    students.add_email(elsewhere.engine, elsewhere.institution_id, "bo", "bo@gmail.com", True, office.now)
    said = [office.why(office.rows({**ADA, MORE: f"{name}@gmail.com"})) for name in ("bo", "no")]
    assert said == [
        [("foreign_address", {MORE: [f"{name}@gmail.com is not on a mail domain of this institution"]})]
        for name in ("bo", "no")
    ]
