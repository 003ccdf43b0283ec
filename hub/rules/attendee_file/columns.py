"""The columns of the attendee file (RULE-73), and which of its cells belongs to which."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from hub.errors import UnreadableFile
from hub.rules.headers import Understood, understand

ADDRESS = "student_email_address"
REGISTERED = "registered"
CHECKED_IN = "checked_in"
TYPE = "identifiable_type"
ID = "identifiable_id"
IDENTIFIER = "identifier"
COLUMNS = (ADDRESS, REGISTERED, CHECKED_IN, TYPE, ID, IDENTIFIER)

JustAddresses = Literal["checked_in", "registered"]


@dataclass(frozen=True, slots=True)
class Options:
    """What is said of a file beside what it says itself.

    `session_id`: the session whose attendees these are, and nobody else's. `just_addresses`: what the people are whom a
    file lists that has neither of the columns for it.
    """

    session_id: UUID | None = None
    just_addresses: JustAddresses | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """By column the index of its cells. `implied`: what is TRUE of everybody in the file (`Options.just_addresses`)."""

    index: Mapping[str, int]
    width: int
    reported: bool
    implied: JustAddresses | None


_ALIASES = {
    ADDRESS: (
        "email e_mail email_address e_mail_address mail student_email student_e_mail school_email school_e_mail "
        "school_email_address school_address courriel adresse_e_mail adresse_email adresse_mail adresse_courriel "
        "adresse_electronique adresse_de_courriel adresse_e_mail_d_ecole adresse_email_d_ecole e_mail_d_ecole "
        "email_d_ecole adresse_e_mail_de_l_etudiant adresse_e_mail_de_l_etudiant_e e_mail_de_l_etudiant "
        "e_mail_de_l_etudiant_e adresse_e_mail_etudiant adresse_e_mail_etudiant_e"
    ),
    REGISTERED: "is_registered inscrit inscrite inscrit_e",
    CHECKED_IN: "checkedin attended present presente present_e presence presence_enregistree",
    TYPE: "type_identifiable",
    ID: "event_id id_identifiable id_evenement id_de_l_evenement identifiant_de_l_evenement",
    IDENTIFIER: "import_identifier identifiant_d_importation",
}
ALIASES = {alias: column for column, aliases in _ALIASES.items() for alias in aliases.split()}
"""Other names of the columns, by `folded` header. Only what can mean nothing else."""


def understood(headers: Sequence[str], chosen: Mapping[int, str]) -> Understood:
    """Which column each header is taken for; `chosen`, by index, decides."""
    return understand(headers, COLUMNS, ALIASES, chosen)


def required(columns: Collection[str], options: Options) -> tuple[str, ...]:
    """The columns that a file with these needs and lacks."""
    missing = [ADDRESS] if ADDRESS not in columns else []
    if options.session_id is None:
        missing += [TYPE] if TYPE not in columns else []
        missing += [ID] if not {ID, IDENTIFIER} & set(columns) else []
    if options.just_addresses is None and not {REGISTERED, CHECKED_IN} & set(columns):
        missing += [CHECKED_IN]
    return tuple(missing)


def read_header(found: Understood, options: Options) -> Header:
    """The header row, once it is known what it says.

    Raises `UnreadableFile` with one of `codes.REASONS`.
    """
    columns = {name: index for index, name in found.columns.items()}
    _check(columns, found, options)
    says = REGISTERED in columns or CHECKED_IN in columns
    return Header(columns, found.width, found.reported, None if says else options.just_addresses)


def _check(columns: Collection[str], found: Understood, options: Options) -> None:
    missing = required(columns, options)
    if not columns:
        raise UnreadableFile(
            "no_header", f"The first row holds no header we know. Put a row above it that says: {ADDRESS}"
        )
    if found.repeated:
        named = ", ".join(found.repeated)
        raise UnreadableFile(
            "repeated_column", f"Several columns are {named}. Keep one of each, or leave the others out.", columns=named
        )
    if ADDRESS in missing:
        raise UnreadableFile(
            "missing_columns", f"The header row lacks {ADDRESS}, the students' school address.", columns=ADDRESS
        )
    if missing and missing != (CHECKED_IN,):
        raise UnreadableFile(
            "says_no_event",
            f"Nothing says which event this is. Add the columns {TYPE} and {ID}, or import the file into one session: "
            "from its page, or with --session.",
        )
    if missing:
        raise UnreadableFile(
            "says_nothing",
            f"Nothing says whether these people registered or came. Add a column {REGISTERED} or {CHECKED_IN}, or say "
            "it of all of them: --as registered or --as checked_in.",
        )
