"""Which of our languages to speak, and the one way Flask-Babel and Jinja are set up for it."""

from pathlib import Path
from typing import Any, Final

from flask import Flask, current_app, has_request_context, request
from flask_babel import Babel, get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

LANGUAGES: Final = ("en", "fr")
# Each language is called by its own name, whatever is being spoken.
LANGUAGE_NAMES: Final = {"en": "English", "fr": "Français"}

# The extractor of texts (scripts/catalogues.py) reads templates with the same settings: another
# treatment of white space would be another msgid.
JINJA_OPTIONS: Final = {"trim_blocks": True, "lstrip_blocks": True}
TRIMMED_TRANS_BLOCKS: Final = True

_TRANSLATIONS = Path(__file__).parent / "translations"


def choose(explicit: str | None, accept: str | None, default: str | None) -> str:
    """The language somebody asked for, else the place's own, else the browser's, else English."""
    for wish in (explicit, default):
        language = _ours(wish)
        if language:
            return language
    # Not best_match(): it prefers a poor exact match to a better regional one (fr-CA).
    for wish, quality in parse_accept_header(accept, LanguageAccept):
        language = _ours(wish)
        if language and quality > 0:
            return language
    return LANGUAGES[0]


def init_language(app: Flask) -> Babel:
    """Makes `app` speak: catalogues of the app and of `ui`, `lang` from query or form.

    `DEFAULT_LANGUAGE` in the app's configuration is the language of the place; it is read at every
    request. Templates get `html_lang()`, `languages` and `language_names`.
    """
    for name, value in JINJA_OPTIONS.items():
        setattr(app.jinja_env, name, value)
    app.jinja_env.policies["ext.i18n.trimmed"] = TRIMMED_TRANS_BLOCKS
    babel = Babel(
        app,
        default_translation_directories=f"translations;{_TRANSLATIONS}",
        locale_selector=_of_this_request,
    )
    app.jinja_env.globals.update(html_lang=html_lang, languages=LANGUAGES, language_names=LANGUAGE_NAMES)
    return babel


def keep_language(app: Flask) -> None:
    """Lets whoever asked for a language go on in it: every address that the app makes asks for it too."""

    @app.url_defaults
    def go_on(endpoint: str, values: dict[str, Any]) -> None:
        asked = _ours(request.args.get("lang")) if has_request_context() else None
        if asked and "filename" not in values:
            values.setdefault("lang", asked)


def html_lang() -> str:
    """The value of `<html lang>`: Babel writes fr_CA where HTML wants fr-CA."""
    return str(get_locale() or LANGUAGES[0]).replace("_", "-")


def _of_this_request() -> str:
    default = current_app.config.get("DEFAULT_LANGUAGE")
    if not has_request_context():
        return choose(None, None, default)
    return choose(_asked_for(), request.headers.get("Accept-Language"), default)


def _asked_for() -> str | None:
    try:
        return request.values.get("lang")
    except HTTPException:
        # A form that cannot be read, being too long: the page that says so speaks a language as well.
        return request.args.get("lang")


def _ours(wish: str | None) -> str | None:
    primary = (wish or "").strip().lower().replace("_", "-").split("-")[0]
    return primary if primary in LANGUAGES else None
