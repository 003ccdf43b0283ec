"""Workbooks: every cell comes out as what somebody would type to get it, under the number its row has in Excel."""

import os
from datetime import date, datetime, time, timedelta
from io import BytesIO
from zipfile import ZIP_STORED

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from hub.readers import Format, How, Kind, Row
from hub.readers.cells import Value, is_inexact, text_of
from hub.readers.ooxml import PIECE
from hub.readers.table import table_of
from tests.hub.readers.files import PARTS, SHEET, made_by_hand, read, refusal, sheet_of, spreadsheet, workbook, zipped
from tests.hub.readers.test_text_files import tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("007", "007"),
        (7.0, "7"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (12345678901234.5, "12345678901234.5"),
        (1e20, "100000000000000000000"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2026, 3, 4), "2026-03-04"),
        (datetime(2026, 3, 4, 5, 6, 7), "2026-03-04 05:06:07"),
        (time(5, 6, 7), "05:06:07"),
        (timedelta(hours=30, seconds=5), "30:00:05"),
    ],
)
def test_a_value_is_what_somebody_would_type(value: Value, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "inexact"),
    [
        (999_999_999_999_999.0, False),
        (1e15, True),
        (-1e15, True),
        (10**16, True),
        ("98765432109876543", False),
        (True, False),
    ],
)
def test_a_number_with_more_digits_than_excel_keeps_is_inexact(value: Value, inexact: bool) -> None:
    assert is_inexact(value) == inexact


def typed() -> bytes:
    out = BytesIO()
    with Workbook(out) as book:
        cover, sheet, hidden = (book.add_worksheet(name) for name in ("Cover", "Students", "Secret"))
        cover.hide()
        hidden.hide()
        sheet.activate()
        sheet.set_first_sheet()
        sheet.write_row(2, 1, ["id", "card", "number", "start", "at", "paid", "formula", "", ""])
        sheet.write_string(3, 1, "007")
        sheet.write_string(3, 2, "98765432109876543")
        sheet.write_number(3, 3, 98765432109876543)
        sheet.write_datetime(3, 4, date(2026, 3, 4), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write_datetime(3, 5, datetime(2026, 3, 4, 5, 6, 7), book.add_format({"num_format": "d mmm yyyy hh:mm"}))
        sheet.write_boolean(3, 6, True)
        sheet.write_formula(3, 7, "=1/0", None, "#DIV/0!")
        sheet.write_string(5, 1, "=1+1")
        sheet.write_number(5, 3, 0.1)
        hidden.write_row(0, 0, ["a"])
        hidden.write_row(1, 0, [12])
    return out.getvalue()


def test_the_first_visible_sheet_is_read_and_its_cells_are_text() -> None:
    found = read(typed(), "xlsx")
    assert (found.format.sheet, found.format.sheets) == ("Students", ("Students",))
    assert found.headers == ["", "id", "card", "number", "start", "at", "paid", "formula"]
    texts = [
        "",
        "007",
        "98765432109876543",
        "98765432109876544",
        "2026-03-04",
        "2026-03-04 05:06:07",
        "TRUE",
        "#DIV/0!",
    ]
    assert found.rows == [
        Row(4, texts, inexact=(3,)),
        Row(6, ["", "=1+1", "", "0.1", "", "", "", ""]),
    ]


def test_another_sheet_may_be_named_even_a_hidden_one() -> None:
    assert read(typed(), "xlsx", How(sheet="Secret")).rows == [Row(2, ["12"])]
    for asked in ("Studens", "s" * 60_000):
        refused = refusal(typed(), "xlsx", How(sheet=asked))
        assert (refused.reason, refused.about) == ("no_such_sheet", {"sheet": asked[:255], "sheets": "Students"})


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#NAME?"])
def test_an_error_in_a_cell_comes_out_as_excel_shows_it(error: str) -> None:
    row = '<row r="%d"><c r="A%d" t="e"><v>%s</v></c></row>'
    assert read(made_by_hand((row % (1, 1, "a") + row % (2, 2, error)).encode()), "xlsx").rows == [Row(2, [error])]


def test_text_that_looks_like_the_inside_of_a_workbook_is_text() -> None:
    text = 'c r="AAA1" t="e">'
    assert read(workbook([["a"], [text]]), "xlsx").rows == [Row(2, [text])]
    error = '<row r="3"><c r="A3" t="e"><v>#N/A</v></c></row>'
    rows = "".join(f'<row><c t="inlineStr"><is><t>{cell}</t></is></c></row>' for cell in ("a", text))
    assert [row.cells for row in read(made_by_hand((rows + error).encode()), "xlsx").rows] == [[text], ["#N/A"]]


def test_days_may_be_counted_from_1904_as_old_macs_did() -> None:
    out = BytesIO()
    with Workbook(out, {"date_1904": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "day")
        sheet.write_datetime(1, 0, date(2026, 3, 4), book.add_format({"num_format": "yyyy-mm-dd"}))
    assert read(out.getvalue(), "xlsx").rows == [Row(2, ["2026-03-04"])]


def test_rows_need_no_numbers_and_names_any_prefix() -> None:
    cells = b'<c t="str"><v>%s</v></c>'
    rows = b"".join(b"<row>%s</row>" % (cells % text) for text in (b"a", b"1", b"2"))
    assert read(made_by_hand(rows), "xlsx").rows == [Row(2, ["1"]), Row(3, ["2"])]
    prefixed = sheet_of(rows).replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b" xmlns=", b" xmlns:x=")
    assert read(zipped({**PARTS, SHEET: prefixed}), "xlsx").rows == [Row(2, ["1"]), Row(3, ["2"])]


@pytest.mark.parametrize("numbered", [True, False])
def test_a_long_sheet_is_read_in_pieces_without_a_seam(numbered: bool) -> None:
    noise = os.urandom(10_000).hex().encode()
    count = (2 * PIECE + (3 << 19)) // len(noise)  # The rest is a third piece, in a single block.
    row = b'<row%s><c t="str"><v>%d</v></c><c t="str"><v>' + noise + b"</v></c></row>"
    rows = (row % (b' r="%d"' % number if numbered else b"", number) for number in range(1, count + 1))
    found = read(made_by_hand(b"".join(rows), compression=ZIP_STORED), "xlsx")
    assert [row.number for row in found.rows] == list(range(2, count + 1))
    assert [row.cells[0] for row in found.rows] == [str(row.number) for row in found.rows]


def test_a_cell_far_away_from_the_table_is_named() -> None:
    cell = b'<row r="%d"><c r="%s" t="str"><v>a</v></c></row>'
    for name, number in ((b"XFD1048576", 1_048_576), (b"AAA2", 2)):
        refused = refusal(made_by_hand(cell % (1, b"A1") + cell % (number, name)), "xlsx")
        assert (refused.reason, refused.about) == ("far_cell", {"cell": name.decode() if number == 2 else "A1048576"})


def test_cells_without_an_end_are_seen_once_each() -> None:
    """Where each is looked at up to the end of the sheet, this one takes hours."""
    assert refusal(made_by_hand(b'<row r="1">' + b'<c r="AAA1" ' * 80_000), "xlsx").reason == "broken_workbook"


def test_what_a_prefix_stands_for_is_not_written_out_at_every_name() -> None:
    noise = os.urandom(5_000).hex().encode()
    more = b'<a xmlns="' + noise + b"a" * 2_000_000 + b'">' + b"<b/>" * 500_000 + b"</a></workbook>"
    index = PARTS["xl/workbook.xml"].replace(b"</workbook>", more)
    sheet = sheet_of(b'<row r="1"><c r="A1" t="str"><v>a</v></c></row>')
    assert read(zipped({**PARTS, "xl/workbook.xml": index, SHEET: sheet}), "xlsx").headers == ["a"]


def test_a_row_that_is_only_formatted_is_not_far_away() -> None:
    rows = b'<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    formatted = b'<row r="1048576" s="1" customFormat="1" ht="12"/>'
    assert read(made_by_hand(rows + formatted), "xlsx").rows == [Row(2, ["1"])]


def test_an_opendocument_table_repeats_rows_and_cells() -> None:
    cell = b'<table:table-cell office:value-type="string"%s><text:p>%s</text:p></table:table-cell>'
    row = b"<table:table-row%s>%s</table:table-row>"
    blank = row % (b' table:number-rows-repeated="2"', b'<table:table-cell table:number-columns-repeated="3"/>')
    headers = row % (b"", cell % (b"", b"a") + cell % (b"", b"b"))
    twice = row % (b' table:number-rows-repeated="2"', cell % (b' table:number-columns-repeated="2"', b"007"))
    found = read(spreadsheet(blank + headers + twice), "ods")
    assert found.headers == ["a", "b"]
    assert found.rows == [Row(4, ["007", "007"]), Row(5, ["007", "007"])]


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_what_is_no_workbook_inside_is_refused_not_crashed_on(kind: Kind) -> None:
    content = made_by_hand(b"<row><c></row>") if kind == "xlsx" else spreadsheet(b"<table:table-row>")
    assert refusal(content, kind).reason == "broken_workbook"


def test_a_far_corner_where_the_table_starts_is_no_trouble() -> None:
    found = read(workbook([["a", "b"], ["1", "2"]], top=70_000, left=40), "xlsx")
    assert found.rows == [Row(70_002, [""] * 40 + ["1", "2"])]


def test_a_sheet_is_as_wide_as_its_headers_all_the_way_down() -> None:
    """A piece of a long sheet may have fewer columns than the one with the headers."""
    table = table_of(iter([Row(1, ["a", "b"]), Row(2, ["1"])]), Format(kind="xlsx"), lambda: 1.0)
    assert list(table.rows) == [Row(2, ["1", ""])]


NOT_IN_XML = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


@settings(max_examples=50)
@given(tables(st.text(NOT_IN_XML, max_size=8)))
def test_any_table_of_texts_comes_back_as_it_was_written(table: list[list[str]]) -> None:
    assert read(workbook(table), "xlsx").table == table
