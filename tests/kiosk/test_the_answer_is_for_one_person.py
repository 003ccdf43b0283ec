"""What a person asks for besides a language, the code staff look up, and answers that are shown once."""

from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient

from kiosk.config import Config, WrongSetting
from kiosk.rules.codes import CODES, OTHER, code_of
from kiosk.rules.verdicts import CheckedOut, NotRecorded, SeeStaff, Welcome
from kiosk.store.journal import Journal
from kiosk.views.once import Once, Said
from tests.kiosk import builders as b
from tests.kiosk.conftest import Post, token

HTMX = {"HX-Request": "true"}
REFUSALS = get_args(get_type_hints(SeeStaff)["reason"])


def test_every_code_is_two_digits_and_means_one_thing() -> None:
    assert all(10 <= code < OTHER for code in CODES.values())
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize(
    "reason",
    [
        *REFUSALS,
        *("empty", "unknown_card", "unknown_pass", "not_an_address", "too_long", "control_characters"),
        *("no_answer", "page_expired", "disk_full", "disk_error", "read_only", "cannot_open", "busy"),
        *("store_damaged", "store_too_new"),
    ],
)
def test_every_reason_has_a_code_of_its_own(reason: str) -> None:
    assert code_of(reason) != OTHER


def test_a_reason_nobody_foresaw_has_a_code_too() -> None:
    assert code_of("the moon") == OTHER


def test_a_person_reads_the_same_whatever_the_reason(app: Flask) -> None:
    def read(reason: str) -> str:
        with app.test_request_context("/"):
            page = render_template("verdicts/see_staff.html", verdict=SeeStaff(reason))  # type: ignore[arg-type]
        return page.replace(f"Code {code_of(reason)}", "")

    texts = {reason: read(reason) for reason in REFUSALS if reason not in ("not_open_yet", "closed")}
    assert len(set(texts.values())) == 1
    assert not any(reason in text for reason, text in texts.items())
    assert "Check-in is not open yet" in read("not_open_yet")
    assert "Check-in is closed" in read("closed")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("greeting", ["Bo", None])
def test_whoever_left_before_is_told_goodbye_again(app: Flask, greeting: str | None, language: str) -> None:
    with app.test_request_context(f"/?lang={language}"):
        page = render_template("verdicts/checked_out.html", verdict=CheckedOut(greeting, b.KIOSK_ID, None))
    assert "Goodbye" in page if language == "en" else "Au revoir" in page
    assert (greeting or "") in page


def test_what_a_person_asked_for_comes_with_the_answer_and_not_with_the_next_form(as_browser: Post) -> None:
    answer = as_browser(b.ADA_SCHOOL, HTMX, text="large", contrast="high", speech="on").text
    assert 'data-wishes="text contrast speech"' in answer
    for name in ("text", "contrast", "speech"):
        assert f'name="{name}" value=""' in answer


def test_whoever_has_to_try_again_keeps_what_they_asked_for(as_browser: Post) -> None:
    answer = as_browser(b.UNKNOWN_SWIPE, HTMX, contrast="high").text
    assert 'name="contrast" value="high"' in answer
    assert 'name="text" value=""' in answer


@pytest.mark.parametrize("wish", ["text=huge", "text=", "contrast=on", "speech=%22><script>", "text=off&text=large"])
def test_what_cannot_be_asked_for_is_not_asked(client: FlaskClient, wish: str) -> None:
    assert '<html lang="en" data-wishes="">' in client.get(f"/?{wish}").text


def test_a_form_that_is_far_too_long_is_answered_as_it_was_asked_for(client: FlaskClient) -> None:
    form = {"csrf_token": token(client), "identifier": "9" * 70_000}
    response = client.post(f"/sessions/{b.FAIR}/check-ins?text=large", data=form, follow_redirects=True)
    assert 'data-wishes="text"' in response.text


def test_a_posted_answer_is_shown_at_an_address_that_tells_nothing_and_once(client: FlaskClient) -> None:
    form = {"csrf_token": token(client), "identifier": b.ADA_SCHOOL, "lang": "fr", "text": "large"}
    posted = client.post(f"/sessions/{b.FAIR}/check-ins", data=form)
    assert (posted.status_code, posted.headers["Kiosk-Verdict"]) == (303, "welcome")
    where = posted.headers["Location"]
    assert "ada" not in where.lower()
    shown = client.get(where)
    assert shown.headers["Kiosk-Verdict"] == "welcome"
    assert "Bienvenue, <bdi>Ada</bdi>" in shown.text
    assert 'data-wishes="text"' in shown.text
    again = client.get(where)
    assert "Kiosk-Verdict" not in again.headers
    assert "Ada" not in again.text


def test_answers_that_nobody_came_to_see_are_not_kept(client: FlaskClient) -> None:
    once = Once()
    tokens = [once.keep(Said(Welcome("Ada", b.KIOSK_ID), b.FAIR)) for _ in range(Once.AT_MOST + 3)]
    seen = [once.take(each) is not None for each in tokens]
    assert seen == [False] * 3 + [True] * Once.AT_MOST
    assert once.take(None) is None
    assert once.take("nonsense") is None


def test_trouble_is_told_even_when_the_journal_is_what_is_in_trouble(app: Flask, folder: Path) -> None:
    client = app.test_client()
    form = {"csrf_token": token(client), "identifier": b.BO}
    app.extensions["desk"].journal.close()
    (folder / "journal.sqlite").write_bytes(b"This is not a database. " * 400)
    response = client.post(f"/sessions/{b.FAIR}/check-ins", data=form, headers=HTMX)
    assert (response.status_code, response.headers["Kiosk-Verdict"]) == (503, NotRecorded.code)
    assert f"Code {code_of('store_damaged')}" in response.text


def test_the_next_step_is_that_of_the_session_somebody_checked_in_to(client: FlaskClient, folder: Path) -> None:
    page_token = token(client)
    journal = Journal(folder / "journal.sqlite")
    # The desk is switched while somebody is still at the page of the session before.
    journal.choose(msgspec.structs.replace(b.session(b.WORKSHOP, 2), next_step={"en": "Room W"}))
    journal.close()
    form = {"csrf_token": page_token, "identifier": b.ADA_SCHOOL}
    answer = client.post(f"/sessions/{b.FAIR}/check-ins", data=form, headers=HTMX).text
    assert "Career fair, day 1" in answer
    assert "Room W" not in answer


@pytest.mark.parametrize(
    ("told", "sound"), [({}, True), ({"KIOSK_SOUND": "on"}, True), ({"KIOSK_SOUND": "off"}, False)]
)
def test_a_desk_can_be_muted(told: dict[str, str], sound: bool) -> None:
    assert Config.from_environment({"HOME": "/", **told}).sound is sound


def test_a_volume_is_no_setting() -> None:
    with pytest.raises(WrongSetting, match="KIOSK_SOUND"):
        Config.from_environment({"KIOSK_SOUND": "loud"})
