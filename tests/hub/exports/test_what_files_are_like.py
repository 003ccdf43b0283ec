"""CSV files and workbooks: nothing in them runs, and nothing in them is lost."""

import csv
import io
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from hub.errors import HubRefused
from hub.rules.formulas import as_meant, harmless
from hub.writers import csv_file, workbook
from tests.hub.exports.files import PREFIXES, sheet_xml, table

HARMFUL = [f"{before}{prefix}cmd|' /C calc'!A0" for prefix in PREFIXES for before in ("", " ", "'", "''")]
ORDINARY = [
    "Ada",
    "O'Neil",
    "'s Gravenhage",
    "a=b",
    "1-2",
    "0012",
    "12345678901234567",
    "",
    " ",
    "é",
    "x@example.edu",
    "say 'a', 'b'",
    "a;b",
    "1,5",
    "a\r\nb",
    "vip; honours",
]
# A workbook is XML: what no XML can hold, it cannot either.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=20)
# What any program takes for the end of a cell.
ENDS = ";,|\t\r\n"
CELLS = st.text(st.sampled_from(f"'\"=+-@ \0ax＝{ENDS}"), max_size=8) | st.text()
ROWS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5)


@pytest.mark.parametrize("text", HARMFUL)
def test_what_might_run_comes_after_an_apostrophe_that_comes_off_again(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert as_meant(harmless(text)) == text


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == as_meant(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada;=1+41;x", "Ada;'=1+41;x"),
        ("Bo\r\n=2+40;y", "Bo\r\n'=2+40;y"),
        ("a - b, -c", "a - b,' -c"),
        ("2026;-5", "2026;'-5"),
        ('x|"=1+41|', "x|'\"=1+41|"),
        ("Cem\t'＝1", "Cem\t''＝1"),
    ],
)
def test_so_does_what_might_run_where_cells_end_at_another_sign(text: str, shown: str) -> None:
    assert harmless(text) == shown
    assert as_meant(shown) == text


@given(CELLS, st.sets(st.sampled_from(ENDS)))
def test_whatever_it_is_and_wherever_cells_end_nothing_runs_and_every_apostrophe_comes_off_again(
    text: str, ends: set[str]
) -> None:
    shown = harmless(text)
    assert as_meant(shown) == text
    assert as_meant(text) == text or "'" in text
    for cell in re.split(f"[{''.join(ends)}]", shown) if ends else [shown]:
        assert cell.lstrip(' \t\r\n\0"')[:1] not in tuple("=+-@＝＋－＠")


@settings(max_examples=60)
@given(st.lists(st.tuples(CELLS, CELLS)), st.sampled_from(list(csv_file.DELIMITERS.values())))
def test_no_line_of_a_csv_file_has_a_formula_in_it_wherever_a_program_cuts_it(
    rows: list[tuple[str, str]], delimiter: str
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.csv"
        csv_file.write_for_people(path, ("a", "b"), rows, delimiter)
        for cell in re.split(f"[{ENDS}]", path.read_bytes().decode("utf-8-sig")):
            assert cell.lstrip(' \0"')[:1] not in tuple("=+-@＝＋－＠")


@settings(max_examples=60)
@given(ROWS, st.sampled_from(list(csv_file.DELIMITERS.values())))
def test_any_text_survives_a_csv_file(rows: list[tuple[str, str]], delimiter: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.csv"
        assert csv_file.write_for_people(path, ("a", "b"), rows, delimiter) == len(rows)
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbfa" + delimiter.encode() + b"b\r\n")
        assert raw.endswith(b"\r\n")
        assert [tuple(map(as_meant, row)) for row in table(path, delimiter)[1:]] == rows
        csv_file.write_exactly(path, ("a", "b"), rows)
        assert [tuple(row) for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))][1:] == rows


def cells(path: Path) -> list[list[object]]:
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    return [list(row) for row in sheet.to_python(skip_empty_area=False)]


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_any_text_survives_a_workbook_and_is_a_text_there(rows: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out.xlsx"
        # An end, so that empty rows before it are rows.
        workbook.write(path, "Sheet", ("a", "b"), [*rows, ("end", "")], Path(folder))
        assert [tuple(row) for row in cells(path)[1:-1]] == rows
        assert "<f>" not in sheet_xml(path)


def test_a_workbook_has_texts_moments_and_a_header_that_stays_in_sight(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 21, 9, 30, 15, 999, tzinfo=UTC)
    written = workbook.write(tmp_path / "out.xlsx", "Who", ("Id", "When"), [("007", moment), ("8", None)], tmp_path)
    assert written == 2
    assert cells(tmp_path / "out.xlsx") == [["Id", "When"], ["007", datetime(2026, 11, 21, 9, 30, 15)], ["8", ""]]
    xml = sheet_xml(tmp_path / "out.xlsx")
    assert 'state="frozen"' in xml
    assert '<autoFilter ref="A1:B3"/>' in xml


def test_what_no_sheet_can_hold_is_refused_with_its_place(tmp_path: Path) -> None:
    most = "é" * workbook.LONGEST_CELL
    workbook.write(tmp_path / "out.xlsx", "Sheet", ("Name",), [(most,)], tmp_path)
    assert cells(tmp_path / "out.xlsx")[1] == [most]
    with pytest.raises(HubRefused, match="Row 3 holds more in “Name”"):
        workbook.write(tmp_path / "more.xlsx", "Sheet", ("Name",), [("a",), (most + "é",)], tmp_path)
    assert not (tmp_path / "more.xlsx").exists()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_libreoffice_finds_no_formula_in_what_we_write(tmp_path: Path) -> None:
    texts = [text for text in HARMFUL if "\0" not in text and text.strip()]
    csv_file.write_for_people(tmp_path / "from_csv.csv", ("Text",), [(text,) for text in texts])
    workbook.write(tmp_path / "from_xlsx.xlsx", "Sheet", ("Text",), [(text,) for text in texts], tmp_path)
    subprocess.run(
        (
            *("soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "fods"),
            *("--outdir", str(tmp_path), str(tmp_path / "from_csv.csv"), str(tmp_path / "from_xlsx.xlsx")),
        ),
        check=True,
        capture_output=True,
        timeout=100,
    )
    # Without its dialogue it takes every CSV file for Windows-1252.
    for name, before, prefixes in (("from_csv.fods", "'", "=+-@"), ("from_xlsx.fods", "", "=+-@＝＋－＠")):
        found = unescape((tmp_path / name).read_text("utf-8"))
        assert found.count('office:value-type="string"') >= len(texts)
        assert "table:formula" not in found
        for prefix in prefixes:
            assert f"<text:p>{before}{prefix}cmd|' /C calc'!A0</text:p>" in found
