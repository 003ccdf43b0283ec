"""A QR pass, by hand scanner and on the page with the camera."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk.views import Desk
from tests.kiosk import builders as b
from tests.kiosk.conftest import Post


@pytest.mark.parametrize("text", [b.ADA_PASS, b.ADA_PASS.lower(), f" {b.ADA_PASS}\r"])
def test_a_hand_scanner_that_reads_a_pass_checks_in(app: Flask, as_program: Post, text: str) -> None:
    answer = as_program(text)
    assert (answer.json["verdict"], answer.json["greeting"]) == ("welcome", "Ada")
    desk: Desk = app.extensions["desk"]
    assert b'"method":"pass"' in desk.journal.facts_after(0, 1)[0]


def test_a_pass_nobody_has_is_not_recognised(as_program: Post) -> None:
    answer = as_program("CHK1:" + "F" * 32)
    assert (answer.json["verdict"], answer.json["reason"]) == ("not_recognised", "unknown_pass")


def test_the_camera_is_for_one_page_and_nothing_else_is(app: Flask, client: FlaskClient) -> None:
    scan = client.get("/scan").headers
    assert "camera=(self)" in scan["Permissions-Policy"]
    assert "microphone=()" in scan["Permissions-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in scan["Content-Security-Policy"]
    assert "default-src 'none'" in scan["Content-Security-Policy"]
    others = [rule.rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())]
    assert "/" in others
    for path in others:
        if path != "/scan":
            headers = client.get(path).headers
            assert "camera=()" in headers["Permissions-Policy"], path
            assert "unsafe" not in headers["Content-Security-Policy"], path


def test_without_a_session_there_is_no_camera(bare_app: Flask) -> None:
    answer = bare_app.test_client().get("/scan")
    assert (answer.status_code, answer.location) == (303, "/")


def test_the_camera_page_speaks_both_languages_and_names_nobody(client: FlaskClient, as_program: Post) -> None:
    as_program(b.ADA_PASS)
    assert "Hold your pass up to the camera" in client.get("/scan").text
    page = client.get("/scan?lang=fr").text
    assert "Présentez votre pass QR à la caméra" in page
    assert "Ada" not in page
