"""What an export says to people, in each language. Catalogues are for pages: a command has none."""

from typing import Final, Literal

Language = Literal["en", "fr"]

ATTENDEES: Final[dict[Language, tuple[str, ...]]] = {
    "en": (
        "Session",
        "Username",
        "First name",
        "Middle name",
        "Last name",
        "Preferred name",
        "School email",
        "Registered",
        "Checked in",
        "First arrival",
        "How",
        "Kiosk",
        "Checked out",
    ),
    "fr": (
        "Séance",
        "Nom d’utilisateur",
        "Prénom",
        "Deuxième prénom",
        "Nom",
        "Prénom d’usage",
        "E-mail d’école",
        "Inscription",
        "Présence",
        "Première arrivée",
        "Moyen",
        "Borne",
        "Sortie",
    ),
}
SESSIONS: Final[dict[Language, tuple[str, ...]]] = {
    "en": ("Number", "Session", "Starts", "Ends", "Id", "External id"),
    "fr": ("Numéro", "Séance", "Début", "Fin", "Identifiant", "Identifiant externe"),
}
COUNTS: Final[dict[Language, tuple[str, ...]]] = {
    "en": ("Session", "Registered", "Checked in", "Registered and checked in", "Not registered", "To be looked at"),
    "fr": ("Séance", "Inscriptions", "Présences", "Inscrits présents", "Venus sans inscription", "À examiner"),
}
YES_NO: Final[dict[Language, tuple[str, str]]] = {"en": ("yes", "no"), "fr": ("oui", "non")}
HOW: Final[dict[Language, dict[str, str]]] = {
    "en": {"email": "email", "card": "card", "pass": "pass", "staff": "by hand", "file": "file"},
    "fr": {"email": "e-mail", "card": "carte", "pass": "pass", "staff": "à la main", "file": "fichier"},
}
SHEETS: Final[dict[str, dict[Language, str]]] = {
    "attendees": {"en": "Attendees", "fr": "Participants"},
    "students": {"en": "Students", "fr": "Étudiants"},
}
FILES: Final[dict[str, dict[Language, str]]] = {
    "attendees": {"en": "attendees", "fr": "participants"},
    "handshake": {"en": "handshake", "fr": "handshake"},
    "students": {"en": "students", "fr": "etudiants"},
    "event": {"en": "event", "fr": "evenement"},
    "counts": {"en": "counts", "fr": "comptes"},
    "sessions": {"en": "sessions", "fr": "seances"},
}
README: Final[dict[Language, str]] = {
    "en": """\
{event}
{starts} - {ends} ({zone})
Written on {now}, from what the hub knew at that moment. {waiting}

{sessions}.csv
    The sessions of the event.
{counts}.csv
    How many were registered and how many came, counted from those files.
{attendees}*.csv, {attendees}*.xlsx
    Who was registered and who came, a file for each session: the same people in both.
    In the CSV files a text that a spreadsheet would take for a formula has an apostrophe before it.
{handshake}.csv
    The same attendees as Handshake imports them.

These files hold names and addresses. Keep them where only those can read them who need to, and delete them when they
are no longer needed.
""",
    "fr": """\
{event}
{starts} - {ends} ({zone})
Écrit le {now}, d’après ce que le serveur central savait à ce moment. {waiting}

{sessions}.csv
    Les séances de l’événement.
{counts}.csv
    Combien étaient inscrits et combien sont venus, comptés d’après ces fichiers.
{attendees}*.csv, {attendees}*.xlsx
    Qui était inscrit et qui est venu, un fichier par séance : les mêmes personnes dans les deux formats.
    Dans les fichiers CSV, un texte qu’un tableur prendrait pour une formule est précédé d’une apostrophe.
{handshake}.csv
    Les mêmes participants, tels que Handshake les importe.

Ces fichiers contiennent des noms et des adresses. Gardez-les là où seules peuvent les lire les personnes qui en ont
besoin, et supprimez-les quand ils ne servent plus.
""",
}


def waiting(count: int, language: Language) -> str:
    """What an export leaves out for now; empty when that is nothing."""
    if not count:
        return ""
    if language == "fr":
        subject = "1 enregistrement attend" if count == 1 else f"{count} enregistrements attendent"
        verb = "ne figure" if count == 1 else "ne figurent"
        return f"{subject} une décision et {verb} pas ici."
    subject = "1 check-in waits" if count == 1 else f"{count:,} check-ins wait"
    return f"{subject} for a decision and {'is' if count == 1 else 'are'} not in here."
