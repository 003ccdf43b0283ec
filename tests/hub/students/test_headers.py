"""Which column each header of a student file is taken for, and header rows that cannot be used."""

import pytest

from hub.errors import UnreadableFile
from hub.rules.headers import folded
from hub.rules.student_file.codes import REASONS
from hub.rules.student_file.columns import COLUMNS, MANDATORY
from hub.rules.student_file.headers import ALIASES, read_header, understood


@pytest.mark.parametrize(
    ("headers", "reason", "said"),
    [
        (["ada@example.edu", "ada", "Ada"], "no_header", "email_address"),
        ([], "no_header", "email_address"),
        (["username", "first_name"], "missing_columns", "lacks email_address"),
        (["usrname", "email_address", "first name"], "missing_columns", "Write “username” instead of “usrname”"),
        (["username", "first_name", "email_address", "username"], "repeated_column", "username more than once"),
        (["username", "Prénom", "email_address", "Given name"], "repeated_column", "first_name more than once"),
    ],
)
def test_a_header_row_that_cannot_be_used_is_refused(headers: list[str], reason: str, said: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_header(understood(headers, {}))
    assert refused.value.reason == reason
    assert said in refused.value.detail
    assert tuple(refused.value.about) == REASONS[reason]


def test_rule_84_every_known_header_is_known_exactly_as_it_is_documented() -> None:
    found = understood(list(COLUMNS), {})
    assert list(found.columns.values()) == list(COLUMNS)
    assert (found.unknown, found.taken_for) == ((), {})
    assert {name for name in COLUMNS if name != name.lower()} == set()


@pytest.mark.parametrize(
    "headers",
    [
        ["Adresse e-mail", "Nom d'utilisateur", "Prénom", "Nom", "désactivé", "Date d’obtention du diplôme"],
        ["ADRESSE E-MAIL", "Nom d’utilisateur", "PRÉNOM", "Nom de famille", "Archivé", "Date d'obtention du diplôme"],
        ["Courriel", "nom d'utilisateur", "Prenom", "NOM", "Désactivé(e)", "Primary_education:end_date"],
        ["E-mail", "User name", "First name", "Surname", "DISABLED", "Graduation date"],
        ["Email Address", "USERNAME", "First-Name", "last name", "archived", "primary education end date"],
    ],
)
def test_rule_84_headers_as_staff_write_them_are_taken_for_columns_and_that_is_told(headers: list[str]) -> None:
    meant = ["email_address", "username", "first_name", "last_name", "disabled", "primary_education:end_date"]
    found = understood(headers, {})
    assert found.taken_for == dict(zip(headers, meant, strict=True))
    assert found.unknown == ()


@pytest.mark.parametrize("header", ["Année d'études", "année d’étude", "ANNEE DE CURSUS", "Année d'études actuelle"])
def test_the_year_of_study_has_its_french_names(header: str) -> None:
    assert understood([*MANDATORY, header], {}).taken_for == {header: "school_year_name"}


@pytest.mark.parametrize(
    "header",
    ["Student ID", "ID", "Identifiant", "Numéro", "Name", "Date", "Adresse", "Number", "Niveau d'études"],
)
def test_what_may_mean_several_things_is_taken_for_nothing(header: str) -> None:
    assert understood([*MANDATORY, header], {}).unknown == (header,)


def test_the_exact_name_of_a_column_wins_over_what_resembles_it() -> None:
    found = understood(["Email", "email_address", "username", "first_name"], {})
    assert found.columns == {1: "email_address", 2: "username", 3: "first_name"}
    assert found.unknown == ("Email",)


def test_what_somebody_said_a_column_holds_decides() -> None:
    found = understood([*MANDATORY, "Remarks", "campus_name"], {3: "campus_name", 4: ""})
    assert found.columns == {0: "email_address", 1: "username", 2: "first_name", 3: "campus_name"}
    assert found.unknown == ()


def test_every_alias_is_written_as_headers_are_compared_and_means_a_column() -> None:
    assert [alias for alias in ALIASES if folded(alias) != alias] == []
    assert set(ALIASES.values()) <= set(COLUMNS)
    assert ALIASES.keys() & COLUMNS.keys() == set()
