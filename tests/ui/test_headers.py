import pytest
from flask import Flask, Response, abort, make_response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ui.assets import init_assets
from ui.headers import content_security_policy, permissions_policy, secure_headers


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    init_assets(app)
    secure_headers(app)

    @app.get("/")
    def page() -> str:
        return "hello"

    @app.get("/refused")
    def refused() -> str:
        abort(403)

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("broken")

    @app.get("/poster")
    def poster() -> Response:
        response = make_response("poster")
        response.headers["Cache-Control"] = "private, max-age=60"
        return response

    @app.get("/scanner")
    def scanner() -> Response:
        response = make_response("scanner")
        response.headers["Permissions-Policy"] = permissions_policy(allowed=("camera",))
        response.headers["Content-Security-Policy"] = content_security_policy({"script-src": ("'wasm-unsafe-eval'",)})
        return response

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def policy(response: TestResponse) -> dict[str, set[str]]:
    header = response.headers["Content-Security-Policy"]
    directives = (part.split() for part in header.split(";") if part.strip())
    return {name: set(sources) for name, *sources in directives}


def test_a_page_may_only_use_what_comes_from_here(client: FlaskClient) -> None:
    directives = policy(client.get("/"))
    assert directives["default-src"] == {"'none'"}
    assert directives["script-src"] == {"'self'"}
    assert directives["style-src"] == {"'self'"}
    assert directives["form-action"] == {"'self'"}
    assert directives["base-uri"] == {"'none'"}
    assert directives["frame-ancestors"] == {"'none'"}
    everything = set().union(*directives.values())
    assert not {s for s in everything if "unsafe" in s or ":" in s} - {"data:"}
    assert "data:" not in directives["script-src"]


@pytest.mark.parametrize("path", ["/", "/refused", "/broken", "/nowhere", "/ui/favicon.svg"])
def test_every_answer_carries_the_headers_errors_and_static_files_too(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        headers = response.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "microphone=()" in headers["Permissions-Policy"]


def test_other_sites_never_learn_the_address_of_a_page_and_forms_over_https_still_work(
    client: FlaskClient,
) -> None:
    assert client.get("/").headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/refused", "/broken", "/nowhere"])
def test_nothing_with_a_name_on_it_is_stored_by_a_browser(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_view_that_says_how_long_its_answer_may_be_kept_is_believed(client: FlaskClient) -> None:
    assert client.get("/poster").headers["Cache-Control"] == "private, max-age=60"


def test_one_page_can_be_allowed_a_camera_while_all_else_stays_strict(client: FlaskClient) -> None:
    response = client.get("/scanner")
    assert "camera=(self)" in response.headers["Permissions-Policy"]
    assert "microphone=()" in response.headers["Permissions-Policy"]
    assert policy(response)["script-src"] == {"'self'", "'wasm-unsafe-eval'"}
    assert policy(response)["default-src"] == {"'none'"}
    assert policy(client.get("/"))["script-src"] == {"'self'"}


def test_an_app_can_allow_more_for_all_its_pages() -> None:
    app = Flask(__name__)
    secure_headers(app, extra_csp={"img-src": ("blob:",), "frame-src": ("'self'",)})
    directives = policy(app.test_client().get("/"))
    assert directives["img-src"] == {"'self'", "data:", "blob:"}
    assert directives["frame-src"] == {"'self'"}
