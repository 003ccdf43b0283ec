"""CSV files of every kind come out as the same rows."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.readers import DELIMITERS, ENCODINGS, How, Row
from hub.readers.text import delimiter_of
from tests.hub.readers.files import read

SPECTRUM = json.loads((Path(__file__).parents[2] / "data" / "csv_spectrum.json").read_text("utf-8"))
CODECS = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
CODECS |= {"cp1252": "cp1252", "mac_roman": "mac_roman"}
"""What files are encoded with, and what that is called here."""


def written(rows: list[list[str]], delimiter: str, end: str, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    text = StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("name", SPECTRUM)
def test_the_spectrum_of_csv_comes_out_as_its_makers_say(name: str) -> None:
    found, expected = read(SPECTRUM[name]["csv"].encode()), SPECTRUM[name]["rows"]
    rows = [dict(zip(found.headers, row.cells, strict=True)) for row in found.rows]
    if name == "location_coordinates":
        # Theirs is one row instead of a list of one, with another number than their own file has.
        expected = [{**expected, "Contact Phone Number": "2095257564"}]
    assert rows == expected


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end_gives_the_same_rows(codec: str, delimiter: str, end: str) -> None:
    table = [
        ["username", "first_name", "last_name", "card_id"],
        ["ada", "Adélaïde", "Lefèvre", "00420042004200421"],
        ["007", f"b{delimiter}o", "d’Hôtel", "98765432109876543"],
    ]
    found = read(written([table[0], table[1], [""] * 4, table[2]], delimiter, end).encode(codec))
    assert found.headers == table[0]
    assert found.rows == [Row(2, table[1]), Row(4, table[2])]
    assert (found.format.encoding, found.format.delimiter) == (CODECS[codec], delimiter)
    assert found.format.marked == (codec in ("utf-8-sig", "utf-16"))
    assert found.format.guessed == (codec not in ("utf-8", "utf-8-sig", "utf-16"))


@pytest.mark.parametrize("codec", ["cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "name",
    [
        "Élodie", "Zoé", "François", "Chloë", "Benoît", "Müller", "Straße", "Núñez", "Øystein", "Åsa", "Cœuré",
        "L’Haÿ", "d’Hôtel", "CÔTÉ", "ÉMILE", "Lætitia", "naïve « citée »", "Coût : 5 € – déjà",
    ],
)  # fmt: skip
def test_one_accent_tells_windows_from_an_old_mac(codec: str, name: str) -> None:
    found = read(f"username,first_name\nada,{name}\n".encode(codec))
    assert found.rows[0].cells == ["ada", name]
    assert found.format.guessed


@pytest.mark.parametrize("codec", ["cp1252", "mac_roman"])
def test_the_first_accent_may_come_late(codec: str) -> None:
    plain = f"bo,Bo,{'No accent in this row. ' * 100}\n" * 500
    found = read(f"username,first_name,note\n{plain}dita,Édith,é\n".encode(codec))
    assert found.rows[-1] == Row(502, ["dita", "Édith", "é"])


def test_what_somebody_says_about_a_file_counts_more_than_what_it_looks_like() -> None:
    content = "a;b,c\n1;é,2\n".encode("cp1252")
    said = read(content, how=How(encoding="mac_roman", delimiter=";"))
    assert said.table == [["a", "b,c"], ["1", "È,2"]]
    assert not said.format.guessed


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_needs_no_mark_even_where_letters_hold_zeros_themselves(codec: str) -> None:
    found = read("username,first_name\nada,ĀĀda\n".encode(codec))
    assert found.table == [["username", "first_name"], ["ada", "ĀĀda"]]
    assert read("a,b\nĀ,Ā\n".encode(codec), how=How(encoding="utf-16")).table == [["a", "b"], ["Ā", "Ā"]]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_may_be_said_to_be_what_it_is(encoding: str) -> None:
    found = read("a,b\n1,é\n".encode(encoding), how=How(encoding=encoding))
    assert found.table == [["a", "b"], ["1", "é"]]


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["ada@example.edu\n", "bo@example.edu\n"], ","),
        (["email_address\n", "Lovelace; Ada\n", "Bo\n"], ","),
        (["name;note\n", "Lovelace, Ada;a, b, c\n", "Bo;d\n"], ";"),
        (["a,b\n", '1,"x;y\n', 'z;z;z"\n'], ","),
        (["Name (last, first, other);note\n", "Ada;x\n", "Bo;y\n"], ";"),
        (["Nom, prénom;courriel\n", "Lovelace, Ada;ada@example.edu\n"], ";"),
        (["a|b|c\n", "1|2|3\n"], "|"),
        (["a\tb\n", "1,5\t2,5\n"], "\t"),
        (["a;b;c\n", "1;2\n", "1;2;3\n"], ";"),
    ],
)
def test_the_delimiter_is_what_makes_records_as_wide_as_the_headers(lines: list[str], delimiter: str) -> None:
    assert delimiter_of(lines) == delimiter


@pytest.mark.parametrize("announced", ["sep=;\r\n", "SEP=;\n", '"sep=;"\r\n'])
def test_the_line_that_tells_excel_the_delimiter_is_no_row(announced: str) -> None:
    assert read(f"{announced}a,1;b\nx;y\n".encode()).rows == [Row(3, ["x", "y"])]


def test_columns_that_excel_wrote_for_nothing_are_dropped() -> None:
    found = read(b" a ,\xc2\xa0b,,\n1,2,,\n1,2\n1\n1,2,, x\n,,,\n")
    assert found.headers == ["a", "b"]
    assert found.rows == [Row(2, ["1", "2"]), Row(3, ["1", "2"]), Row(4, ["1"]), Row(5, ["1", "2", "", " x"])]


def test_a_header_in_the_middle_may_be_blank() -> None:
    assert read(b"a,,c\n1,2,3\n").table == [["a", "", "c"], ["1", "2", "3"]]


def test_a_row_has_the_number_of_the_line_it_starts_on() -> None:
    found = read(b'\nusername,name,note\nada,"Ada\nLovelace",x\n\nbo,"""Bo""",y\n')
    assert found.rows == [Row(3, ["ada", "Ada\nLovelace", "x"]), Row(6, ["bo", '"Bo"', "y"])]


@pytest.mark.parametrize("codec", ["utf-8", "cp1252"])
def test_blocks_and_lines_of_any_length_meet_in_the_middle_of_a_character(codec: str) -> None:
    note = "é" * 100_000
    found = read(f"a,b\n{'x' * 99}{note},1\n".encode(codec) * 12)
    assert {len(row.cells[0]) for row in found.rows} == {1, 100_099}
    assert found.rows[-1] == Row(24, ["x" * 99 + note, "1"])


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def tables(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    """Headers that are not blank, and rows of which none is."""
    width = st.shared(st.integers(2, 4))
    headers = width.flatmap(lambda n: st.lists(st.sampled_from(["a", "né", "c d"]), min_size=n, max_size=n))
    rows = width.flatmap(lambda n: st.lists(cells, min_size=n, max_size=n)).filter(lambda row: any(map(str.strip, row)))
    return st.tuples(headers, st.lists(rows, max_size=4)).map(lambda table: [table[0], *table[1]])


@given(
    tables(CELLS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "mac_roman"]),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@example([["a", "b"], ["=1+1", "\ufeff"]], "utf-8", ";", "\r")
def test_any_table_comes_back_as_it_was_written(table: list[list[str]], codec: str, delimiter: str, end: str) -> None:
    try:
        content = written(table, delimiter, end, csv.QUOTE_ALL).encode(codec)
    except UnicodeEncodeError:
        content = written(table, delimiter, end, csv.QUOTE_ALL).encode(codec := "utf-8")
    found = read(content, how=How(encoding=CODECS[codec], delimiter=delimiter))
    assert found.table == table
