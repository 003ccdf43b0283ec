"""Workbooks that are none, are broken, or mean no good; and other files that are called one."""

import io
import struct
import zipfile
import zlib
from functools import cache
from itertools import chain, repeat

import xlsxwriter

from tests.faults.bad_file import STUDENTS, BadFile, Family, Making, collected, repacked, text, workbook, xlsx_file

SHEET = "xl/worksheets/sheet1.xml"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

FAMILIES: dict[str, Family] = {}
family = collected(FAMILIES)


@family
def text_called_a_workbook(make: Making) -> BadFile:
    name = make.chance.choice(["x.xlsx", "x.ods", "x.XLSX"])
    return BadFile(make.family, name, text(make.students()).encode(), refused=True)


@family
def workbook_called_text(make: Making) -> BadFile:
    name = make.chance.choice(["x.csv", "x.txt", "x.tsv", "x.ods"])
    return BadFile(make.family, name, workbook(make.students()), refused=True)


@family
def old_workbook(make: Making) -> BadFile:
    name = make.chance.choice(["x.xls", "x.xlsx", "x.csv", "x.xlsm", "x.ods"])
    data = _COMPOUND + bytes(504) + "Workbook".encode("utf-16-le") + make.chance.randbytes(1_000)
    return BadFile(make.family, name, data, refused=True)


@family
def locked_workbook(make: Making) -> BadFile:
    if make.chance.random() < 0.5:
        data = _COMPOUND + bytes(504) + "EncryptedPackage".encode("utf-16-le") + make.chance.randbytes(1_000)
    else:
        data = _with_flag(workbook(make.students()), 1)
    return xlsx_file(make, data, refused=True)


@family
def something_else(make: Making) -> BadFile:
    starts = [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\x1f\x8b\x08\0", b"\x7fELF", b"SQLite format 3\0", b"Rar!\x1a\x07"]
    page = b"<!DOCTYPE html><html><body><form>Sign in</form></body></html>"
    data = make.chance.choice(
        [*(start + make.chance.randbytes(500) for start in starts), page, zlib.compress(page * 50)]
    )
    name = make.chance.choice(["x.csv", "x.xlsx", "x.ods", "x.pdf", "x", "x.csv.exe", "con.txt\0.csv", "../../x.csv"])
    return BadFile(make.family, name, data, refused=True)


@family
def other_archives(make: Making) -> BadFile:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in make.chance.choice([["a.txt"], ["word/document.xml", "[Content_Types].xml"], [], ["mimetype"]]):
            archive.writestr(name, "text")
    return BadFile(make.family, make.chance.choice(["x.xlsx", "x.ods"]), out.getvalue(), refused=True)


@family
def zip_bomb(make: Making) -> BadFile:
    data = workbook(make.students())
    match make.chance.randrange(4):
        case 0:
            start, end = sheet_xml("|").split(b"|")
            bomb = repacked(data, {SHEET: chain([start, b"<row><c><v>"], repeat(b"0" * 10**6, 60), [end])})
        case 1:
            bomb = repacked(data, {}, [(f"xl/media/{index}.bin", b"") for index in range(5_000)])
        case 2:
            bomb = repacked(data, {}, [("xl/embeddings/more.xlsx", data)])
        case _:
            strings = chain([b"<sst>"], repeat(b"<si><t>a</t></si>" * 10_000, 400), [b"</sst>"])
            bomb = repacked(data, {"xl/sharedStrings.xml": strings})
    return xlsx_file(make, bomb, refused=True)


@family
def quine(make: Making) -> BadFile:
    """An entry that claims to be small, and one that claims to be huge."""
    raw = bytearray(workbook(make.students()))
    at = raw.rfind(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", make.chance.choice([1, 0xFFFFFFFF, 0x7FFFFFFF]))
    return xlsx_file(make, bytes(raw))


@family
def entities(make: Making) -> BadFile:
    inner = "".join(f'<!ENTITY e{index + 1} "{f"&e{index};" * 10}">' for index in range(9))
    dtd = make.chance.choice(
        [
            f'<!DOCTYPE x [<!ENTITY e0 "ha">{inner}]>',
            '<!DOCTYPE x [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE x SYSTEM "http://x.example/x.dtd">',
            '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://x.example/">%p;]>',
        ]
    )
    name = make.chance.choice([SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "[Content_Types].xml"])
    data = workbook(make.students())
    old = part(data, name)
    end = old.index(b"?>") + 2
    bad = old[:end] + dtd.encode() + old[end:].replace(b"username", b"&e9;")
    return xlsx_file(make, repacked(data, {name: bad}), refused=True, place="entry")


@family
def far_cell(make: Making) -> BadFile:
    where = make.chance.choice(["XFD1048576", "XFD2", "A1048576", "AAA900000", "ZZZ5"])
    row = where.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rows = "".join(f'<row r="{number}">{cell(f"A{number}", "x")}</row>' for number in range(2, 4) if number != int(row))
    data = _sheet(make, f'{rows}<row r="{row}">{cell(where, "far")}</row>')
    return xlsx_file(make, data)


@family
def missing_part(make: Making) -> BadFile:
    data = workbook(make.students())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if "docProps" not in name and "theme" not in name]
    return xlsx_file(make, repacked(data, {make.chance.choice(names): None}))


@family
def empty_part(make: Making) -> BadFile:
    data = workbook(make.students())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = make.chance.choice(archive.namelist())
    other = make.chance.choice([b"", b"<", b"<a/>", b"\xff\xfe<\0", b"<a>" * 20_000, b"<?xml version='1.0'?>"])
    return xlsx_file(make, repacked(data, {name: other}))


@family
def wrong_checksum(make: Making) -> BadFile:
    raw = bytearray(workbook(make.students(30)))
    at = raw.index(SHEET.encode()) + len(SHEET) + make.chance.randrange(5, 200)
    raw[at] ^= 1 << make.chance.randrange(8)
    return xlsx_file(make, bytes(raw))


@family
def flipped_bits(make: Making) -> BadFile:
    raw = bytearray(workbook(make.students(30)))
    for _ in range(make.chance.randrange(1, 30)):
        raw[make.chance.randrange(len(raw))] ^= 1 << make.chance.randrange(8)
    return xlsx_file(make, bytes(raw))


@family
def cut_short(make: Making) -> BadFile:
    raw = workbook(make.students(30))
    return xlsx_file(make, raw[: make.chance.randrange(len(raw) - 22)], refused=True)


@family
def names_that_lead_out(make: Making) -> BadFile:
    name = make.chance.choice(["../../etc/passwd", "/etc/passwd", "C:\\x", "..\\x", SHEET, "XL/workbook.xml"])
    with_it = repacked(workbook(make.students()), {}, [("x" * len(name), b"x")]).replace(
        b"x" * len(name), name.encode()
    )
    return xlsx_file(make, with_it, refused=True)


@family
def bent_cells(make: Making) -> BadFile:
    """Sheets no program writes: cells at impossible places, of impossible kinds, in any order."""
    pick = make.chance.choice
    rows = []
    for _ in range(make.chance.randrange(1, 12)):
        number = pick(["2", "3", "1", "0", "-1", "", "x", "99999999999999999999", "2.5", "1048577"])
        cells = "".join(
            f'<c r="{pick(["A2", "B2", "B3", "", "ZZZZ1", "A", "2", "A0", "É2", "A99999999999"])}"'
            f' t="{pick(["s", "n", "str", "inlineStr", "b", "e", "d", "x", ""])}" s="{pick(["0", "99", "-1", "x"])}">'
            f"<v>{pick(['0', '999999', '-1', '1e999', 'NaN', 'x', '', '2026-11-21T10:00:00', '45000.5', '9' * 30])}</v>"
            "</c>"
            for _ in range(make.chance.randrange(6))
        )
        rows.append(f'<row r="{number}">{cells}</row>')
    return xlsx_file(make, _sheet(make, "".join(rows)))


@family
def deep_xml(make: Making) -> BadFile:
    deep = make.chance.choice([1_000, 100_000])
    rows = "<row>" * deep + "</row>" * deep
    return xlsx_file(make, _sheet(make, rows, f' x="{"y" * make.chance.choice([10, 900_000])}"'))


@family
def odd_values(make: Making) -> BadFile:
    values: list[object] = [1e308, -0.0, 12345678901234567, 0.1 + 0.2, True, 1e-300, 2**53 + 1, 45_000.999_99, -1]
    row = [make.chance.choice(values) for _ in STUDENTS]
    return xlsx_file(make, workbook([*make.students(), row]), good=make.good())


@family
def formulas_in_a_workbook(make: Making) -> BadFile:
    formula = make.chance.choice(["1/0", "A1", 'HYPERLINK("http://x.example")', "NOW()", "#REF!"])
    kind = make.chance.choice(["", ' t="str"', ' t="e"', ' t="b"', ' t="n"'])
    value = make.chance.choice(["", "<v></v>", "<v>#N/A</v>", "<v>1e400</v>", "<v>NaN</v>", "<v>TRUE</v>", "<v>-5</v>"])
    row = f'<row r="2">{cell("A2", "x")}<c r="B2"{kind}><f>{formula}</f>{value}</c></row>'
    return xlsx_file(make, _sheet(make, row))


@family
def many_sheets(make: Making) -> BadFile:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        first = book.add_worksheet("A")
        for index in range(make.chance.randrange(2, 60)):
            book.add_worksheet(f"é{index}")
        book.get_worksheet_by_name("é0").activate()
        first.hide()
    return xlsx_file(make, out.getvalue())


@family
def broken_ods(make: Making) -> BadFile:
    repeat = make.chance.choice(["1", "1048576", "99999999999", "-1", "x"])
    across = make.chance.choice(["1", "16384", "2147483648"])
    content = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table '
        f'table:name="s"><table:table-row table:number-rows-repeated="{repeat}"><table:table-cell '
        f'table:number-columns-repeated="{across}" office:value-type="string"><text:p>username</text:p>'
        "</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    ).encode()
    if make.chance.random() < 0.3:
        content = content[: make.chance.randrange(len(content))]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        if make.chance.random() < 0.7:
            archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return BadFile(make.family, f"x-{make.number}.ods", out.getvalue())


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def sheet_xml(rows: str, around: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"{around}>'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()


def cell(where: str, value: str) -> str:
    return f'<c r="{where}" t="inlineStr"><is><t>{value}</t></is></c>'


def _sheet(make: Making, rows: str, around: str = "") -> bytes:
    """A workbook whose only sheet has these rows, under a header that is right."""
    header = "".join(cell(f"{'ABCDEF'[index]}1", name) for index, name in enumerate(STUDENTS))
    return repacked(_plain(), {SHEET: sheet_xml(f'<row r="1">{header}</row>{rows}', around)})


@cache
def _plain() -> bytes:
    return workbook([STUDENTS])


def _with_flag(data: bytes, flag: int) -> bytes:
    raw = bytearray(data)
    at = raw.find(b"PK\x01\x02")
    while at >= 0:
        raw[at + 8] |= flag
        at = raw.find(b"PK\x01\x02", at + 4)
    return bytes(raw)
