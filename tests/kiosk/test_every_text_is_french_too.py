"""No student meets a text that is only in English, and French is set as French is."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

import kiosk
from scripts.catalogues import problems

HERE = Path(kiosk.__file__).parent


def test_every_text_has_its_french_and_the_catalogue_is_compiled() -> None:
    assert list(problems(HERE)) == []


def test_french_keeps_its_spaces() -> None:
    with (HERE / "translations/fr/LC_MESSAGES/messages.po").open("rb") as file:
        catalogue = read_po(file)
    for message in catalogue:
        texts = [message.string] if isinstance(message.string, str) else message.string
        for text in (texts or []) if message.id else []:
            assert not re.search(r"[^\u202f][!?;»]", text), text
            assert not re.search(r"[^\u202f]:(?!\d)", text), text
            assert "'" not in text, text
