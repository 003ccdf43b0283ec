"""Each rule of the student file, on both databases where they might differ."""

import pytest

from hub.actions import students
from hub.actions.imports import Warned
from hub.actions.imports.students import StudentFile
from hub.errors import UnreadableFile
from tests.hub.students.desk import ADA, BO, CEM, DITA, Office, as_csv, counts, on_sqlite

START = "primary_education:start_date"
END = "primary_education:end_date"
TOO_EARLY = {"primary_education.end_date": ["must be a date on or after primary_education:start_date"]}
MORE = "additional_email_addresses"


def test_rule_1_the_email_address_is_the_one_main_school_address(office: Office) -> None:
    office.rows(ADA)
    assert office.addresses("ada") == [("ada@example.edu", "school", "confirmed", True)]
    office.rows({**ADA, "email_address": "countess@example.edu"})
    assert office.addresses("ada") == [("countess@example.edu", "school", "confirmed", True)]


def test_rule_2_the_main_address_is_preferred_unless_another_was_chosen(office: Office) -> None:
    office.rows(ADA)
    assert office.show("ada").preferred_email == "ada@example.edu"


def test_a_changed_address_is_released_and_a_later_row_may_take_it(office: Office) -> None:
    office.rows(ADA)
    result = office.rows({**ADA, "email_address": "countess@example.edu"}, {**BO, "email_address": "ada@example.edu"})
    assert counts(result) == (1, 1, 0, 0, 0)
    assert office.addresses("bo") == [("ada@example.edu", "school", "confirmed", True)]


def test_a_changed_address_that_the_row_also_lists_as_additional_stays(office: Office) -> None:
    office.rows(ADA)
    office.rows({**ADA, "email_address": "countess@example.edu", MORE: "ada@example.edu"})
    assert office.addresses("ada") == [
        ("countess@example.edu", "school", "confirmed", True),
        ("ada@example.edu", "school", "confirmed", False),
    ]


def test_an_address_the_student_has_already_becomes_the_main_one(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "ada@gmail.com", False, office.now)
    office.rows({**ADA, "email_address": "ada@gmail.com"})
    assert office.addresses("ada") == [("ada@gmail.com", "school", "confirmed", True)]


def test_a_confirmed_address_of_the_student_outlives_its_time_as_the_main_one(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "ada@gmail.com", True, office.now)
    office.rows({**ADA, "email_address": "ada@gmail.com"})
    office.rows(ADA)
    assert office.addresses("ada") == [
        ("ada@example.edu", "school", "confirmed", True),
        ("ada@gmail.com", "additional", "confirmed", False),
    ]
    assert counts(office.rows(ADA)) == (0, 0, 1, 0, 0)


def test_a_confirmed_address_of_the_student_outlives_its_time_in_the_file(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "a@example.edu", True, office.now)
    listed = {**ADA, MORE: "a@example.edu"}
    assert counts(office.rows(listed)) == (0, 1, 0, 0, 0)
    assert counts(office.rows(listed)) == (0, 0, 1, 0, 0)
    assert ("a@example.edu", "school", "confirmed", False) in office.addresses("ada")
    office.rows({**ADA, MORE: "**CLEAR**"})
    assert ("a@example.edu", "additional", "confirmed", False) in office.addresses("ada")
    assert counts(office.rows({**ADA, MORE: "**CLEAR**"})) == (0, 0, 1, 0, 0)


def test_an_address_that_only_the_school_confirmed_goes_with_it(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "a@example.edu", False, office.now)
    office.rows({**ADA, MORE: "a@example.edu"})
    office.rows({**ADA, MORE: "**CLEAR**"})
    assert office.addresses("ada") == [("ada@example.edu", "school", "confirmed", True)]


def test_rule_10_a_pending_address_of_another_student_is_taken_too(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "bo@example.edu", False, office.now)
    assert office.why(office.rows(BO)) == [("email_taken", {"email_address": ["has already been taken"]})]


def test_rule_10_an_address_at_another_institution_is_taken_too(office: Office, elsewhere: Office) -> None:
    office.rows({**ADA, "email_address": "ada@gmail.com"})
    assert counts(elsewhere.rows({**BO, "email_address": "ADA@gmail.com"})) == (0, 0, 0, 0, 1)


def test_rule_11_additional_addresses_are_on_a_domain_of_the_institution_or_below_one(office: Office) -> None:
    office.rows({**ADA, MORE: "ada@alumni.example.edu; ada@students.example.edu;"})
    assert office.addresses("ada") == [
        ("ada@example.edu", "school", "confirmed", True),
        ("ada@alumni.example.edu", "school", "confirmed", False),
        ("ada@students.example.edu", "school", "confirmed", False),
    ]


@on_sqlite
@pytest.mark.parametrize("address", ["bo@gmail.com", "bo@elsewhere.edu", "bo@notexample.edu"])
def test_rule_11_an_additional_address_on_another_domain_fails_the_row_by_name(
    office: Office, elsewhere: Office, address: str
) -> None:
    result = office.rows({**BO, MORE: f"bo@students.example.edu;{address}"})
    text = f"{address} is not on a mail domain of this institution"
    assert office.why(result) == [("foreign_address", {MORE: [text]})]
    assert office.stored("bo") is None


def test_additional_addresses_are_only_ever_added(office: Office) -> None:
    office.rows({**ADA, MORE: "ada@students.example.edu"})
    office.rows({**ADA, MORE: "a@students.example.edu"})
    office.rows({**ADA, MORE: ""})
    assert len(office.show("ada").emails) == 3


def test_an_additional_address_of_somebody_else_fails_the_row_by_name(office: Office) -> None:
    office.rows(ADA)
    result = office.rows({**BO, MORE: "Ada@example.edu"})
    assert office.why(result) == [("email_taken", {MORE: ["Ada@example.edu has already been taken"]})]


def test_rule_15_an_address_the_student_added_is_confirmed_once_the_school_lists_it(office: Office) -> None:
    office.rows(ADA)
    students.add_email(office.engine, office.institution_id, "ada", "a@students.example.edu", False, office.now)
    before = office.position()
    office.rows({**ADA, MORE: "a@students.example.edu"})
    assert ("a@students.example.edu", "school", "confirmed", False) in office.addresses("ada")
    assert office.position() == before + 1


def test_rule_36_addresses_are_compared_without_case_and_blanks(office: Office) -> None:
    office.rows(ADA)
    result = office.rows({**BO, "email_address": "  ADA@Example.EDU "})
    assert office.why(result) == [("email_taken", {"email_address": ["has already been taken"]})]


@on_sqlite
def test_rule_84_an_unknown_header_is_reported_and_ignored(office: Office) -> None:
    result = office.rows({**ADA, "shoe_size": "36", "campus_nam": "North", "Disabled": "TRUE"})
    assert counts(result) == (1, 0, 0, 0, 0)
    assert result.warnings == (
        Warned(code="header_taken_for", header="Disabled", did_you_mean="disabled"),
        Warned(code="unknown_header", header="shoe_size"),
        Warned(code="unknown_header", header="campus_nam", did_you_mean="campus_name"),
    )
    assert office.show("ada").disabled
    assert office.field("ada", "attributes") == {}


def test_rule_85_a_blank_cell_keeps_the_stored_value(office: Office) -> None:
    full = {"last_name": "Lovelace", "card_id": "007", "campus_name": "North", "school_year_name": "Senior"}
    office.rows({**ADA, **full, "disabled": "TRUE"})
    before = office.stored("ada")
    blank = dict.fromkeys(["email_address", "first_name", *full, "disabled", "auth_identifier", MORE, END], " ")
    assert counts(office.rows({"username": "ada", **blank})) == (0, 0, 1, 0, 0)
    assert office.stored("ada") == before


def test_rule_86_clear_erases_what_is_stored(office: Office) -> None:
    columns = ("last_name", "card_id", "campus_name", "school_year_name")
    office.rows({**ADA, **dict(zip(columns, ("Lovelace", "007", "North", "Senior"), strict=True))})
    office.rows({**ADA, **dict.fromkeys(columns, "**CLEAR**")})
    stored = office.stored("ada")
    assert stored is not None
    assert (stored["last_name"], stored["school_year_name"]) == (None, None)
    assert stored["cards"] == set()
    assert stored["attributes"] == {}


def test_rule_86_clear_erases_the_additional_addresses_that_came_by_file(office: Office) -> None:
    office.rows({**ADA, MORE: "ada@students.example.edu"})
    students.add_email(office.engine, office.institution_id, "ada", "ada@gmail.com", True, office.now)
    office.rows({**ADA, MORE: "**CLEAR**"})
    assert [each.address for each in office.show("ada").emails] == ["ada@example.edu", "ada@gmail.com"]


@on_sqlite
@pytest.mark.parametrize("column", ["email_address", "username", "first_name"])
def test_rule_86_what_every_student_has_cannot_be_cleared(office: Office, column: str) -> None:
    assert office.why(office.rows({**ADA, column: "**CLEAR**"})) == [("blank", {column: ["can't be blank"]})]


@on_sqlite
@pytest.mark.parametrize("column", ["disabled", "primary_education:currently_attending", "veteran"])
def test_rule_87_a_boolean_cannot_be_cleared(office: Office, column: str) -> None:
    result = office.rows({**ADA, column: "**CLEAR**"})
    assert office.why(result) == [("not_clearable", {column: ["must be TRUE or FALSE and cannot be cleared"]})]


@on_sqlite
@pytest.mark.parametrize("value", ["True", "yes", "1", "FALSCH"])
def test_a_boolean_is_all_upper_or_all_lower_case(office: Office, value: str) -> None:
    result = office.rows({**ADA, "disabled": value})
    assert office.why(result) == [("not_a_boolean", {"disabled": ["must be TRUE or FALSE"]})]


def test_rule_88_labels_are_replaced_by_a_blank_cell_and_kept_without_the_column(office: Office) -> None:
    office.rows({**ADA, "system_label_names": "athletes;2027"})
    office.rows(ADA)
    assert office.field("ada", "attributes") == {"system_label_names": "athletes;2027"}
    office.rows({**ADA, "system_label_names": ""})
    assert office.field("ada", "attributes") == {}


def test_rule_89_an_unknown_username_creates_and_a_known_one_updates(office: Office) -> None:
    assert counts(office.rows(ADA)) == (1, 0, 0, 0, 0)
    assert counts(office.rows({**ADA, "first_name": "Augusta"}, BO)) == (1, 1, 0, 0, 0)
    assert office.field("ada", "first_name") == "Augusta"


def test_rule_90_a_new_student_whose_address_is_taken_fails_with_the_documented_message(office: Office) -> None:
    office.rows(ADA)
    result = office.rows({**BO, "email_address": "ada@example.edu"})
    message = office.failed_rows(result)[1][-1]
    assert message == '{"success":false,"errors":{"email_address":["has already been taken"]}}'
    assert office.stored("bo") is None


@on_sqlite
@pytest.mark.parametrize("column", ["email_address", "username", "first_name"])
def test_rule_91_a_new_student_lacks_nothing_mandatory(office: Office, column: str) -> None:
    assert office.why(office.rows({**ADA, column: ""})) == [("blank", {column: ["can't be blank"]})]


def test_rule_92_a_card_of_another_student_fails_the_row(office: Office) -> None:
    office.rows({**ADA, "card_id": "0012341234"})
    result = office.rows({**BO, "card_id": "0012341234"})
    assert office.why(result) == [("card_taken", {"card_id": ["has already been taken"]})]


def test_an_sso_identifier_of_another_student_fails_the_row(office: Office) -> None:
    office.rows({**ADA, "auth_identifier": "a1"})
    result = office.rows({**BO, "auth_identifier": "a1"})
    assert office.why(result) == [("auth_identifier_taken", {"auth_identifier": ["has already been taken"]})]


def test_cards_keep_their_leading_zeros_and_a_new_one_replaces_the_old(office: Office) -> None:
    office.rows({**ADA, "card_id": "007"})
    assert office.field("ada", "cards") == {"007"}
    result = office.rows({**ADA, "card_id": "008"}, {**DITA, "card_id": "007"})
    assert counts(result) == (1, 1, 0, 0, 0)
    assert (office.field("ada", "cards"), office.field("dita", "cards")) == ({"008"}, {"007"})


@on_sqlite
def test_rule_93_an_end_before_the_start_fails_the_row(office: Office) -> None:
    result = office.rows({**ADA, START: "2026-09-01", END: "2026-08-31"})
    assert office.why(result) == [("end_before_start", TOO_EARLY)]


@on_sqlite
def test_rule_94_an_end_on_the_day_of_the_start_is_fine(office: Office) -> None:
    assert counts(office.rows({**ADA, START: "2026-09-01 09:00:00", END: "2026-09-01"})) == (1, 0, 0, 0, 0)


@on_sqlite
def test_rule_95_a_new_start_is_compared_with_the_stored_end(office: Office) -> None:
    office.rows({**ADA, END: "2025-06-30"})
    assert office.why(office.rows({**ADA, START: "2026-09-01", END: ""})) == [("end_before_start", TOO_EARLY)]
    assert counts(office.rows({**ADA, START: "2026-09-01", END: "**CLEAR**"})) == (0, 1, 0, 0, 0)
    assert office.field("ada", "attributes") == {START: "2026-09-01"}


@on_sqlite
@pytest.mark.parametrize("value", ["01/09/2026", "2026-02-30", "2026-9-1", "2026-09-01 25:00:00", "**clear**"])
def test_what_is_no_date_fails_the_row(office: Office, value: str) -> None:
    result = office.rows({**ADA, START: value})
    assert office.why(result) == [("not_a_date", {START: ["is not a date (yyyy-mm-dd)"]})]


@on_sqlite
@pytest.mark.parametrize("value", ["2026-09-01", "2026-09-01 10:00:00", "2026-09-01 10:00:00 +0200"])
def test_dates_come_in_three_forms(office: Office, value: str) -> None:
    assert counts(office.rows({**ADA, START: value})) == (1, 0, 0, 0, 0)


@on_sqlite
@pytest.mark.parametrize("column", ["school_year_name", "institution_year_name"])
def test_rule_96_presets_are_case_sensitive_and_the_right_spelling_is_offered(office: Office, column: str) -> None:
    result = office.rows({**ADA, column: "ALUMNI"})
    assert office.why(result) == [("wrong_case", {column: ["is case sensitive: write Alumni"]})]
    office.rows({**ADA, column: "Alumni"})
    assert office.field("ada", "school_year_name") == "Alumni"


@on_sqlite
def test_old_names_of_school_years_become_the_new_ones(office: Office) -> None:
    office.rows({**ADA, "school_year_name": "Graduate"}, {**BO, "school_year_name": "Post Graduate"})
    assert (office.field("ada", "school_year_name"), office.field("bo", "school_year_name")) == (
        "Masters",
        "Doctorate",
    )


def test_rule_97_rows_on_another_institutions_domain_are_skipped_and_counted(office: Office, elsewhere: Office) -> None:
    result = office.rows(
        {**ADA, "email_address": "ada@gmail.com"},
        {**BO, "email_address": "bo@elsewhere.edu"},
        {**CEM, "email_address": "cem@cs.elsewhere.edu"},
    )
    assert counts(result) == (1, 0, 0, 2, 0)
    assert result.warnings == (Warned(code="foreign_domain", domain="elsewhere.edu", rows=2),)
    assert [code for code, _ in office.why(result)] == ["foreign_domain", "foreign_domain"]


def test_rule_20_nobody_moves_to_an_address_of_another_institution(office: Office, elsewhere: Office) -> None:
    office.rows(ADA)
    assert counts(office.rows({**ADA, "email_address": "ada@elsewhere.edu"})) == (0, 0, 0, 1, 0)
    assert office.show("ada").preferred_email == "ada@example.edu"


@on_sqlite
def test_rule_98_an_sso_identifier_changes_only_when_the_import_allows_it(office: Office) -> None:
    office.rows({**ADA, "auth_identifier": "A"})
    changed = {**ADA, "auth_identifier": "B", "last_name": "Lovelace"}
    text = "Attempted to update auth_identifier from A to B"
    assert office.why(office.rows(changed)) == [("identifier_change", {"auth_identifier": [text]})]
    assert office.field("ada", "last_name") is None
    assert counts(office.rows(changed, options=StudentFile(identifier_changes=True))) == (0, 1, 0, 0, 0)
    assert office.field("ada", "auth_identifier") == "B"


def test_a_first_sso_identifier_is_no_change(office: Office) -> None:
    office.rows(ADA)
    assert counts(office.rows({**ADA, "auth_identifier": "A"})) == (0, 1, 0, 0, 0)


@pytest.mark.parametrize(("changes", "applied"), [(9, True), (10, False)])
def test_rule_99_a_sync_applies_fewer_than_a_tenth_of_changed_addresses_or_none(
    office: Office, changes: int, applied: bool
) -> None:
    people = [
        {"email_address": f"s{n}@example.edu", "username": f"s{n}", "first_name": f"S{n}", "campus_name": "North"}
        for n in range(100)
    ]
    office.rows(*people)
    moved = [{**row, "email_address": f"new-{row['email_address']}"} for row in people[:changes]]
    result = office.rows(*moved, *people[changes:], options=StudentFile(sync=True))
    assert result.updated == (changes if applied else 0)
    assert office.show("s0").preferred_email == ("new-s0@example.edu" if applied else "s0@example.edu")
    held = () if applied else (Warned(code="emails_held", rows=10),)
    assert result.warnings == held


def test_rule_99_rows_that_are_skipped_or_fail_change_addresses_too(office: Office, elsewhere: Office) -> None:
    people = [{"email_address": f"s{n}@example.edu", "username": f"s{n}", "first_name": f"S{n}"} for n in range(50)]
    office.rows(*people, CEM)
    moved = [
        {**people[0], "email_address": "new@example.edu"},
        {**people[1], "email_address": "s1@elsewhere.edu"},
        {**people[2], "email_address": "cem@example.edu"},
        {**people[3], "email_address": "new@example.edu"},
        {**people[4], "email_address": "new4@example.edu", "disabled": "perhaps"},
    ]
    result = office.rows(*moved, *people[5:], options=StudentFile(sync=True))
    assert Warned(code="emails_held", rows=5) in result.warnings
    assert office.show("s0").preferred_email == "s0@example.edu"


def test_rule_99_a_new_student_changes_no_address_however_often_the_file_names_them(office: Office) -> None:
    result = office.rows(ADA, {**ADA, "email_address": "a@example.edu"}, options=StudentFile(sync=True))
    assert result.warnings == (Warned(code="repeated_in_file", rows=1),)


def test_rule_99_a_held_row_keeps_the_address_it_would_have_made_the_main_one(office: Office) -> None:
    office.rows({**ADA, MORE: "countess@example.edu;a@example.edu"})
    moved = {**ADA, "email_address": "countess@example.edu", MORE: "**CLEAR**"}
    result = office.rows(moved, options=StudentFile(sync=True))
    assert result.warnings == (Warned(code="emails_held", rows=1),)
    assert office.addresses("ada") == [
        ("ada@example.edu", "school", "confirmed", True),
        ("countess@example.edu", "school", "confirmed", False),
    ]


def test_rule_99_the_rest_of_a_held_row_is_applied(office: Office) -> None:
    office.rows(ADA)
    moved = {**ADA, "email_address": "countess@example.edu", "last_name": "Lovelace"}
    assert counts(office.rows(moved, BO, options=StudentFile(sync=True))) == (1, 1, 0, 0, 0)
    assert office.show("ada").preferred_email == "ada@example.edu"
    assert office.field("ada", "last_name") == "Lovelace"


@pytest.mark.parametrize(
    ("column", "value"), [("username", "ada"), ("email_address", "ADA@example.edu"), ("card_id", "7")]
)
def test_rule_101_a_row_that_repeats_an_identifying_value_is_skipped(office: Office, column: str, value: str) -> None:
    result = office.rows({**ADA, "card_id": "7"}, {**BO, column: value}, CEM)
    assert counts(result) == (2, 0, 0, 1, 0)
    assert office.why(result) == [("repeated_in_file", {column: ["repeats line 2"]})]
    assert result.warnings == (Warned(code="repeated_in_file", rows=1),)


def test_rule_103_disabled_archives_and_restores_and_its_absence_changes_nothing(office: Office) -> None:
    office.rows({**ADA, "disabled": "TRUE"})
    assert office.show("ada").disabled
    office.rows(ADA)
    assert office.show("ada").disabled
    office.rows({**ADA, "disabled": "false"})
    assert not office.show("ada").disabled


def test_rule_104_a_bulk_archive_file_leaves_the_rest_blank(office: Office) -> None:
    office.rows({**ADA, "last_name": "Lovelace"})
    office.rows({"email_address": "ada@example.edu", "username": "ada", "disabled": "TRUE", "last_name": ""})
    assert office.show("ada").disabled
    assert office.field("ada", "last_name") == "Lovelace"


def test_rule_105_the_address_of_an_archived_student_stays_taken(office: Office) -> None:
    office.rows({**CEM, "disabled": "TRUE"})
    result = office.rows({**BO, "email_address": "cem@example.edu"})
    assert office.why(result) == [("email_taken", {"email_address": ["has already been taken"]})]


def test_rule_106_a_student_the_file_does_not_name_stays_as_they_are(office: Office) -> None:
    office.rows(ADA, CEM)
    before = office.stored("cem")
    office.rows({**ADA, "school_year_name": "Alumni"})
    assert office.stored("cem") == before
    assert not office.show("ada").disabled


@on_sqlite
def test_who_graduates_and_comes_back_is_the_same_student_all_along(office: Office) -> None:
    office.rows({**ADA, "school_year_name": "Senior", START: "2022-09-01", "card_id": "7"})
    ada = office.field("ada", "id")
    office.rows({**ADA, "email_address": "ada@gmail.com", "institution_year_name": "Alumni", END: "2026-06-30"})
    assert (office.field("ada", "school_year_name"), office.show("ada").disabled) == ("Alumni", False)

    back = {**ADA, "school_year_name": "Masters", START: "2026-09-01"}
    assert office.why(office.rows({**back, END: ""})) == [("end_before_start", TOO_EARLY)]
    assert counts(office.rows({**back, END: "**CLEAR**"})) == (0, 1, 0, 0, 0)
    assert (office.field("ada", "id"), office.field("ada", "cards")) == (ada, {"7"})
    assert office.field("ada", "attributes") == {START: "2026-09-01", "card_id": "7"}
    assert office.show("ada").preferred_email == "ada@example.edu"


@on_sqlite
def test_rule_107_imports_send_no_mail(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("somebody is called")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    office.rows(ADA)
    assert counts(office.rows({**ADA, "email_address": "ada@gmail.com", "disabled": "TRUE"}, BO)) == (1, 1, 0, 0, 0)


@on_sqlite
def test_rule_83_a_nightly_file_has_to_be_utf_8_and_other_encodings_are_told(office: Office) -> None:
    content = as_csv([{**ADA, "first_name": "Adélaïde"}]).encode("cp1252")
    with pytest.raises(UnreadableFile) as refused:
        office.take(content, StudentFile(sync=True))
    assert (refused.value.reason, refused.value.about) == ("not_utf8", {"line": 2})
    assert office.stored("ada") is None
    assert office.take(content).warnings == (Warned(code="encoding_guessed", encoding="cp1252"),)
    assert office.field("ada", "first_name") == "Adélaïde"


@on_sqlite
def test_all_problems_of_a_row_are_reported_at_once(office: Office) -> None:
    office.rows(ADA)
    result = office.rows({**BO, "email_address": "ada@example.edu", "first_name": "", "disabled": "Maybe"})
    (code, errors), *_ = office.why(result)
    assert code == "not_a_boolean"
    assert set(errors) == {"email_address", "first_name", "disabled"}


@on_sqlite
@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("email_address", "not an address", "not_an_address"),
        ("email_address", "a" * 243 + "@example.edu", "too_long"),
        ("email_address", "a\x07da@example.edu", "control_characters"),
        ("email_address", "a\nda@example.edu", "control_characters"),
        (MORE, "fine@example.edu;not an address", "not_an_address"),
        ("username", "u" * 256, "too_long"),
        ("card_id", "c\x1b1", "control_characters"),
        ("gender", "female", "wrong_case"),
        ("primary_education:education_level_name", "Kindergarten", "not_in_list"),
    ],
)
def test_a_cell_that_cannot_be_used_fails_its_row_with_a_code(
    office: Office, column: str, value: str, code: str
) -> None:
    result = office.rows({**BO, column: value}, ADA)
    assert counts(result) == (1, 0, 0, 0, 1)
    (found, errors), *_ = office.why(result)
    assert (found, list(errors)) == (code, [column])


@on_sqlite
def test_the_longest_address_is_accepted_and_one_character_more_is_not(office: Office) -> None:
    domain = ".".join(["d" * 60] * 3) + ".org"
    longest = "a" * (254 - len(domain) - 1) + "@" + domain
    assert len(longest) == 254
    result = office.rows({**ADA, "email_address": longest}, {**BO, "email_address": "a" + longest})
    assert counts(result) == (1, 0, 0, 0, 1)
    assert office.why(result) == [("too_long", {"email_address": ["is too long (maximum is 254 characters)"]})]
