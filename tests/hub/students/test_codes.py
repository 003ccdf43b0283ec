"""Everything that may be wrong with a student file has a code, and says what a sentence about it names."""

from pathlib import Path

import pytest
from xlsxwriter import Workbook

from hub.actions import students
from hub.actions.imports import Outcome
from hub.actions.imports.students import StudentFile
from hub.rules.student_file.codes import CODES, FLAGS, KEPT, REASONS, WARNINGS
from tests.hub.files import import_file
from tests.hub.students.desk import ADA, BO, CEM, Office, as_csv, counts, on_sqlite

MORE = "additional_email_addresses"
START, END = "primary_education:start_date", "primary_education:end_date"
X = {"email_address": "x@example.edu", "username": "x", "first_name": "X"}
"""Somebody new; each of these is wrong with them."""
WRONG = (
    {"first_name": ""},
    {"email_address": ""},
    {"email_address": "nobody"},
    {"email_address": "x" * 243 + "@example.edu"},
    {"username": "x" * 256},
    {"first_name": "X\x07"},
    {"disabled": "**CLEAR**"},
    {"disabled": "yes"},
    {START: "yesterday"},
    {START: "2026-09-01", END: "2026-08-31"},
    {"gender": "female"},
    {"gender": "unknown"},
    {"school_year_name": "Senior", "institution_year_name": "Junior"},
    {"email_address": "ada@example.edu"},
    {MORE: "ada@example.edu"},
    {MORE: "x@gmail.com"},
    {"card_id": "7"},
    {"auth_identifier": "A"},
    {"email_address": "x@elsewhere.edu"},
    {"error_code": "wrong_number_of_columns"},
)
"""Ada has the card 7 and the sign-in A, and Cem is excluded from syncs."""


def said(outcomes: list[Outcome]) -> dict[str, tuple[str, ...]]:
    return {wrong.code: tuple(sorted(wrong.about)) for outcome in outcomes for wrong in outcome.wrong}


@on_sqlite
def test_every_code_comes_with_what_is_documented(office: Office, elsewhere: Office) -> None:
    ada = {**ADA, "card_id": "7", "auth_identifier": "A"}
    office.rows(ada, BO, CEM)
    students.exclude_from_sync(office.engine, office.institution_id, "cem", True, office.now)
    found: dict[str, tuple[str, ...]] = {}
    for wrong in WRONG:
        (row,) = office.do(as_csv([{**X, **wrong}])).report.rejected
        assert row.outcome.code in CODES
        found |= said([row.outcome])
    renaming = StudentFile(match_by="email_address")
    for rows, options in (
        ([{**ada, "auth_identifier": "B"}], StudentFile()),
        ([{**ada, "username": "bo"}], renaming),
        ([{**ada, "username": "x", "email_address": "x@example.edu"}], renaming),
        ([ada, ada], StudentFile()),
        ([CEM], StudentFile(sync=True)),
    ):
        found |= said([row.outcome for row in office.do(as_csv(rows), options).report.rejected])
    found |= said(workbook(office, [{**X, "card_id": 12345678901234567890}]))
    assert found == {code: tuple(sorted(names)) for code, names in CODES.items()}
    assert counts(office.rows(ada, BO, CEM)) == (0, 0, 3, 0, 0)


def workbook(office: Office, rows: list[dict[str, str | int]]) -> list[Outcome]:
    path = office.folder / "students.xlsx"
    with Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, rows[0])
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row.values())
    done = import_file(office.engine, office.institution_id, path, office.now)
    return [row.outcome for row in done.report.rejected]


@on_sqlite
def test_a_number_that_lost_digits_fails_its_row_only_in_a_column_that_counts(office: Office) -> None:
    (outcome,) = workbook(office, [{**X, "card_id": 12345678901234567890}])
    assert [(wrong.column, wrong.code) for wrong in outcome.wrong] == [("card_id", "inexact_number")]
    assert workbook(office, [{**X, "shoe_size": 12345678901234567890}]) == []
    assert office.stored("x") is not None


@pytest.mark.parametrize("code", [*CODES, *FLAGS, *WARNINGS, *REASONS, *KEPT])
def test_the_page_says_what_to_do_about_every_code(code: str) -> None:
    page = Path(__file__).parents[3].joinpath("docs", "imports.md").read_text("utf-8")
    student_file = page.partition("## The student file")[2].partition("## Attendee files")[0]
    assert f"`{code}`" in student_file
