"""Usernames that change, files matched by address, and students whom automatic syncs leave alone."""

import pytest

from hub.actions import students
from hub.actions.imports import Difference, Warned
from hub.actions.imports.students import StudentFile
from tests.hub.students.desk import ADA, BO, DITA, Office, counts, on_sqlite

BY_ADDRESS = StudentFile(match_by="email_address")
RENAMING = StudentFile(match_by="email_address", identifier_changes=True)
SYNC = StudentFile(sync=True)
COUNTESS = {**ADA, "username": "countess"}
BOTH = "Attempted to update username and email_address of one student in one file: use two files, one for each"


@on_sqlite
def test_a_file_matched_by_address_updates_whose_school_address_it_is(office: Office) -> None:
    office.rows({**ADA, "additional_email_addresses": "a@students.example.edu"}, BO)
    told = {"email_address": "ADA@example.edu", "username": "", "first_name": "", "last_name": "Lovelace"}
    assert counts(office.rows(told, DITA, options=BY_ADDRESS)) == (1, 1, 0, 0, 0)
    assert office.field("ada", "last_name") == "Lovelace"
    assert counts(office.rows({**ADA, "email_address": "a@students.example.edu"}, options=BY_ADDRESS))[1] == 1
    assert office.show("ada").preferred_email == "a@students.example.edu"


@on_sqlite
def test_an_address_that_the_school_does_not_stand_for_tells_nobody(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "ada@gmail.com", True, office.now)
    result = office.rows({**BO, "email_address": "ada@gmail.com"}, options=BY_ADDRESS)
    assert office.why(result) == [("email_taken", {"email_address": ["has already been taken"]})]


@on_sqlite
def test_rule_98_a_username_changes_only_when_the_import_allows_it(office: Office) -> None:
    office.rows(ADA)
    text = "Attempted to update username from ada to countess"
    for options in (BY_ADDRESS, StudentFile(match_by="email_address", identifier_changes=True, sync=True)):
        assert office.why(office.rows(COUNTESS, options=options)) == [("identifier_change", {"username": [text]})]
    assert counts(office.rows(COUNTESS, options=RENAMING)) == (0, 1, 0, 0, 0)
    assert office.stored("ada") is None


def test_who_has_another_username_is_still_the_same_student(office: Office) -> None:
    office.rows(ADA)
    ada = office.field("ada", "id")
    office.rows(COUNTESS, options=RENAMING)
    assert office.field("countess", "id") == ada
    assert counts(office.rows(COUNTESS)) == (0, 0, 1, 0, 0)


def test_a_username_that_somebody_gave_up_may_be_a_newcomers(office: Office) -> None:
    office.rows(ADA)
    newcomer = {**ADA, "email_address": "new@example.edu"}
    assert counts(office.rows(COUNTESS, newcomer, options=RENAMING)) == (1, 1, 0, 0, 0)
    ids = {office.field(name, "id") for name in ("ada", "countess")}
    assert len(ids) == 2
    assert counts(office.rows(COUNTESS, newcomer)) == (0, 0, 2, 0, 0)


@on_sqlite
def test_a_username_of_somebody_else_is_taken(office: Office) -> None:
    office.rows(ADA, BO)
    result = office.rows({**ADA, "username": "bo"}, options=RENAMING)
    assert office.why(result) == [("username_taken", {"username": ["has already been taken"]})]


@on_sqlite
def test_rule_100_both_names_of_a_student_never_change_in_one_file(office: Office) -> None:
    office.rows({**ADA, "additional_email_addresses": "a@example.edu"})
    moved = {**COUNTESS, "email_address": "a@example.edu"}
    assert office.why(office.rows(moved, options=RENAMING)) == [("username_and_email_change", {"username": [BOTH]})]
    assert office.stored("countess") is None
    assert counts(office.rows({**ADA, "email_address": "a@example.edu"})) == (0, 1, 0, 0, 0)
    assert counts(office.rows(moved, options=RENAMING)) == (0, 1, 0, 0, 0)


@on_sqlite
@pytest.mark.parametrize("options", [StudentFile(), RENAMING])
@pytest.mark.parametrize("column", ["card_id", "auth_identifier"])
def test_rule_100_who_is_known_by_card_or_sign_in_alone_is_told_apart_from_a_newcomer(
    office: Office, options: StudentFile, column: str
) -> None:
    office.rows({**ADA, column: "7"})
    result = office.rows({**COUNTESS, "email_address": "countess@example.edu", column: "7"}, options=options)
    ((code, errors),) = office.why(result)
    assert (code, errors["username"]) == ("username_and_email_change", [BOTH])
    assert office.stored("countess") is None


@on_sqlite
def test_rule_100_two_new_names_that_nothing_connects_with_a_student_are_a_newcomer(office: Office) -> None:
    office.rows(ADA)
    assert counts(office.rows({**COUNTESS, "email_address": "countess@example.edu"})) == (1, 0, 0, 0, 0)
    assert office.show("ada").preferred_email == "ada@example.edu"


@on_sqlite
def test_rule_101_a_student_is_named_once_by_whichever_address(office: Office) -> None:
    office.rows({**ADA, "additional_email_addresses": "a@example.edu"})
    again = {"email_address": "a@example.edu", "last_name": "Byron"}
    result = office.rows({**ADA, "last_name": "Lovelace"}, again, options=BY_ADDRESS)
    assert counts(result) == (0, 1, 0, 1, 0)
    assert office.why(result) == [("repeated_in_file", {"email_address": ["repeats line 2"]})]


@on_sqlite
def test_rule_18_a_sync_leaves_excluded_students_alone(office: Office) -> None:
    office.rows(ADA, BO)
    students.exclude_from_sync(office.engine, office.institution_id, "ada", True, office.now)
    moved = {**ADA, "email_address": "countess@example.edu", "last_name": "Lovelace"}
    result = office.rows(moved, BO, options=SYNC)
    assert counts(result) == (0, 0, 1, 1, 0)
    assert result.warnings == (Warned(code="excluded_from_sync", rows=1),)
    assert [code for code, _ in office.why(result)] == ["excluded_from_sync"]
    assert office.show("ada").preferred_email == "ada@example.edu"

    assert counts(office.rows(moved)) == (0, 1, 0, 0, 0)
    students.exclude_from_sync(office.engine, office.institution_id, "ada", False, office.now)
    assert counts(office.rows({**moved, "last_name": "Byron"}, options=SYNC)) == (0, 1, 0, 0, 0)


@on_sqlite
def test_rule_14_no_sync_brings_back_what_an_excluded_student_lost(office: Office) -> None:
    row = {**DITA, "additional_email_addresses": "d@example.edu"}
    office.rows(row)
    students.exclude_from_sync(office.engine, office.institution_id, "dita", True, office.now)
    removed = students.remove_email(office.engine, office.institution_id, "dita", "d@example.edu", office.now)
    assert removed.warning is None
    office.rows(row, options=SYNC)
    assert len(office.show("dita").emails) == 1


@on_sqlite
def test_old_and_new_values_stand_side_by_side(office: Office) -> None:
    office.rows({**ADA, "card_id": "7", "system_label_names": "athletes"})
    changed = {
        "email_address": "countess@example.edu",
        "username": "ada",
        "first_name": "Augusta",
        "last_name": "Lovelace",
        "card_id": "8",
        "additional_email_addresses": "ada@example.edu",
        "system_label_names": "",
        "disabled": "TRUE",
    }
    headers = ",".join(changed) + "\n"
    (updated,) = office.do(headers + ",".join(changed.values())).report.updated
    assert updated.line == 2
    assert set(updated.outcome.differences) == {
        Difference("email_address", "ada@example.edu", "countess@example.edu"),
        Difference("additional_email_addresses", None, "ada@example.edu"),
        Difference("first_name", "Ada", "Augusta"),
        Difference("last_name", None, "Lovelace"),
        Difference("card_id", "7", "8"),
        Difference("system_label_names", "athletes", None),
        Difference("disabled", "FALSE", "TRUE"),
    }
