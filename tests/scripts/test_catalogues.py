from pathlib import Path

import pytest
from flask import Flask, render_template

from scripts.catalogues import problems, read, update
from ui.language import init_language

CODE = """
from flask_babel import gettext, lazy_gettext, ngettext

READY = lazy_gettext("Ready")

def waiting(n):
    return ngettext("%(num)d waiting", "%(num)d waiting", n)
"""
PAGE = """\
<p>
  {% trans name=name %}
    Welcome,
    {{ name }}
  {% endtrans %}
</p>
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    package = tmp_path / "desk"
    (package / "templates").mkdir(parents=True)
    (package / "views.py").write_text(CODE)
    (package / "templates" / "page.html").write_text(PAGE)
    return package


def po(package: Path) -> Path:
    return package / "translations" / "fr" / "LC_MESSAGES" / "messages.po"


def translate(package: Path) -> None:
    text = po(package).read_text("utf-8")
    for before, after in (
        ('msgid "Ready"\nmsgstr ""', 'msgid "Ready"\nmsgstr "Prêt"'),
        ('msgid "Welcome, %(name)s"\nmsgstr ""', 'msgid "Welcome, %(name)s"\nmsgstr "Bonjour, %(name)s"'),
        ('msgstr[0] ""', 'msgstr[0] "%(num)d en attente"'),
        ('msgstr[1] ""', 'msgstr[1] "%(num)d en attente"'),
    ):
        assert before in text
        text = text.replace(before, after)
    po(package).write_text(text, "utf-8")
    update(package)


def test_a_package_without_texts_needs_no_catalogue(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    update(tmp_path / "empty")
    assert list(problems(tmp_path / "empty")) == []
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_text_that_is_not_in_the_catalogue_is_said(package: Path) -> None:
    found = list(problems(package))
    assert len(found) == 3
    assert all("is not in the catalogue" in line for line in found)


def test_a_text_without_french_is_said(package: Path) -> None:
    update(package)
    assert len([line for line in problems(package) if "has no French" in line]) == 3


def test_a_translated_package_has_no_problem_and_speaks_french(package: Path) -> None:
    update(package)
    translate(package)
    assert list(problems(package)) == []

    app = Flask("desk", root_path=str(package), template_folder="templates")
    init_language(app)
    with app.test_request_context("/?lang=fr"):
        assert "Bonjour, Zoé" in render_template("page.html", name="Zoé")


def test_updating_again_changes_nothing(package: Path) -> None:
    update(package)
    translate(package)
    before = po(package).read_bytes(), po(package).with_suffix(".mo").read_bytes()
    update(package)
    assert (po(package).read_bytes(), po(package).with_suffix(".mo").read_bytes()) == before


def test_a_translation_that_was_not_compiled_is_said(package: Path) -> None:
    update(package)
    translate(package)
    po(package).write_text(po(package).read_text("utf-8").replace("Prêt", "Prête"), "utf-8")
    (line,) = problems(package)
    assert "the .mo is older" in line


def test_a_doubtful_translation_is_said(package: Path) -> None:
    update(package)
    translate(package)
    text = po(package).read_text("utf-8")
    po(package).write_text(text.replace('msgid "Ready"', '#, fuzzy\nmsgid "Ready"'), "utf-8")
    assert any("'Ready' is marked fuzzy" in line for line in problems(package))


def test_a_translation_that_lost_a_placeholder_is_said(package: Path) -> None:
    update(package)
    translate(package)
    text = po(package).read_text("utf-8")
    po(package).write_text(text.replace("Bonjour, %(name)s", "Bonjour, %(nom)s"), "utf-8")
    assert any("'Welcome, %(name)s'" in line for line in problems(package))


def test_a_text_no_longer_used_leaves_the_catalogue(package: Path) -> None:
    update(package)
    (package / "templates" / "page.html").unlink()
    update(package)
    assert read(po(package)).get("Welcome, %(name)s") is None
