"""Files that are not what they should be: each is refused with the place and the way out."""

import os
from pathlib import Path

import pytest

from hub.errors import UnreadableFile
from hub.readers import Row
from hub.readers.csv_file import MAX_BYTES, MAX_LINE, open_table
from hub.rules.student_file.columns import COLUMNS, read_header

GOOD = b"username,first_name,email_address\n"


def rows_of(path: Path) -> list[Row]:
    with open_table(path) as table:
        return list(table.rows)


def refusal(path: Path) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refused:
        rows_of(path)
    assert refused.value.code == "unreadable_file"
    return refused.value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "students.csv"


@pytest.mark.parametrize(
    ("content", "reason", "place"),
    [
        (b"", "empty", "empty"),
        (b"\xef\xbb\xbf", "empty", "empty"),
        (b" \r\n\r\n", "empty", "empty"),
        (GOOD + b"ada,Ad\xe9la\xefde,ada@example.edu\n", "not_utf8", "Line 2"),
        (GOOD.decode().encode("utf-16"), "not_utf8", "Line 1"),
        (GOOD * 40_000 + b"\xff\n", "not_utf8", "Line 40001"),
        (GOOD + b"ada,Ada,\xc3", "not_utf8", "Line 2"),
        (GOOD.replace(b"\n", b"\r") + b"\xe9", "not_utf8", "Line 2"),
        (GOOD + b"ada,\0,ada@example.edu\n", "nul", "Line 2"),
        (GOOD.decode().encode("utf-16-le"), "nul", "Line 1"),
        (GOOD + b'ada,"Ada,ada@example.edu\nbo,Bo,bo@example.edu\n', "unclosed_quote", "line 2"),
        (GOOD + b'\nada,"Ada"x,ada@example.edu\n', "broken_quotes", "line 3"),
        (GOOD + b"a" * 200_000 + b",,\n", "cell_too_long", "line 2"),
        (GOOD + b"a" * (MAX_LINE + 1), "line_too_long", "Line 2"),
        (b"PK\x03\x04" + b"a" * 100, "not_csv", "workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_place_and_reason(
    file: Path, content: bytes, reason: str, place: str
) -> None:
    file.write_bytes(content)
    refused = refusal(file)
    assert refused.reason == reason
    assert place in refused.detail


def test_rule_82_a_file_larger_than_50_mb_is_refused_unread(file: Path) -> None:
    with file.open("wb") as out:
        out.truncate(MAX_BYTES + 1)
    assert refusal(file).reason == "too_large"


def test_rule_83_the_refusal_of_another_encoding_says_so_and_what_to_do(file: Path) -> None:
    file.write_bytes(GOOD + "dita,Édith,dita@example.edu\n".encode("cp1252"))
    assert refusal(file).detail == "Line 2 is not UTF-8 text. Save it again as “CSV UTF-8” and import that file."


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.csv").reason == "not_found"
    assert refusal(tmp_path).reason == "not_a_file"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").reason == "not_a_file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_nobody_may_read_is_refused(file: Path) -> None:
    file.write_bytes(GOOD)
    file.chmod(0)
    assert refusal(file).reason == "no_permission"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_separators_and_line_ends_of_every_kind_are_read(
    file: Path, start: bytes, delimiter: str, end: str
) -> None:
    lines = [["username", "first_name"], ["ada", "Ádá"], ["", ""], [f'"b{delimiter}o"', "Bo"]]
    file.write_bytes(start + end.join(delimiter.join(line) for line in lines).encode())
    with open_table(file) as table:
        assert table.headers == ["username", "first_name"]
        assert list(table.rows) == [Row(2, ["ada", "Ádá"]), Row(4, [f"b{delimiter}o", "Bo"])]


def test_a_row_has_the_number_of_the_line_it_starts_on(file: Path) -> None:
    file.write_bytes(GOOD + b'ada,"Ada\nLovelace",x\n\nbo,"""Bo""",y\n')
    assert rows_of(file) == [Row(2, ["ada", "Ada\nLovelace", "x"]), Row(5, ["bo", '"Bo"', "y"])]


@pytest.mark.parametrize(
    ("headers", "reason", "said"),
    [
        (["ada@example.edu", "ada", "Ada"], "no_header", "email_address"),
        ([], "no_header", "email_address"),
        (["username", "first_name"], "missing_columns", "lacks email_address"),
        (["Username", "email_address", "first name"], "missing_columns", "Write “username” instead of “Username”"),
        (["Email_Address", "USERNAME", "First-Name"], "missing_columns", "“first_name” instead of “First-Name”"),
        (["username", "first_name", "email_address", "username"], "repeated_column", "username more than once"),
    ],
)
def test_a_header_row_that_cannot_be_used_is_refused(headers: list[str], reason: str, said: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_header(headers)
    assert refused.value.reason == reason
    assert said in refused.value.detail


def test_rule_84_every_known_header_is_known_in_lower_case_only() -> None:
    assert read_header(list(COLUMNS)).unknown == ()
    assert {name for name in COLUMNS if name != name.lower()} == set()
