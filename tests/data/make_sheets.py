"""Makes the same table in every format that LibreOffice writes, in an English and in a French office:

    .venv/bin/python tests/data/make_sheets.py tests/data/sheets

Needs `soffice`. Each office writes CSV as it is used to: the French one with semicolons, in Windows-1252; and one file
in Mac Roman, as older Macs did.
"""

import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from xlsxwriter import Workbook

ROWS: list[list[str | int | date]] = [
    ["username", "first_name", "last_name", "email_address", "card_id", "start_date", "year"],
    ["ada", "Adélaïde", "Lefèvre", "ada@école.example", "00420042004200421", date(2026, 3, 4), 2],
    ["007", "Bo", "d’Hôtel; “Bo”", "bo@example.edu", "98765432109876543", date(1999, 12, 31), 10],
    ["cem", "Çem", 'Un "nom",\nsur deux lignes', "cem@example.edu", "0000000000000001", date(2000, 2, 29), 0],
    ["dita", "Ÿvonne", "Œuvré-Straße", "dita@example.edu", "12345678901234567", date(2026, 1, 1), 123456],
]
UTF_8, WINDOWS_1252, MAC_ROMAN = 76, 1, 2
"""How LibreOffice numbers them."""
_LOCALE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale"><value>{}</value></prop></item></oor:items>"""


def make(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        source = work / "students.xlsx"
        write(source)
        for locale, delimiter, encoding in (("en-US", ",", UTF_8), ("fr-FR", ";", WINDOWS_1252)):
            out = work / locale
            for filter in ("xlsx:Calc MS Excel 2007 XML", "ods:calc8", csv(delimiter, encoding)):
                convert(work, locale, source, filter, out)
            for made in out.iterdir():
                shutil.copyfile(made, folder / f"students-{locale[:2]}{made.suffix}")
        convert(work, "fr-FR", source, csv(";", MAC_ROMAN), work / "mac")
        shutil.copyfile(work / "mac" / "students.csv", folder / "students-mac.csv")


def write(path: Path) -> None:
    with Workbook(path) as book:
        sheet, day = book.add_worksheet("Étudiants"), book.add_format({"num_format": "yyyy-mm-dd"})
        for row, cells in enumerate(ROWS):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, cell, day)
                elif isinstance(cell, int):
                    sheet.write_number(row, column, cell)
                else:
                    sheet.write_string(row, column, cell)


def csv(delimiter: str, encoding: int) -> str:
    return f"csv:Text - txt - csv (StarCalc):{ord(delimiter)},34,{encoding}"


def convert(work: Path, locale: str, source: Path, filter: str, out: Path) -> None:
    profile = work / f"profile-{locale}"
    settings = profile / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True, exist_ok=True)
    if not settings.exists():
        settings.write_text(_LOCALE.format(locale), "utf-8")
    office = ["soffice", "--headless", f"-env:UserInstallation=file://{profile}"]
    subprocess.run([*office, "--convert-to", filter, "--outdir", str(out), str(source)], check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
