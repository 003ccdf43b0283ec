"""The header row of the student file: which column each cell of a row belongs to (RULE-84)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.errors import UnreadableFile
from hub.rules.headers import Understood, folded, resembled, understand
from hub.rules.student_file.columns import COLUMNS, EMAIL, END, MANDATORY, MORE, START, Column

_ALIASES = {
    EMAIL: (
        "email e_mail mail e_mail_address mail_address school_email school_e_mail school_email_address "
        "student_email student_e_mail university_email adresse_e_mail adresse_email adresse_mail adresse_courriel "
        "adresse_de_courriel adresse_electronique adresse_de_messagerie courriel mel e_mail_d_ecole email_d_ecole "
        "adresse_e_mail_d_ecole adresse_email_d_ecole adresse_e_mail_de_l_ecole e_mail_etudiant e_mail_etudiant_e "
        "email_etudiant adresse_e_mail_de_l_etudiant adresse_e_mail_de_l_etudiant_e courriel_institutionnel "
        "e_mail_institutionnel email_institutionnel adresse_e_mail_institutionnelle adresse_e_mail_principale"
    ),
    MORE: (
        "additional_email additional_emails additional_e_mails additional_email_address "
        "adresses_e_mail_supplementaires adresse_e_mail_supplementaire adresses_email_supplementaires "
        "e_mails_supplementaires emails_supplementaires courriels_supplementaires"
    ),
    "username": (
        "user_name login login_name nom_d_utilisateur nom_utilisateur nom_d_utilisateur_rice nom_d_utilisateur_trice "
        "nom_d_utilisatrice"
    ),
    "auth_identifier": (
        "sso_id sso_identifier single_sign_on_id authentication_identifier identifiant_sso id_sso "
        "identifiant_d_authentification"
    ),
    "card_id": (
        "card card_no card_number student_card student_card_number carte carte_etudiant numero_de_carte numero_carte "
        "n_de_carte no_de_carte num_carte id_de_carte identifiant_de_carte numero_de_carte_etudiant "
        "numero_de_carte_d_etudiant numero_de_carte_d_etudiant_e numero_de_la_carte"
    ),
    "first_name": "firstname given_name given_names forename prenom prenoms",
    "last_name": "lastname surname family_name nom nom_de_famille",
    "middle_name": "middlename middle_names deuxieme_prenom second_prenom autres_prenoms",
    "preferred_name": "preferred_first_name known_as nickname prenom_usuel prenom_d_usage prenom_prefere nom_prefere",
    "school_year_name": (
        "school_year year_of_study annee_d_etude annee_d_etudes annee_d_etudes_en_cours "
        "annee_d_etudes_actuelle annee_de_cursus annee_du_cursus nom_de_l_annee_d_etudes"
    ),
    "disabled": "archived desactive desactivee desactive_e archive archivee archive_e",
    START: "date_de_debut_d_etudes date_de_debut_des_etudes debut_des_etudes",
    END: (
        "graduation_date date_of_graduation expected_graduation_date date_d_obtention_du_diplome "
        "date_obtention_du_diplome date_de_diplome date_de_diplomation date_de_fin_d_etudes date_de_fin_des_etudes "
        "fin_des_etudes"
    ),
    "gender": "sex sexe genre",
    "campus_name": "campus",
    "mobile_number": (
        "mobile mobile_phone mobile_phone_number cell_phone telephone_mobile telephone_portable portable "
        "numero_de_portable numero_de_mobile"
    ),
}
ALIASES = {folded(name.replace(":", "_")): name for name in COLUMNS if ":" in name} | {
    alias: column for column, aliases in _ALIASES.items() for alias in aliases.split()
}
"""Other names of the columns, by `folded` header. Only what can mean nothing else in a student file."""

KNOWN = tuple(COLUMNS)
"""Every column a student file may have."""
REQUIRED = MANDATORY
"""Those it must have."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which column each cell of a row belongs to. `reported`: the file is a failed-rows file."""

    columns: tuple[tuple[int, Column], ...]
    width: int
    reported: bool


def understood(headers: Sequence[str], chosen: Mapping[int, str]) -> Understood:
    """Which column each header is taken for; `chosen`, by index, decides."""
    return understand(headers, COLUMNS, ALIASES, chosen)


def read_header(found: Understood) -> Header:
    """The header row, once it is known what it says. Raises `UnreadableFile` with one of `codes.REASONS`."""
    if not found.columns and not any(_meant(found.unknown).values()):
        raise UnreadableFile(
            "no_header",
            "The first row holds no header we know. It must name the columns: email_address, username, first_name, …",
        )
    missing = ", ".join(name for name in REQUIRED if name not in found.columns.values())
    if missing:
        raise UnreadableFile(
            "missing_columns", f"The header row lacks {missing}.{_spelling(found.unknown)}", columns=missing
        )
    if found.repeated:
        repeated = ", ".join(found.repeated)
        raise UnreadableFile(
            "repeated_column",
            f"The header row names {repeated} more than once. Keep one column of each name.",
            columns=repeated,
        )
    columns = tuple((index, COLUMNS[name]) for index, name in found.columns.items())
    return Header(columns, found.width, found.reported)


def _spelling(unknown: Sequence[str]) -> str:
    meant = _meant(unknown)
    if not any(meant.values()):
        return " Add the column; its cells may be blank for students who are stored already."
    return "".join(f" Write “{name}” instead of “{header}”." for header, name in meant.items() if name)


def _meant(unknown: Sequence[str]) -> dict[str, str | None]:
    return {header: resembled(header, COLUMNS, ALIASES) for header in unknown}
