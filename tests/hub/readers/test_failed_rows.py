"""The failed-rows file: in the format that came in, so that it can be corrected and imported again."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from xlsxwriter import Workbook

from hub.errors import HubRefused
from hub.readers import Format, Table
from hub.readers.failed_rows import COLUMNS, FailedRows
from hub.readers.reading import open_table
from hub.rules.formulas import as_meant
from tests.hub.readers.files import Read, read, workbook

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NO_NAME = '{"success":false,"message":"No first name\u202f: “Ada”?"}'
"""With a blank that Windows-1252 does not have."""
ROWS = [["=cmd|' /C calc'!A0", "007", "né"], ["", "00420042004200421", " two\nlines "]]


def table_of(headers: list[str], format: Format) -> Table:
    return Table(headers, iter(()), format, lambda: 1.0)


@pytest.fixture
def failed(tmp_path: Path) -> Iterator[FailedRows]:
    rows = FailedRows(tmp_path / "failed", "Étudiants (2).csv", UUID(int=0xABCDEF12), NOW)
    yield rows
    rows.discard()


def kept(failed: FailedRows, table: Table, *rows: list[str]) -> Path:
    for cells in rows:
        failed.add(table, cells, "no_name", NO_NAME)
    failed.sync()
    path = failed.keep()
    assert path is not None
    return path


def read_again(path: Path) -> Read:
    return read(path.read_bytes(), "csv" if path.suffix == ".csv" else "xlsx")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "marked"),
    [("utf-8", False), ("utf-8", True), ("utf-16", True), ("cp1252", False), ("mac_roman", False)],
)
def test_a_csv_file_stays_what_it_was(failed: FailedRows, encoding: str, marked: bool, delimiter: str) -> None:
    format = Format(kind="csv", encoding=encoding, marked=marked, delimiter=delimiter)
    found = read_again(kept(failed, table_of(["a", "b", "c"], format), *ROWS))
    assert found.headers == ["a", "b", "c", *COLUMNS]
    assert found.rows[0].cells[0] == f"'{ROWS[0][0]}", "no program runs it"
    assert [[*map(as_meant, row.cells[:4])] for row in found.rows] == [[*row, "no_name"] for row in ROWS]
    assert {json.loads(row.cells[4])["message"] for row in found.rows} == {json.loads(NO_NAME)["message"]}
    assert (found.format.encoding, found.format.marked) == (encoding, marked)
    assert found.format.delimiter == delimiter


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_workbook_stays_a_workbook_in_which_every_cell_is_text(failed: FailedRows, kind: str) -> None:
    cells = ["_x0041_", "\x01", "  "]
    path = kept(failed, table_of(["a", "b", "c"], Format(kind="xlsx" if kind == "xlsx" else "ods")), *ROWS, cells)
    assert path.suffix == ".xlsx"
    found = read_again(path)
    assert found.table == [["a", "b", "c", *COLUMNS]] + [[*row, "no_name", NO_NAME] for row in [*ROWS, cells]]
    assert {row.inexact for row in found.rows} == {()}


def test_a_corrected_workbook_loses_the_two_columns_and_gets_them_anew(failed: FailedRows, tmp_path: Path) -> None:
    upload = tmp_path / "again.xlsx"
    upload.write_bytes(workbook([["a", *COLUMNS, "b"], ["1", "old", NO_NAME, "2"], ["3", "", "", "4"]]))
    with open_table(upload) as table:
        path = kept(failed, table, *(row.cells for row in table.rows))
    assert read_again(path).table == [
        ["a", "b", *COLUMNS],
        ["1", "2", "no_name", NO_NAME],
        ["3", "4", "no_name", NO_NAME],
    ]


def test_a_number_that_lost_digits_is_not_taken_for_a_text_when_it_comes_again(
    failed: FailedRows, tmp_path: Path
) -> None:
    upload = tmp_path / "again.xlsx"
    with Workbook(upload) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [COLUMNS[0], "username", "card_id", COLUMNS[1]])
        sheet.write_row(1, 0, ["old", "007", 98765432109876543, NO_NAME])
    with open_table(upload) as table:
        for row in table.rows:
            failed.add(table, row.cells, "inexact_number", NO_NAME, row.inexact)
    failed.sync()
    path = failed.keep()
    assert path is not None
    (again,) = read_again(path).rows
    assert (again.cells[0], again.cells[1][:15], again.inexact) == ("007", "987654321098765", (1,))


def test_a_short_row_is_filled_up_and_a_long_one_kept(failed: FailedRows) -> None:
    table = table_of(["a", "b"], Format(kind="csv", encoding="utf-8", delimiter=","))
    found = read_again(kept(failed, table, ["1"], ["1", "2", "3"]))
    assert [row.cells for row in found.rows] == [["1", "", "no_name", NO_NAME], ["1", "2", "3", "no_name", NO_NAME]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_nobody_sees_it_before_it_is_whole_and_nobody_else_ever(failed: FailedRows, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "failed"
    table = table_of(["a"], Format(kind="csv" if kind == "csv" else "xlsx", encoding="utf-8", delimiter=","))
    failed.add(table, ["1"], "no_name", NO_NAME)
    expected = failed.path
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == []
    failed.sync()
    assert failed.keep() == expected == folder / f"20261121T100000Z-_tudiants_2_-abcdef12.{kind}"
    assert list(folder.iterdir()) == [expected]
    assert stat.S_IMODE(expected.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("synced", [False, True])
def test_nothing_is_left_of_what_was_not_kept(failed: FailedRows, tmp_path: Path, kind: str, synced: bool) -> None:
    table = table_of(["a"], Format(kind="csv" if kind == "csv" else "xlsx", encoding="utf-8", delimiter=","))
    failed.add(table, ["1"], "no_name", NO_NAME)
    if synced:
        failed.sync()
    failed.discard()
    assert list((tmp_path / "failed").iterdir()) == []


def test_there_is_none_when_no_row_failed(failed: FailedRows, tmp_path: Path) -> None:
    failed.sync()
    assert (failed.path, failed.keep()) == (None, None)
    assert not (tmp_path / "failed").exists()


def test_where_it_cannot_be_written_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "failed").write_text("no folder")
    failed = FailedRows(tmp_path / "failed", "a.csv", UUID(int=1), NOW)
    with pytest.raises(HubRefused, match="Nothing was imported"):
        failed.add(table_of(["a"], Format(kind="csv", encoding="utf-8")), ["1"], "no_name", NO_NAME)
