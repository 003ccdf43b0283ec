"""The desk as a student meets it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange
from tests.browser.conftest import SIZES, Complaints, Serve
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

# How each verdict comes about at a desk where Bo has been before.
WAYS = {
    "welcome": b.ADA_SWIPE,
    "already_in": b.BO,
    "noted": b.DITA,
    "not_recognised": b.UNKNOWN_SWIPE,
    "see_staff": b.CEM,
}
WORDS = {
    "en": {"welcome": "Welcome, Ada!", "already_in": "Already in since", "noted": "Thank you"},
    "fr": {"welcome": "Bienvenue, Ada", "already_in": "Présence déjà", "noted": "Merci"},
}


def scan(page: Page, text: str) -> None:
    """A keyboard wedge: letters in one burst, then Enter, to whatever has the focus, however busy this machine is."""
    session = page.context.new_cdp_session(page)
    now = time.time()
    for nth, key in enumerate([*text, "Enter"]):
        enter = {"code": "Enter", "windowsVirtualKeyCode": 13} if key == "Enter" else {}
        event = {"key": key, "text": "\r" if enter else key, "timestamp": now + nth / 1000, **enter}
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
    session.detach()


def enter(page: Page, text: str) -> None:
    """Somebody enters that; how it comes in is not what is looked at."""
    page.locator("#identifier").fill(text)
    page.locator("#identifier").press("Enter")


def shown(page: Page, code: str) -> None:
    expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-verdict", code)


def accessible(page: Page, options: dict[str, Any] | None = None) -> None:
    """Axe has nothing to say; `options` are its own."""
    results = Axe().run(page, options=options)
    assert results.violations_count == 0, results.generate_report()


def test_the_name_can_be_read_from_two_metres(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(desk)
    enter(page, b.ADA_SCHOOL)
    greeting = page.get_by_text("Welcome, Ada!")
    expect(greeting).to_be_visible()
    assert float(greeting.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 64


def test_the_desk_gets_ready_by_itself(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(reset_s=0.5))
    enter(page, b.ADA_SCHOOL)
    shown(page, "welcome")
    expect(page.locator("#verdict")).to_be_empty()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    expect(page.get_by_label("Email address or card")).to_be_focused()
    enter(page, b.BO)
    shown(page, "welcome")


def test_a_scan_needs_no_touch_even_after_a_click_elsewhere(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(desk)
    for where in ((500, 250), (20, 750), (500, 40)):
        page.mouse.click(*where)
        expect(page.get_by_label("Email address or card")).to_be_focused()
    scan(page, b.ADA_SWIPE)
    shown(page, "welcome")


def test_a_scan_finds_the_field_when_a_link_has_the_focus(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(desk)
    link = page.get_by_role("link", name="Staff")
    link.focus()
    expect(link).to_be_focused()
    scan(page, b.ADA_SWIPE)
    shown(page, "welcome")


def test_fast_scans_are_all_recorded(desk: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    page.goto(desk)
    for n in range(12):
        scan(page, f"guest{n}@nowhere.example")
    scan(page, b.ADA_SWIPE)
    shown(page, "welcome")
    expect(page.locator("#identifier")).to_have_value("")
    assert head(tmp_path) == 13


def test_scans_that_are_quicker_than_htmx_are_all_recorded(desk: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    # htmx starts with a timeout that names no delay; here it is as late as on a very slow tablet.
    page.add_init_script(
        "const soon = setTimeout; window.setTimeout = (run, ms, ...more) => soon(run, ms ?? 700, ...more)"
    )
    page.goto(desk)
    for n in range(3):
        scan(page, f"guest{n}@nowhere.example")
    page.get_by_label("Email address or card").fill(b.ADA_SWIPE)
    shown(page, "noted")
    expect(page.get_by_label("Email address or card")).to_have_value(b.ADA_SWIPE)
    page.keyboard.press("Enter")
    shown(page, "welcome")
    assert head(tmp_path) == 4


def test_an_empty_field_is_not_sent(desk: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    page.goto(desk)
    page.keyboard.press("Enter")
    scan(page, "   ")
    scan(page, b.BO)
    shown(page, "welcome")
    assert head(tmp_path) == 1


def test_an_empty_field_is_not_sent_while_htmx_is_still_missing(
    desk: str, open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.expected = ("ERR_FAILED",)
    page = open_page()
    page.route("**/htmx.min.js*", lambda route: route.abort())
    page.goto(desk)
    page.keyboard.press("Enter")
    scan(page, "   ")
    expect(page).to_have_url(f"{desk}/")
    scan(page, b.BO)
    shown(page, "welcome")


def test_a_scan_that_is_far_too_long_is_said_to_be(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(desk)
    page.get_by_label("Email address or card").fill("9" * 70_000)
    page.keyboard.press("Enter")
    shown(page, "not_recognised")
    expect(page.locator("#verdict")).to_contain_text("too long")
    enter(page, b.BO)
    shown(page, "welcome")


def test_a_touch_on_the_button_checks_in(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(desk)
    page.keyboard.type(b.BO)
    page.get_by_role("button", name="Check in").click()
    shown(page, "welcome")
    expect(page.get_by_label("Email address or card")).to_be_focused()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", SIZES)
def test_every_verdict_is_accessible(desk: str, open_page: OpenPage, language: str, size: str) -> None:
    page = open_page(size)
    page.goto(desk)
    enter(page, b.BO)
    shown(page, "welcome")
    for code, text in WAYS.items():
        page.goto(f"{desk}/?lang={language}")
        enter(page, text)
        shown(page, code)
        if code in WORDS[language]:
            expect(page.locator("#verdict")).to_contain_text(WORDS[language][code])
        accessible(page)
        fits(page)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/sessions"])
def test_the_pages_are_accessible(desk: str, open_page: OpenPage, language: str, colours: str, path: str) -> None:
    page = open_page("tablet", color_scheme=colours)
    page.goto(f"{desk}{path}?lang={language}")
    accessible(page)
    scan(page, b.ADA_SCHOOL)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_before_and_after_a_desk_are_accessible(
    serve: Serve, open_page: OpenPage, tmp_path: Path, language: str, complaints: Complaints
) -> None:
    complaints.expected = ("503", "404")
    folder = tmp_path / "kiosk"
    address = serve()
    page = open_page()
    page.goto(f"{address}/?lang={language}")
    accessible(page)
    journal = Journal(folder / "journal.sqlite")
    journal.enrolled(b.standing())
    page.goto(f"{address}/?lang={language}")
    accessible(page)
    journal.note(Exchange(at=b.NOON, problem="device_revoked", withdrawn=True))
    journal.close()
    page.goto(f"{address}/?lang={language}")
    accessible(page)
    page.goto(f"{address}/nowhere?lang={language}")
    accessible(page)
    (tmp_path / "ruined").mkdir()
    (tmp_path / "ruined" / "journal.sqlite").write_bytes(b"ruined" * 1000)
    page.goto(f"{serve(folder=tmp_path / 'ruined')}/?lang={language}")
    expect(page.get_by_text("store_damaged")).to_be_visible()
    accessible(page)


@pytest.mark.parametrize("broken", ["silent", "garbage", "status"])
def test_no_answer_is_never_taken_for_a_good_one(
    desk: str, open_page: OpenPage, complaints: Complaints, broken: str
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error", "htmx:response:error", "500")
    page = open_page()
    page.goto(desk)
    if broken == "silent":
        page.route("**/check-ins", lambda route: route.abort())
    elif broken == "garbage":
        page.route("**/check-ins", lambda route: route.fulfill(body="<h1>Welcome, Bo!</h1>"))
    else:
        page.route("**/check-ins", lambda route: route.fulfill(status=500, body="oops"))
    enter(page, b.BO)
    shown(page, "not_recorded")
    expect(page.get_by_text("Welcome, Bo!")).to_have_count(0)
    accessible(page)
    page.unroute("**/check-ins")
    enter(page, b.BO)
    shown(page, "welcome")


def test_french_lasts_for_one_person(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(reset_s=0.5))
    page.get_by_role("link", name="Français").click()
    expect(page.get_by_label("Adresse e-mail ou carte")).to_be_focused()
    enter(page, b.ADA_SCHOOL)
    expect(page.locator("#verdict")).to_contain_text("Bienvenue, Ada")
    expect(page.get_by_label("Email address or card")).to_be_focused()
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_next_scan_after_a_french_answer_is_answered_in_english(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{desk}/?lang=fr")
    enter(page, b.ADA_SCHOOL)
    expect(page.locator("#verdict")).to_contain_text("Bienvenue, Ada")
    enter(page, b.BO)
    expect(page.locator("#verdict")).to_contain_text("Welcome, Bo!")
    expect(page.get_by_role("button", name="Check in")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_label("Email address or card")).to_be_focused()
    accessible(page)


def test_a_desk_that_is_cut_off_meanwhile_shows_so_by_itself(desk: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    page.goto(desk)
    journal = Journal(tmp_path / "kiosk" / "journal.sqlite")
    journal.note(Exchange(at=b.NOON, withdrawn=True, problem="device_revoked"))
    journal.close()
    # What its line does every 15 seconds.
    page.evaluate("() => { htmx.ajax('GET', document.querySelector('#operator').getAttribute('hx-get'), '#operator') }")
    expect(page.get_by_role("heading", name="withdrawn")).to_be_visible()


def test_whoever_has_to_try_again_goes_on_in_french(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{desk}/?lang=fr")
    enter(page, b.UNKNOWN_SWIPE)
    shown(page, "not_recognised")
    enter(page, b.ADA_SCHOOL)
    expect(page.locator("#verdict")).to_contain_text("Bienvenue, Ada")
    expect(page.get_by_role("button", name="Valider")).to_be_visible()


def test_half_an_address_is_not_left_for_the_next_person(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(reset_s=0.2))
    page.keyboard.type("ada.love")
    field = page.get_by_label("Email address or card")
    expect(field).to_have_value("ada.love")
    expect(field).to_have_value("")


def test_french_without_a_check_in_is_forgotten_too(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(reset_s=0.2) + "/?lang=fr")
    expect(page.get_by_label("Email address or card")).to_be_focused()


def test_a_session_is_chosen_by_one_touch(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve() + "/sessions")
    page.get_by_role("button", name="CV workshop").click()
    expect(page.get_by_text("CV workshop")).to_be_visible()
    enter(page, b.BO)
    shown(page, "welcome")


def test_without_javascript_it_is_a_plain_form(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page(java_script_enabled=False)
    page.goto(serve(reset_s=1))
    page.get_by_label("Email address or card").fill(b.ADA_SCHOOL)
    page.get_by_role("button", name="Check in").click()
    expect(page.get_by_text("Welcome, Ada!")).to_be_visible()
    # Back by itself as well.
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    expect(page.get_by_text("Welcome, Ada!")).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_touched_is_large_enough(desk: str, open_page: OpenPage, size: str) -> None:
    page = open_page(size)
    for path in ("/", "/sessions"):
        page.goto(desk + path)
        boxes = [each.bounding_box() for each in page.locator("a:visible, button:visible, input:visible").all()]
        assert boxes
        for box in boxes:
            assert box is not None
            assert min(box["width"], box["height"]) >= 60
        fits(page)


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def head(tmp_path: Path) -> int:
    journal = Journal(tmp_path / "kiosk" / "journal.sqlite")
    try:
        return journal.marks().head_seq
    finally:
        journal.close()
