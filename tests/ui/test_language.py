from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask import Flask, render_template_string, request

from ui.language import choose, init_language

PAGE = """<html lang="{{ html_lang() }}">{% trans %}
    Welcome
{% endtrans %}</html>"""


def test_what_somebody_asked_for_comes_first() -> None:
    assert choose("fr", "en", "en") == "fr"


def test_the_language_of_the_place_comes_before_that_of_the_browser() -> None:
    assert choose(None, "en-CA,en;q=0.9", "fr") == "fr"


def test_without_a_language_of_the_place_the_browser_is_asked() -> None:
    assert choose(None, "de, fr-CA;q=0.8, en;q=0.3", None) == "fr"


def test_a_regional_form_is_as_good_as_the_language() -> None:
    assert choose("fr-CA", None, None) == "fr"
    assert choose("FR_ca", None, None) == "fr"


@pytest.mark.parametrize("wish", ["", "de", "../fr", "français", "x" * 5000])
def test_a_language_we_do_not_speak_is_as_if_nothing_was_asked(wish: str) -> None:
    assert choose(wish, "fr", None) == "fr"
    assert choose(wish, None, "fr") == "fr"


@pytest.mark.parametrize("accept", [None, "", "de", "*;q=0", ";;q=,,", "fr;q=0"])
def test_english_is_spoken_when_nothing_else_is_known(accept: str | None) -> None:
    assert choose(None, accept, None) == "en"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    catalog = Catalog(locale="fr")
    catalog.add("Welcome", "Bienvenue")
    folder = tmp_path / "translations" / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalog)

    app = Flask(__name__, root_path=str(tmp_path))
    init_language(app)

    @app.route("/", methods=["GET", "POST"])
    def page() -> str:
        return render_template_string(PAGE)

    return app


def test_a_page_is_in_the_language_of_its_address(app: Flask) -> None:
    page = app.test_client().get("/?lang=fr").text
    assert page == '<html lang="fr">Bienvenue</html>'


def test_a_form_can_carry_the_language(app: Flask) -> None:
    assert "Bienvenue" in app.test_client().post("/", data={"lang": "fr"}).text


def test_a_form_that_is_too_long_is_refused_in_the_language_of_its_address(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.register_error_handler(413, lambda _: (render_template_string(PAGE), 413))

    @app.post("/read")
    def read() -> str:
        return request.form["lang"]

    refused = app.test_client().post("/read?lang=fr", data={"lang": "en", "text": "x" * 100})
    assert (refused.status_code, refused.text) == (413, '<html lang="fr">Bienvenue</html>')


def test_the_next_person_gets_the_language_of_the_place_again(app: Flask) -> None:
    client = app.test_client()
    assert "Bienvenue" in client.get("/?lang=fr").text
    assert client.get("/").text == '<html lang="en">Welcome</html>'


def test_the_language_of_the_place_can_be_changed_while_the_program_runs(app: Flask) -> None:
    client = app.test_client()
    assert "Welcome" in client.get("/").text
    app.config["DEFAULT_LANGUAGE"] = "fr"
    assert "Bienvenue" in client.get("/").text


def test_outside_a_request_the_language_of_the_place_is_spoken(app: Flask) -> None:
    app.config["DEFAULT_LANGUAGE"] = "fr"
    with app.app_context():
        assert "Bienvenue" in render_template_string(PAGE)
