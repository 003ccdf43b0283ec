import csv
import io
import unicodedata
from collections import Counter

import pytest

from hub.rules.student_file.headers import read_header, understood
from hub.rules.student_file.rows import FileRow, read_row
from scripts.sample import CARD_FORMATS, DOMAINS, HEADER, Student, students, write
from scripts.sample_names import PEOPLE
from sync.identifiers import Card, compile_formats, read
from sync.messages import CardFormat


@pytest.fixture(scope="module")
def people() -> list[Student]:
    return list(students(3_000, seed=7))


def test_the_same_seed_gives_the_same_people(people: list[Student]) -> None:
    assert list(students(3_000, seed=7)) == people
    assert list(students(3_000, seed=8)) != people


def test_the_file_begins_with_the_columns_in_their_public_order(people: list[Student]) -> None:
    file = io.StringIO()
    write(people, file)
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    assert header[:9] == [
        *("email_address", "username", "auth_identifier", "card_id", "first_name", "last_name"),
        *("middle_name", "preferred_name", "school_year_name"),
    ]
    assert len(rows) == len(people)


def test_every_row_reads_without_a_problem(people: list[Student]) -> None:
    file = io.StringIO()
    write(people, file)
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    found = understood(header, {})
    assert (found.unknown, found.taken_for) == ((), {})
    assert len(found.columns) == len(HEADER)
    columns = read_header(found)
    for number, cells in enumerate(rows):
        row = read_row(columns, number, cells)
        assert isinstance(row, FileRow)
        assert row.problems == {}


def test_nobody_shares_a_username_an_address_or_a_card(people: list[Student]) -> None:
    for values in (
        [each.username for each in people],
        [each.auth_identifier for each in people],
        [each.card_id for each in people if each.card_id],
        [address for each in people for address in (*each.school_emails, *(own.address for own in each.personal))],
    ):
        assert Counter(values).most_common(1)[0][1] == 1


def test_everybody_has_one_to_four_addresses_in_ascii_and_the_schools_are_on_its_domains(people: list[Student]) -> None:
    for each in people:
        assert 1 <= len(each.school_emails) + len(each.personal) <= 4
        assert all(address.isascii() and address.rpartition("@")[2] in DOMAINS for address in each.school_emails)
        assert all(own.address.isascii() and own.address.endswith(".example") for own in each.personal)
    assert {len(each.school_emails) + len(each.personal) for each in people} == {1, 2, 3, 4}
    assert {own.confirmed for each in people for own in each.personal} == {True, False}


def test_cards_come_in_two_formats_and_keep_their_leading_zeros(people: list[Student]) -> None:
    formats = compile_formats(CardFormat(whole=whole, extract=extract) for whole, extract in CARD_FORMATS)
    cards = [each for each in people if each.card_id]
    assert all(read(each.swipe, formats) == Card(each.card_id) for each in cards)
    assert {len(each.card_id) for each in cards} == {6, 10}
    assert any(each.card_id.startswith("0") for each in cards)


def test_there_are_alumni_archived_students_and_preferred_names(people: list[Student]) -> None:
    assert any(each.year == "Alumni" for each in people)
    assert 0 < sum(each.disabled for each in people) < len(people) / 20
    assert any(each.preferred_name for each in people)


def test_names_come_from_many_languages_and_scripts(people: list[Student]) -> None:
    assert len(PEOPLE) >= 15
    scripts = {unicodedata.name(letter).split()[0] for each in people for letter in each.first_name if letter.isalpha()}
    assert {"LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "CJK", "HANGUL", "HIRAGANA", "DEVANAGARI"} <= scripts


def test_names_are_written_in_one_way_only() -> None:
    for people in PEOPLE:
        for text in (people.given, people.family, people.middle):
            assert text == unicodedata.normalize("NFC", text), people.language
            assert len(text.split()) == len(set(text.split())), people.language
