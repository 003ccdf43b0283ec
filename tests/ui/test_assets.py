from pathlib import Path

import pytest
from flask import Blueprint, Flask, url_for
from werkzeug.datastructures import Headers

from ui.assets import init_assets
from ui.headers import secure_headers


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "desk.css").write_text("body {}")
    (tmp_path / "secret.txt").write_text("secret")
    app = Flask(__name__, root_path=str(tmp_path))
    init_assets(app)
    secure_headers(app)
    return app


def headers(app: Flask, url: str) -> Headers:
    with app.test_client().get(url) as response:
        assert response.status_code == 200
        return response.headers


def address(app: Flask, endpoint: str, filename: str) -> str:
    with app.test_request_context():
        return url_for(endpoint, filename=filename)


def test_a_file_keeps_its_address_as_long_as_it_stays_the_same(app: Flask) -> None:
    first = address(app, "static", "desk.css")
    assert first.startswith("/static/desk.css?v=")
    assert address(app, "static", "desk.css") == first


def test_a_file_that_changed_has_a_new_address(app: Flask, tmp_path: Path) -> None:
    first = address(app, "static", "desk.css")
    (tmp_path / "static" / "desk.css").write_text("body { color: red }")
    assert address(app, "static", "desk.css") != first


def test_a_browser_may_keep_for_ever_what_it_asked_for_by_content(app: Flask) -> None:
    kept = headers(app, address(app, "static", "desk.css"))
    assert kept["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789ab"])
def test_a_file_asked_for_by_another_address_is_asked_about_again_each_time(app: Flask, query: str) -> None:
    asked = headers(app, f"/static/desk.css{query}")
    assert asked["Cache-Control"] == "no-cache"
    assert asked["ETag"]


def test_a_missing_file_is_never_kept(app: Flask) -> None:
    response = app.test_client().get("/static/none.css?v=0123456789ab")
    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "no-store"


def test_what_both_faces_share_is_at_ui(app: Flask) -> None:
    for filename in (
        "tokens.css",
        "favicon.svg",
        "vendor/htmx.min.js",
        "vendor/pico.min.css",
    ):
        url = address(app, "ui.static", filename)
        assert url.startswith(f"/ui/{filename}?v=")
        assert "immutable" in headers(app, url)["Cache-Control"]


def test_a_name_that_leads_out_of_the_folder_is_not_read(app: Flask) -> None:
    assert "?v=" not in address(app, "static", "../secret.txt")


def test_addresses_of_views_are_left_alone(app: Flask) -> None:
    pages = Blueprint("pages", __name__)

    @pages.get("/files/<filename>")
    def file(filename: str) -> str:
        return filename

    app.register_blueprint(pages)
    assert address(app, "pages.file", "a.csv") == "/files/a.csv"
