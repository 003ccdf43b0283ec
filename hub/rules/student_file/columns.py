"""The columns of the student file and how their cells are read."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.rules.addresses import UNREADABLE
from hub.rules.student_file.codes import Wrong

CLEAR = "**CLEAR**"
"""In a cell: erase what is stored (RULE-86)."""
LONGEST = 255
"""Characters of a name or an identifier. PostgreSQL cannot index a text of any length."""
MANDATORY = ("email_address", "username", "first_name")

YEARS = (
    "Freshman",
    "Sophomore",
    "Junior",
    "Senior",
    "Masters",
    "Doctorate",
    "Postdoctoral Studies",
    "Masters of Business Administration",
    "Accelerated Masters",
    "Alumni",
)
OLD_YEARS = {"Graduate": "Masters", "Post Graduate": "Doctorate"}
LEVELS = (
    "High School",
    "Associates",
    "Certificate",
    "Advanced Certificate",
    "Bachelors",
    "Masters",
    "Doctorate",
    "Postdoctoral Studies",
    "Non-Degree Seeking",
)
GENDERS = ("Male", "Female", "Other")

EMAIL = "email_address"
MORE = "additional_email_addresses"
START = "primary_education:start_date"
END = "primary_education:end_date"

Place = Literal["field", "attribute", "emails", "card"]
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: ([0-9]{2}:[0-9]{2}:[0-9]{2})(?: ?([+-][0-9]{4}))?)?")


def _any_text(text: str) -> str:
    # Not every database keeps it.
    if "\0" in text:
        raise Wrong("control_characters", UNREADABLE["control_characters"])
    return text


def _short_text(text: str) -> str:
    if len(text) > LONGEST:
        raise Wrong("too_long", f"is too long (maximum is {LONGEST} characters)", {"most": LONGEST})
    if not text.isprintable() and any(unicodedata.category(char) == "Cc" for char in text):
        raise Wrong("control_characters", UNREADABLE["control_characters"])
    return text


def flag(text: str) -> str:
    """TRUE or FALSE, all upper or all lower case; cannot be cleared (RULE-87)."""
    if text == CLEAR:
        raise Wrong("not_clearable", "must be TRUE or FALSE and cannot be cleared")
    if text not in ("TRUE", "FALSE", "true", "false"):
        raise Wrong("not_a_boolean", "must be TRUE or FALSE")
    return text


def _date(text: str) -> str:
    match = _MOMENT.fullmatch(text)
    if match is not None:
        day, time, offset = match.groups()
        try:
            datetime.fromisoformat(f"{day} {time or '00:00:00'}{offset or ''}")
            return text
        except ValueError:
            pass
    raise Wrong("not_a_date", "is not a date (yyyy-mm-dd)")


def _one_of(values: Sequence[str], old: Mapping[str, str] | None = None) -> Callable[[str], str]:
    known = {value: value for value in values} | dict(old or {})
    spelling = {value.casefold(): value for value in known}

    def read(text: str) -> str:
        if text in known:
            return known[text]
        meant = spelling.get(text.casefold())
        if meant is not None:
            raise Wrong("wrong_case", f"is case sensitive: write {meant}", {"meant": meant})
        allowed = ", ".join(values)
        raise Wrong("not_in_list", f"is not one of: {allowed}", {"allowed": allowed})

    return read


@dataclass(frozen=True, slots=True)
class Column:
    """A column we know: where its value goes, how a cell is read, and whether a blank cell erases (RULE-88)."""

    name: str
    place: Place
    read: Callable[[str], str] = _any_text
    target: str = ""
    clearable: bool = True
    blank_clears: bool = False


_year = _one_of(YEARS, OLD_YEARS)

_ALL = (
    Column(EMAIL, "emails", clearable=False),
    Column(MORE, "emails"),
    Column("username", "field", _short_text, clearable=False),
    Column("auth_identifier", "field", _short_text),
    Column("card_id", "card", _short_text),
    Column("first_name", "field", _short_text, clearable=False),
    Column("last_name", "field", _short_text),
    Column("middle_name", "field", _short_text),
    Column("preferred_name", "field", _short_text),
    Column("school_year_name", "field", _year),
    # The British and French pages write "institution" where the American ones write "school".
    Column("institution_year_name", "field", _year, target="school_year_name"),
    Column("disabled", "field", flag),
    Column("primary_education:education_level_name", "attribute", _one_of(LEVELS)),
    Column(START, "attribute", _date),
    Column(END, "attribute", _date),
    Column("gender", "attribute", _one_of(GENDERS)),
    Column("system_label_names", "attribute", blank_clears=True),
    *(
        Column(name, "attribute", flag)
        for name in (
            "primary_education:currently_attending",
            "work_study_eligible",
            "opt_cpt_eligible",
            "athlete",
            "veteran",
            "first_generation",
            "eu_gdpr_subject",
        )
    ),
    *(
        Column(name, "attribute")
        for name in (
            "primary_education:cumulative_gpa",
            "primary_education:department_gpa",
            "primary_education:major_names",
            "primary_education:minor_names",
            "primary_education:primary_major_name",
            "primary_education:college_name",
            "campus_name",
            "ethnicity",
            "mobile_number",
            "hometown_location_attributes:name",
            "assigned_to_email_address",
            "user_type",
            "bio",
            "skill_names",
            "external_link_urls",
            "time_zone",
            "work_authorization_name",
            "profile_review_status",
            "document_review_status",
            "override_disabled_field",
        )
    ),
)
COLUMNS = {column.name: column for column in _ALL}
