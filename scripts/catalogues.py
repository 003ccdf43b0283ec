"""The texts of kiosk, hub and ui in French: <package>/translations/fr/LC_MESSAGES/messages.po and .mo.

    scripts/catalogues.py           take up new texts, drop old ones, compile
    scripts/catalogues.py --check   fail if a text has no French, or a .mo is not its .po

A msgid is the English text. The .mo files are committed: a desk has no translation tools.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from ui.language import JINJA_OPTIONS, TRIMMED_TRANS_BLOCKS

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("kiosk", "hub", "ui")
LOCALE: Final = "fr"

_METHODS: Final = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
_JINJA: Final = {
    **{name: str(value).lower() for name, value in JINJA_OPTIONS.items()},
    "trimmed": str(TRIMMED_TRANS_BLOCKS).lower(),
    # A template that does not parse is an error, not an empty list of texts.
    "silent": "false",
}
_KEYWORDS: Final = {
    **DEFAULT_KEYWORDS,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
    "_l": None,
}
# Dates in catalogues say nothing that git does not, and every run would change them.
_NO_DATE: Final = datetime(2000, 1, 1, tzinfo=UTC)


def extract(package: Path) -> Catalog:
    """Every text that the package's Python and templates can show."""
    catalog = Catalog(creation_date=_NO_DATE, charset="utf-8")
    found = extract_from_dir(
        package,
        method_map=_METHODS,
        options_map={pattern: dict(_JINJA) for pattern, method in _METHODS if method == "jinja2"},
        keywords=_KEYWORDS,
        comment_tags=("Translators:",),
        strip_comment_tags=True,
    )
    for filename, _line, text, comments, context in found:
        path = (Path(package.name) / filename).as_posix()
        catalog.add(text, None, [(path, 0)], auto_comments=comments, context=context)
    return catalog


def read(po: Path) -> Catalog:
    """The French catalogue as it stands, or an empty one."""
    if not po.is_file():
        return Catalog(
            locale=LOCALE,
            project="kiosk-checkin",
            version="0",
            charset="utf-8",
            header_comment=f"# French texts of {po.parents[3].name}. New texts: make catalogues.",
            creation_date=_NO_DATE,
            revision_date=_NO_DATE,
            last_translator="nobody in particular",
            language_team=LOCALE,
            fuzzy=False,
        )
    with po.open("rb") as file:
        return read_po(file, locale=LOCALE, charset="utf-8")


def update(package: Path) -> None:
    """Takes up new texts, drops those no longer used, and compiles."""
    template = extract(package)
    po = _po(package)
    if not len(template) and not po.is_file():
        return
    catalog = read(po)
    # A guessed translation is worse than a missing one: nobody is told about it.
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    po.parent.mkdir(parents=True, exist_ok=True)
    po.write_bytes(as_po(catalog))
    po.with_suffix(".mo").write_bytes(as_mo(read(po)))


def problems(package: Path) -> Iterator[str]:
    """What a French-speaking person would miss, one line each."""
    po = _po(package)
    catalog = read(po)
    where = f"{package.name}/{po.relative_to(package)}"
    for wanted in _texts(extract(package)):
        message = catalog.get(wanted.id, wanted.context)
        text = _english(wanted)
        if message is None:
            yield f"{where}: {text!r} is not in the catalogue (make catalogues)"
        elif not _translated(message):
            yield f"{where}: {text!r} has no French"
        elif message.fuzzy:
            yield f"{where}: {text!r} is marked fuzzy: somebody must look at it"
        else:
            for error in message.check(catalog):
                yield f"{where}: {text!r}: {error}"
    if po.is_file():
        mo = po.with_suffix(".mo")
        if not mo.is_file() or mo.read_bytes() != as_mo(catalog):
            yield f"{where}: the .mo is older than this file (make catalogues)"


def as_po(catalog: Catalog) -> bytes:
    buffer = BytesIO()
    # Sorted by text and without line numbers: two people's changes meet in few places.
    write_po(buffer, catalog, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return buffer.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    buffer = BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _po(package: Path) -> Path:
    return package / "translations" / LOCALE / "LC_MESSAGES" / "messages.po"


def _texts(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _translated(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return bool(forms) and all(forms)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing, say what is missing")
    arguments = parser.parse_args()

    packages = [ROOT / name for name in PACKAGES]
    if not arguments.check:
        for package in packages:
            update(package)
    # After an update what is left to do is said, but it is not a failure: the work was done.
    found = [line for package in packages for line in problems(package)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
