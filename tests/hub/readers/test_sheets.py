"""The same table from every office: LibreOffice made these files, in English and in French (`make_sheets.py`)."""

import shutil
from pathlib import Path

import pytest

from hub.readers.reading import open_table
from tests.data import make_sheets

SHEETS = Path(make_sheets.__file__).parent / "sheets"
EXPECTED = [[str(cell) for cell in row] for row in make_sheets.ROWS]


def rows_of(path: Path) -> list[list[str]]:
    with open_table(path) as table:
        return [table.headers, *(row.cells for row in table.rows)]


def test_the_files_are_what_offices_write() -> None:
    assert {path.name for path in SHEETS.iterdir()} == {
        f"students-{made}" for made in ("en.csv", "en.ods", "en.xlsx", "fr.csv", "fr.ods", "fr.xlsx", "mac.csv")
    }
    assert "Adélaïde;Lefèvre".encode("cp1252") in (SHEETS / "students-fr.csv").read_bytes()
    assert "Adélaïde;Lefèvre".encode("mac_roman") in (SHEETS / "students-mac.csv").read_bytes()


@pytest.mark.parametrize("path", sorted(SHEETS.iterdir()), ids=lambda path: path.name)
def test_every_office_and_format_gives_the_same_rows(path: Path) -> None:
    assert rows_of(path) == EXPECTED


@pytest.mark.skipif(shutil.which("soffice") is None, reason="there is no LibreOffice here (soffice)")
def test_files_made_just_now_give_the_same_rows(tmp_path: Path) -> None:
    source = tmp_path / "students.xlsx"
    make_sheets.write(source)
    for locale, filter in (("en-US", "ods:calc8"), ("fr-FR", make_sheets.csv(";", make_sheets.WINDOWS_1252))):
        make_sheets.convert(tmp_path, locale, source, filter, tmp_path / locale)
    assert rows_of(tmp_path / "en-US" / "students.ods") == EXPECTED
    assert rows_of(tmp_path / "fr-FR" / "students.csv") == EXPECTED
