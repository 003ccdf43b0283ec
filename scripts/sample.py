"""A believable institution that does not exist, for the demo and the benchmarks. The same seed gives the same people.

python -m scripts.sample --students 100000 --seed 1 > students.csv
"""

import argparse
import csv
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple, TextIO

from scripts.sample_names import PEOPLE

INSTITUTION = "Northfield University"
STAFF, STUDENTS, ALUMNI = DOMAINS = ("northfield.edu", "students.northfield.edu", "alumni.northfield.edu")
PERSONAL_DOMAINS = ("mailbox.example", "quickpost.example", "courriel.example", "inbox.example")
"""Nobody can own a name below .example, so nothing that is ever sent to these reaches a stranger."""

CARD_FORMATS = (
    (r"^!\d{13}==\d{3};$", r"^!\d{2}(\d{6})\d{5}==\d{3};$"),
    (r"^;\d{12};:$", r"^;(\d{10})\d{2};:$"),
)
"""For `hub card-formats`: the card since 2019 (six digits of a longer number), and the one before it."""

MOST = 1_000_000
"""Six digits on a card."""
TERM = 2026
"""The sample does not depend on the day it is made on."""

HEADER = (
    "email_address",
    "username",
    "auth_identifier",
    "card_id",
    "first_name",
    "last_name",
    "middle_name",
    "preferred_name",
    "school_year_name",
    "additional_email_addresses",
    "primary_education:education_level_name",
    "primary_education:cumulative_gpa",
    "primary_education:major_names",
    "primary_education:start_date",
    "primary_education:end_date",
    "primary_education:currently_attending",
    "campus_name",
    "system_label_names",
    "disabled",
)

# School year: how many in a hundred, the level it leads to, and years since the start.
_YEARS = {
    "Freshman": (20, "Bachelors", 0),
    "Sophomore": (18, "Bachelors", 1),
    "Junior": (16, "Bachelors", 2),
    "Senior": (15, "Bachelors", 3),
    "Masters": (11, "Masters", 1),
    "Masters of Business Administration": (3, "Masters", 1),
    "Doctorate": (4, "Doctorate", 2),
    "Postdoctoral Studies": (1, "Postdoctoral Studies", 1),
    "Alumni": (12, "Bachelors", 6),
}
_MAJORS = (
    *("Accounting", "Anthropology", "Architecture", "Biology", "Chemistry", "Civil Engineering", "Computer Science"),
    *("Economics", "English", "French", "History", "Linguistics", "Mathematics", "Music", "Nursing", "Philosophy"),
    *("Physics", "Psychology", "Sociology", "Theatre"),
)
_NICKNAMES = ("Alex", "Charlie", "Gigi", "Jo", "Kit", "Max", "Mika", "Noor", "Robin", "Sam", "Theo", "Vivi")
# Letters that are not a Latin letter with something added.
_LATIN = str.maketrans("łŁøØđĐðÐıŋ", "lLoOdDdDin") | {
    ord(letter): latin for letter, latin in {"ß": "ss", "æ": "ae", "Æ": "Ae", "þ": "th", "Þ": "Th", "œ": "oe"}.items()
}


class Personal(NamedTuple):
    """An address a student has added; it identifies them once confirmed."""

    address: str
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One row of the file, and what the student has added since. `school_emails`: the main one first."""

    username: str
    first_name: str
    school_emails: tuple[str, ...]
    last_name: str = ""
    middle_name: str = ""
    preferred_name: str = ""
    auth_identifier: str = ""
    card_id: str = ""
    year: str = "Freshman"
    level: str = "Bachelors"
    gpa: str = "3.00"
    majors: str = "History"
    start: str = ""
    end: str = ""
    campus: str = ""
    labels: str = ""
    personal: tuple[Personal, ...] = ()
    disabled: bool = False

    @property
    def identifying(self) -> list[str]:
        """Every address that may be used at a kiosk."""
        return [*self.school_emails, *(each.address for each in self.personal if each.confirmed)]

    @property
    def swipe(self) -> str:
        """What a reader sends for this student's card."""
        return swipe(self.card_id)


class Name(NamedTuple):
    """As people write it, and in ASCII."""

    written: str
    latin: str


def students(count: int, seed: int = 1) -> Iterator[Student]:
    """That many students, one at a time. No two share a username, an address or a card."""
    if count > MOST:
        raise ValueError(f"at most {MOST:,} students")
    chance = Random(seed)  # noqa: S311 - makes people up, keeps no secret
    namesakes: Counter[str] = Counter()
    shift = chance.randrange(MOST)
    for number in range(count):
        yield _student(number + shift, chance, namesakes)


def swipe(card_id: str) -> str:
    """What a reader sends for the card with this id."""
    return f"!92{card_id}94300==124;" if len(card_id) == 6 else f";{card_id}00;:"


def write(people: Iterable[Student], file: TextIO) -> None:
    """The student file: header and one row each. Open the file with `encoding="utf-8", newline=""`."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(_row(each) for each in people)


def _row(each: Student) -> tuple[str, ...]:
    main, *more = each.school_emails
    return (
        main,
        each.username,
        each.auth_identifier,
        each.card_id,
        each.first_name,
        each.last_name,
        each.middle_name,
        each.preferred_name,
        each.year,
        ";".join(more),
        each.level,
        each.gpa,
        each.majors,
        each.start,
        each.end,
        "FALSE" if each.end else "TRUE",
        each.campus,
        each.labels,
        "TRUE" if each.disabled else "FALSE",
    )


def _student(number: int, chance: Random, namesakes: Counter[str]) -> Student:
    people = chance.choices(PEOPLE, _weights())[0]
    given, family = chance.choice(_names(people.given)), chance.choice(_names(people.family))
    middle = chance.choice(_names(people.middle)).written if people.middle and chance.random() < 0.5 else ""
    year = chance.choices(list(_YEARS), [share for share, _, _ in _YEARS.values()])[0]
    _, level, years = _YEARS[year]
    start = TERM - years - (chance.randrange(8) if year == "Alumni" else 0)
    # Neither follows from the other, and neighbours in the file have nothing in common.
    username = f"s{number * 7_368_787 % 10_000_000:07}"
    local = _local(given, family, namesakes)
    school = _school_emails(year, local, f"{given.latin[0]}{family.latin[0]}{number % MOST}".lower(), chance)
    return Student(
        username=username,
        auth_identifier=f"{username}@sso.{STAFF}",
        card_id=_card_id(number, chance),
        first_name=given.written,
        last_name=family.written,
        middle_name=middle,
        preferred_name=chance.choice(_NICKNAMES) if chance.random() < 0.07 else "",
        year=year,
        level=level,
        gpa=f"{chance.uniform(2, 4):.2f}",
        majors=";".join(chance.sample(_MAJORS, 2 if chance.random() < 0.15 else 1)),
        start=f"{start}-09-01",
        end=f"{start + 4}-06-15" if year == "Alumni" else "",
        campus=chance.choice(("Main", "Main", "Riverside", "Online")),
        labels="first-year" if year == "Freshman" else "",
        school_emails=school,
        personal=_personal(local, 4 - len(school), chance),
        disabled=chance.random() < (0.05 if year == "Alumni" else 0.01),
    )


def _card_id(number: int, chance: Random) -> str:
    match chance.random():
        case drawn if drawn < 0.05:
            return ""
        case drawn if drawn < 0.75:
            return f"{number * 611_953 % 1_000_000:06}"
        case _:
            return f"{number * 73_856_093 % 100_000_000:010}"


def _local(given: Name, family: Name, namesakes: Counter[str]) -> str:
    name = f"{_plain(given.latin.split()[0])}.{_plain(family.latin)}"
    namesakes[name] += 1
    return name if namesakes[name] == 1 else f"{name}{namesakes[name]}"


def _school_emails(year: str, local: str, short: str, chance: Random) -> tuple[str, ...]:
    if year == "Alumni":
        kept = [f"{local}@{ALUMNI}", f"{local}@{STUDENTS}"]
        return tuple(kept[: 2 if chance.random() < 0.5 else 1])
    main = f"{local}@{STAFF if year in ('Doctorate', 'Postdoctoral Studies') else STUDENTS}"
    return (main, f"{short}@{STAFF}") if chance.random() < 0.35 else (main,)


def _personal(local: str, room: int, chance: Random) -> tuple[Personal, ...]:
    wanted = chance.choices((0, 1, 2), (80, 17, 3))[0]
    domains = chance.sample(PERSONAL_DOMAINS, min(wanted, room))
    return tuple(Personal(f"{local}@{domain}", chance.random() < 0.75) for domain in domains)


@cache
def _weights() -> list[int]:
    return [people.weight for people in PEOPLE]


@cache
def _names(text: str) -> tuple[Name, ...]:
    pairs = (word.replace("_", " ").partition("=") for word in text.split())
    return tuple(Name(written, latin or _ascii(written)) for written, _, latin in pairs)


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text.translate(_LATIN)).encode("ascii", "ignore").decode()


def _plain(latin: str) -> str:
    return "".join(letter for letter in latin.lower() if letter.isalnum() or letter == "-")


def languages() -> list[str]:
    """Where the names come from."""
    return [people.language for people in PEOPLE]


def main() -> None:
    """Write the student file to standard output."""
    asked = argparse.ArgumentParser(description="A student file of people who do not exist, as CSV.")
    asked.add_argument("--students", type=int, default=5_000)
    asked.add_argument("--seed", type=int, default=1)
    told = asked.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    write(students(told.students, told.seed), sys.stdout)


if __name__ == "__main__":
    main()
