"""A hundred thousand believable people, always the same ones, with three identifiers each."""

import csv
from pathlib import Path

from xlsxwriter import Workbook

from sync.identifiers import Card, Email, Identifier, read_email

MANY = 100_000
DOMAINS = ("example.edu", "alumni.example.edu")

_FIRST = (
    *("Ada", "Bo", "Cem", "Dita", "Émile", "Fatou", "Grace", "Hiro", "Inès", "Jamal"),
    *("Kaja", "Luca", "Maëlle", "Nour", "Oscar", "Priya", "Quinn", "Rosa", "Sven", "Tomás"),
)
_LAST = (
    *("Lovelace", "Diddley", "Karaca", "Kraus", "Zola", "Diome", "Hopper", "Tanaka"),
    *("Moreau", "Khan", "Virtanen", "Rossi", "Petit", "Haddad", "Wilde", "Rao"),
)


def first_name(number: int) -> str:
    return _FIRST[number % len(_FIRST)]


def username(number: int) -> str:
    return f"s{number:07d}"


def address(number: int) -> str:
    """The one on the main domain."""
    return f"{username(number)}@{DOMAINS[0]}"


def second_address(number: int) -> str:
    return f"{_LAST[number % len(_LAST)].lower()}.{number}@{DOMAINS[1]}"


def card(number: int) -> str:
    return f"{number + 300_000:06d}"


def identifiers(number: int) -> tuple[Email, Email, Card]:
    """What finds this person at a desk."""
    return read_email(address(number)), read_email(second_address(number)), Card(card(number))


def all_identifiers(count: int) -> list[tuple[int, Identifier]]:
    """Everybody's, with whose each is."""
    return [(number, each) for number in range(count) for each in identifiers(number)]


def write_csv(path: Path, count: int = MANY, year: str = "Junior") -> None:
    """The student file a school would send."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADERS)
        writer.writerows(_row(number, year) for number in range(count))


def write_xlsx(path: Path, count: int = MANY) -> None:
    """The same file, as a workbook."""
    with Workbook(path, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, _HEADERS)
        for number in range(count):
            sheet.write_row(number + 1, 0, _row(number, "Junior"))


def write_attendees(path: Path, count: int) -> None:
    """The file of an event to which so many registered and came."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("student_email_address", "registered", "checked_in"))
        writer.writerows((address(number), "TRUE", "TRUE") for number in range(count))


_HEADERS = (
    *("username", "email_address", "additional_email_addresses", "card_id"),
    *("first_name", "last_name", "school_year_name", "disabled"),
)


def _row(number: int, year: str) -> tuple[str, ...]:
    last_name = _LAST[number % len(_LAST)]
    return (
        *(username(number), address(number), second_address(number), card(number)),
        *(first_name(number), last_name, year, "FALSE"),
    )
