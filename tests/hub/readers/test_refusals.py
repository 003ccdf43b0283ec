"""Files that are not what they should be: each is refused with the place and the way out."""

from collections import deque
from itertools import repeat

import pytest

from hub.errors import UnreadableFile
from hub.readers import Format, How, Kind, Row
from hub.readers.limits import MAX_COLUMNS, MAX_RECORD, MAX_ROWS
from hub.readers.table import table_of
from tests.hub.readers.files import PARTS, SHEET, made_by_hand, read, refusal, sheet_of, spreadsheet, workbook, zipped

GOOD = b"username,first_name,email_address\n"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (b"", "empty", None),
        (b"\xef\xbb\xbf", "empty", None),
        (b"\xff\xfe", "empty", None),
        (b" \r\n\r\n", "empty", None),
        (b"sep=;\n", "empty", None),
        (b",,\n,,\n", "empty", None),
        ("é,è\n".encode() * 3 + b"ada,Ad\xe9la\xefde\n", "not_utf8", 4),
        ("é,è\n".encode() * 300_000 + b"\xff\n", "not_utf8", 300_001),
        (b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r") + b"\xe9", "not_utf8", 2),
        ((GOOD * 2).decode().encode("utf-16") + b"a", "not_in_encoding", 3),
        (GOOD + b"ada,\0,ada@example.edu\n", "nul", 2),
        (GOOD + b'ada,"Ada,ada@example.edu\nbo,Bo,bo@example.edu\n', "unclosed_quote", 2),
        (GOOD + b'\nada,"Ada"x,ada@example.edu\n', "broken_quotes", 3),
        (GOOD + b"a" * 200_000 + b",,\n", "cell_too_long", 2),
        (GOOD + b"a" * (MAX_RECORD + 1), "line_too_long", 2),
        (GOOD + (b"," * (MAX_RECORD // 3) + b'"\n"') * 4, "line_too_long", 2),
        (workbook([["a"]]), "not_csv", None),
        (COMPOUND, "not_csv", None),
        (b"%PDF-1.7\n", "not_csv", None),
        (b"\xef\xbb\xbf\n<!DOCTYPE HTML><title>Sign in</title>", "web_page", None),
    ],
)
def test_a_text_file_that_cannot_be_read_is_refused_with_its_line(
    content: bytes, reason: str, line: int | None
) -> None:
    refused = refusal(content)
    assert (refused.code, refused.reason, refused.about.get("line")) == ("unreadable_file", reason, line)
    assert line is None or f"ine {line} " in refused.detail


@pytest.mark.parametrize(
    ("content", "how", "reason", "about"),
    [
        ("a,b\n1,é\n".encode("cp1252"), How(encoding="utf-8"), "not_utf8", {"line": 2}),
        (b"a,b\n1,\x81\n", How(encoding="cp1252"), "not_in_encoding", {"line": 2, "encoding": "Windows-1252"}),
        (GOOD + b"a", How(encoding="utf-16"), "not_in_encoding", {"line": 1, "encoding": "UTF-16"}),
        (GOOD, How(encoding="ebcdic"), "unknown_encoding", {"encoding": "ebcdic"}),
        (GOOD, How(delimiter=":"), "unknown_delimiter", {}),
    ],
)
def test_what_somebody_says_about_a_file_has_to_be_true(
    content: bytes, how: How, reason: str, about: dict[str, str | int]
) -> None:
    refused = refusal(content, how=how)
    assert (refused.reason, refused.about) == (reason, about)


def test_rule_83_the_refusal_of_another_encoding_says_so_and_what_to_do() -> None:
    content = GOOD + "dita,Édith,dita@example.edu\n".encode("cp1252")
    refused = refusal(content, how=How(encoding="utf-8"))
    assert refused.detail == "Line 2 is not UTF-8 text. Save it again as “CSV UTF-8” and import that file."


def test_a_table_has_an_end() -> None:
    wide = b",".join([b"a"] * (MAX_COLUMNS + 1))
    assert refusal(wide).about == {"columns": MAX_COLUMNS + 1, "max": MAX_COLUMNS}
    assert len(read(wide[:-2] + b",\n").headers) == MAX_COLUMNS

    table = table_of(repeat(Row(1, ["a"]), 1 + MAX_ROWS + 1), Format(kind="csv"), lambda: 0.0)
    with pytest.raises(UnreadableFile) as refused:
        deque(table.rows, maxlen=0)
    assert (refused.value.reason, refused.value.about) == ("too_many_rows", {"max": MAX_ROWS})


def part(name: str, content: bytes = b"") -> bytes:
    """A good workbook with one part more."""
    return made_by_hand(b"", {name: content})


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"", "xlsx", "empty"),
        (made_by_hand(b""), "xlsx", "empty"),
        (made_by_hand(b'<row r="1"><c r="A1" t="str"><v> </v></c></row>'), "xlsx", "empty"),
        (spreadsheet(b""), "ods", "empty"),
        (GOOD, "xlsx", "not_a_workbook"),
        (GOOD, "ods", "not_a_workbook"),
        (b"<html><title>Sign in</title>", "xlsx", "web_page"),
        (COMPOUND, "xlsx", "old_workbook"),
        (COMPOUND + "EncryptedPackage".encode("utf-16-le"), "xlsx", "encrypted"),
        (part("xl/vbaProject.bin"), "xlsx", "old_workbook"),
        (part("xl/workbook.bin"), "xlsx", "old_workbook"),
        (workbook([["a"]]), "ods", "wrong_extension"),
        (spreadsheet(b""), "xlsx", "wrong_extension"),
        (spreadsheet(b"", b"<manifest><encryption-data/></manifest>"), "ods", "encrypted"),
        (zipped({"letter.txt": b"Dear Ada"}), "xlsx", "not_a_workbook"),
        (zipped({"word/document.xml": b"<a/>"}), "xlsx", "not_a_workbook"),
        (workbook([["a"]])[:-30], "xlsx", "broken_workbook"),
        (workbook([["a"]] * 500)[:4000], "xlsx", "broken_workbook"),
        (zipped({}), "xlsx", "broken_workbook"),
        (zipped({name: PARTS[name] for name in list(PARTS)[:2]}), "xlsx", "broken_workbook"),
        (zipped(PARTS), "xlsx", "broken_workbook"),
        (zipped({**PARTS, SHEET: b"<worksheet>"}), "xlsx", "broken_workbook"),
        (zipped({**PARTS, SHEET: sheet_of(b'<row r="1"><c')[:-12]}), "xlsx", "broken_workbook"),
        (zipped({**PARTS, "xl/workbook.xml": b"<workbook"}), "xlsx", "broken_workbook"),
        (part("xl/styles.xml", b'<?xml version="1.0" encoding="invented"?><x/>'), "xlsx", "broken_workbook"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused(content: bytes, kind: Kind, reason: str) -> None:
    assert refusal(content, kind).reason == reason


@pytest.mark.parametrize(
    ("content", "why", "entry"),
    [
        (zipped({f"p{number}": b"" for number in range(2_001)}), "entries", ""),
        (part("xl/media/a.bin", bytes(2_000_000)), "ratio", "xl/media/a.bin"),
        (part("XL/workbook.xml"), "twice", "XL/workbook.xml"),
        (part("../../etc/cron.d/x"), "outside", "../../etc/cron.d/x"),
        (part("/etc/passwd"), "outside", "/etc/passwd"),
        (part("C:\\x"), "outside", "C:\\x"),
        (part("xl/embeddings/inner.xlsx", workbook([["a"]])), "nested", "xl/embeddings/inner.xlsx"),
        (part("xl/sharedStrings.xml", ENTITIES + b"<sst>&b;</sst>"), "entities", "xl/sharedStrings.xml"),
        (part("xl/styles.xml", b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'), "entities", "xl/styles.xml"),
        (part("xl/styles.xml", (ENTITIES + b"<x/>").decode().encode("utf-16")), "entities", "xl/styles.xml"),
        (part("xl/styles.xml", b"<!--" + b" " * 100_000 + b"--><x/>"), "prolog", "xl/styles.xml"),
    ],
)
def test_a_workbook_made_to_do_harm_is_not_opened(content: bytes, why: str, entry: str) -> None:
    refused = refusal(content, "xlsx")
    assert (refused.reason, refused.about) == ("unsafe_workbook", {"why": why, "entry": entry})


def test_a_workbook_that_would_be_huge_is_not_opened() -> None:
    """What an archive says of itself is enough."""
    content = bytearray(part("a.bin"))
    size = content.rindex(b"a.bin") - 46 + 24
    content[size : size + 4] = (1_100_000_000).to_bytes(4, "little")
    assert refusal(bytes(content), "xlsx").about["why"] == "unpacked"


def test_a_table_of_nearly_the_same_rows_is_no_bomb() -> None:
    cell = b'<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>'
    row = b'<table:table-row table:style-name="ro1">' + cell + cell % b"undergraduate" * 25 + b"</table:table-row>"
    content = b"".join(row % str(number).encode() for number in range(1_000))
    assert len(content) > 200 * len(spreadsheet(content))
    assert len(read(spreadsheet(content), "ods").rows) == 999


def test_a_password_in_an_archive_is_named_as_such() -> None:
    content = bytearray(made_by_hand(b""))
    flags = content.rindex(SHEET.encode()) - 46 + 8
    content[flags] |= 1
    assert refusal(bytes(content), "xlsx").reason == "encrypted"
