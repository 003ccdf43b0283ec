"""Attendee files of events that are over: RULE-74 to RULE-79, one by one."""

from datetime import datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from xlsxwriter import Workbook

from hub.errors import UnreadableFile
from hub.rules.attendee_file import CODES, FLAGS, KEPT
from hub.rules.attendee_file.columns import Options, read_header, understood
from hub.rules.attendee_file.rows import read_row
from tests.hub.attendees.office import HEADERS, Office, as_csv, counts, failed_rows, row, said, why
from tests.hub.conftest import make_institution


def test_rule_74_only_a_school_address_names_somebody(small: Office) -> None:
    ada = small.student("Ada", school=["a.lovelace@example.edu"], additional=["ada@home.example"])
    talk = small.event()[0]
    done = small.rows(row("ada@home.example"), row("A.Lovelace@example.edu "), session=talk)
    assert why(done) == [("student_email_address", "not_a_school_address")]
    assert small.stored() == ({(talk.id, ada)}, {(talk.id, ada)})


def test_rule_74_who_may_see_students_is_told_the_address_to_use_and_nobody_else_is(small: Office) -> None:
    small.student("Ada", additional=["lovelace@home.example"])
    talk = small.event()[0]
    told = small.rows(row("lovelace@home.example"), session=talk)
    assert told.report.rejected[0].outcome.wrong[0].about == {"use": "ada@example.edu"}
    assert "use ada@example.edu" in told.report.rejected[0].outcome.message
    untold = small.rows(row("lovelace@home.example"), session=talk, sees_students=False)
    assert why(untold) == why(told)
    assert untold.report.rejected[0].outcome.wrong[0].about == {}
    assert "additional" in untold.report.rejected[0].outcome.message
    assert "ada@" not in untold.report.rejected[0].outcome.message


def problems(**cells: str) -> list[tuple[str, str, str]]:
    """Column, code and text of what is wrong with a row that has these cells and is otherwise right."""
    right = said("ada@example.edu", "TRUE", "TRUE", "Event", "EV-1")
    header = read_header(understood(HEADERS, {}), Options())
    read = read_row(header, 2, list((dict(right) | cells).values()), ())
    return [(each.column, each.code, each.text) for each in read.problems]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("true", "TRUE"), ("True", "TRUE"), ("VRAI", "TRUE"), ("oui", "TRUE"), ("Faux", "FALSE"), ("0", "FALSE")],
)
@pytest.mark.parametrize("column", ["registered", "checked_in"])
def test_rule_75_another_spelling_is_refused_and_the_right_one_offered(column: str, typed: str, meant: str) -> None:
    assert problems(**{column: typed}) == [(column, "not_a_boolean", f"must be TRUE or FALSE: write {meant}")]


@pytest.mark.parametrize("typed", ["perhaps", "", "TRUE FALSE", "\u0422RUE"])
def test_rule_75_what_is_neither_is_refused(typed: str) -> None:
    assert problems(registered=typed) == [("registered", "not_a_boolean", "must be TRUE or FALSE")]


@pytest.mark.parametrize(
    ("typed", "code", "text"),
    [
        ("event", "not_a_type", "must be Event or CareerFairSession: write Event"),
        ("Événement", "not_a_type", "must be Event or CareerFairSession: write Event"),
        ("Career Fair Session", "not_a_type", "must be Event or CareerFairSession: write CareerFairSession"),
        ("Interview", "not_a_type", "must be Event or CareerFairSession"),
        (
            "CareerFair",
            "fair_by_session",
            "is a career fair, which is named by one of its sessions: "
            "write CareerFairSession and the id of the session",
        ),
    ],
)
def test_rule_76_the_kind_of_event_is_one_of_two_words(typed: str, code: str, text: str) -> None:
    assert problems(identifiable_type=typed) == [("identifiable_type", code, text)]


def test_rule_75_and_76_are_about_one_row_and_the_others_are_kept(small: Office) -> None:
    ada = small.student("Ada")
    small.student("Bo")
    talk = small.event(external_id="EV-1")[0]
    done = small.rows(
        said("bo@example.edu", "yes", "TRUE", "event", "EV-1"),
        said("ada@example.edu", "TRUE", "FALSE", "Event", "EV-1"),
    )
    assert why(done) == [("registered", "not_a_boolean"), ("identifiable_type", "not_a_type")]
    assert small.stored() == ({(talk.id, ada)}, set())


def test_rule_75_a_workbooks_own_true_and_false_are_right_and_an_id_that_lost_digits_is_not(small: Office) -> None:
    small.student("Ada"), small.student("Bo")
    small.event(external_id="17")
    file = BytesIO()
    with Workbook(file) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, ["ada@example.edu", True, False, "Event", 17])
        sheet.write_row(2, 0, ["bo@example.edu", True, False, "Event", 12345678901234567])
    done = small.take(file.getvalue(), name="attendees.xlsx")
    assert counts(done) == (1, 0, 0, 0, 1)
    assert why(done) == [("identifiable_id", "inexact_number")]


@pytest.mark.parametrize(
    ("cells", "column", "code", "about"),
    [
        (["ada@example.edu", "TRUE"], "row", "wrong_number_of_columns", {"cells": 2, "width": 3}),
        (["", "TRUE", "TRUE"], "student_email_address", "blank", {}),
        (["a" * 300 + "@example.edu", "TRUE", "TRUE"], "student_email_address", "too_long", {"most": 254}),
        (["ada\x01@example.edu", "TRUE", "TRUE"], "student_email_address", "control_characters", {}),
        (["ada", "TRUE", "TRUE"], "student_email_address", "not_an_address", {"address": "ada"}),
    ],
)
def test_a_row_that_cannot_be_read_says_why(cells: list[str], column: str, code: str, about: dict[str, object]) -> None:
    header = read_header(understood(HEADERS[:3], {}), Options(session_id=UUID(int=1)))
    read = read_row(header, 2, cells, ())
    assert [(each.column, each.code, each.about) for each in read.problems] == [(column, code, about)]


def test_rule_77_a_missing_column_counts_as_false(small: Office) -> None:
    ada, bo = small.student("Ada"), small.student("Bo")
    talk, fair = small.event()[0], small.event()[0]
    came = {"student_email_address": "ada@example.edu", "checked_in": "TRUE"}
    registered = {"student_email_address": "bo@example.edu", "registered": "TRUE"}
    assert counts(small.rows(came, session=talk)) == (1, 0, 0, 0, 0)
    assert counts(small.rows(registered, session=fair)) == (1, 0, 0, 0, 0)
    assert small.stored() == ({(fair.id, bo)}, {(talk.id, ada)})


def test_rule_77_a_file_without_either_column_has_to_be_told_what_its_people_did(small: Office) -> None:
    small.student("Ada")
    talk = small.event()[0]
    just_addresses = as_csv([{"student_email_address": "ada@example.edu"}])
    with pytest.raises(UnreadableFile) as refused:
        small.take(just_addresses, Options(session_id=talk.id))
    assert refused.value.reason == "says_nothing"
    assert small.count(talk) == (0, 0, 0)
    small.take(just_addresses, Options(session_id=talk.id, just_addresses="registered"))
    assert small.count(talk) == (1, 0, 0)
    small.take(just_addresses, Options(session_id=talk.id, just_addresses="checked_in"))
    assert small.count(talk) == (1, 1, 1)


def test_rule_78_unknown_and_unconfirmed_accounts_fail_and_the_others_land(small: Office) -> None:
    small.student("Ada", pending=["lovelace@home.example"])
    talk = small.event()[0]
    done = small.rows(
        row("nobody@example.edu"), row("lovelace@home.example"), row("ada@example.edu"), row("no address"), session=talk
    )
    assert [code for _, code in why(done)] == ["unknown_address", "unconfirmed", "not_an_address"]
    assert [each.line for each in done.report.rejected] == [2, 3, 5]
    # Anybody may have added a pending address: it says nothing of whose it is.
    assert "ada@" not in done.report.rejected[1].outcome.message
    assert small.count(talk) == (1, 1, 1)


def test_rule_79_events_and_students_of_another_institution_are_unknown(small: Office, now: datetime) -> None:
    theirs = make_institution(small.engine, "Elsewhere", ["else.edu"], now)
    elsewhere = Office(small.engine, theirs.id, small.folder, now)
    their_talk, their_fair = elsewhere.event(external_id="EV-1")[0], elsewhere.event("career_fair")[0]
    small.student("Ada")
    done = small.rows(
        said("ada@example.edu", "TRUE", "TRUE", "Event", their_talk.event_id),
        said("ada@example.edu", "TRUE", "TRUE", "Event", "EV-1"),
        said("ada@example.edu", "TRUE", "TRUE", "CareerFairSession", their_fair.id),
    )
    assert [code for _, code in why(done)] == ["unknown_event", "unknown_event", "unknown_session"]
    done = elsewhere.rows(said("ada@example.edu", "TRUE", "TRUE", "Event", "EV-1"))
    assert [code for _, code in why(done)] == ["unknown_address"]
    assert small.stored() == (set(), set())


def test_the_document_names_every_code() -> None:
    page = (Path(__file__).parents[3] / "docs" / "imports.md").read_text("utf-8")
    codes = [*CODES, *FLAGS, *KEPT, "not_begun"]
    assert [code for code in codes if f"`{code}`" not in page] == []


def test_a_list_of_addresses_needs_no_header_and_loses_nobody(small: Office) -> None:
    small.student("Ada"), small.student("Bo")
    talk = small.event()[0]
    present = Options(session_id=talk.id, just_addresses="checked_in")
    done = small.take("ada@example.edu\nbo@example.edu\nnobody@example.edu\n", present)
    assert counts(done) == (2, 0, 0, 0, 1)
    assert failed_rows(done)[0][0] == "nobody@example.edu"
    assert done.report.rejected[0].line == 3


def test_a_table_without_a_header_is_refused_because_whoever_comes_first_would_be_lost(small: Office) -> None:
    talk = small.event()[0]
    with pytest.raises(UnreadableFile) as refused:
        small.take("ada@example.edu,TRUE\nbo@example.edu,TRUE\n", Options(session_id=talk.id))
    assert refused.value.reason == "header_missing"
