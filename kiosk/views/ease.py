"""What one person asks of the desk besides a language: larger, starker, aloud. Carried in addresses and forms, kept
nowhere, and so gone with the person."""

from typing import Any, Final

from flask import Flask, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from ui.language import html_lang

WISHES: Final = {"text": "large", "contrast": "high", "speech": "on"}
"""What may be asked for: the name of each wish, and the one value that asks for it."""

PATIENCE: Final = 2.5
"""How many times longer everything stays for somebody who asked for something."""


def init_ease(app: Flask) -> None:
    """Gives templates `wishes()`."""
    app.jinja_env.globals["wishes"] = wishes


def wishes() -> dict[str, str]:
    """What this request asks for, by name. Any other value than the one that asks for it counts as not asked."""
    asked: MultiDict[str, str]
    try:
        asked = request.values
    except HTTPException:
        # A form that cannot be read, being too long: its address may ask as well.
        asked = request.args
    return {name: value for name, value in WISHES.items() if asked.get(name) == value}


def ready_page(**also: str) -> str:
    """The address of the desk in the language of this request and with what it asks for."""
    asked: dict[str, Any] = {"lang": html_lang(), **wishes(), **also}
    return url_for("desk.ready", **asked)
