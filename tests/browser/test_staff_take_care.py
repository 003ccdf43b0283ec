"""What staff do by hand after the fact: undo, check people out, switch the session, look up a refusal."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kiosk.actions import arrivals
from kiosk.actions.arrivals import Stores
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from tests.browser.conftest import SIZES, Complaints, Serve
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

TALK = msgspec.structs.replace(
    b.session(b.FAIR, 2_000), check_out=True, listed=True, opens=b.NOON, closes=b.NOON.replace(hour=15, minute=30)
)


@pytest.fixture(autouse=True)
def locked_pages_are_refused(complaints: Complaints) -> None:
    """Chromium counts the page that asks for the PIN as a failure."""
    complaints.expected = ("403",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk with a PIN at the fair, where Ada and Bo have been and Dita was noted."""
    folder = tmp_path / "kiosk"
    b.set_up(folder, lock=b.LOCK)
    come(folder, b.ADA_SWIPE, b.BO, b.DITA)
    return folder


def come(folder: Path, *who: str) -> None:
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    for each in who:
        arrivals.check_in(Stores(journal, roster), b.FAIR, b.arrival(each))
    journal.close()
    roster.close()


def make_a_talk(folder: Path) -> None:
    """The session is one for registered people, with check-out and opening times."""
    roster = Roster(folder, b.BOOT)
    roster.apply(b.page([TALK]))
    roster.close()


def unlocked(page: Page, address: str, path: str = "/staff/recent") -> None:
    page.goto(f"{address}/staff/")
    page.locator("#pin").fill(b.PIN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/?lang=en")
    page.goto(address + path)


def enter(page: Page, text: str) -> None:
    page.get_by_label("Email address or card").fill(text)
    page.keyboard.press("Enter")


def accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def fits(page: Page) -> None:
    """Nothing runs off the side, and everything to press is as large as a thumb."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll('main button, main a, .bar button, .bar a')]
            .filter(e => e.checkVisibility()).map(e => [e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, box]) => box.height < 60 || box.width < 60).map(([words]) => words)"""
    )
    assert small == []


def test_one_touch_takes_a_check_in_back_and_one_more_brings_it_back(
    serve: Serve, folder: Path, open_page: OpenPage
) -> None:
    page = open_page()
    unlocked(page, serve())
    page.get_by_role("button", name="Undo: Ada Lovelace").click()
    expect(page.locator("#news")).to_contain_text("Undone: Ada Lovelace")
    again = page.get_by_role("button", name="Check in again: Ada Lovelace")
    # Whoever works with the keyboard goes on where they were.
    expect(again).to_be_focused()
    expect(page.get_by_role("button", name="Undo: Bo Diddley")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#news")).to_contain_text("Checked in again: Ada Lovelace")
    expect(again).to_have_count(0)
    expect(page.get_by_role("button", name="Undo: Ada Lovelace")).to_be_visible()
    accessible(page)


def test_what_was_undone_is_in_sight_however_far_down_it_was(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    come(folder, *(f"guest{nth}@nowhere.example" for nth in range(15)))
    page = open_page()
    unlocked(page, serve())
    page.get_by_role("button", name="Undo: Ada Lovelace").click()
    expect(page.locator("#news")).to_contain_text("Undone: Ada Lovelace")
    expect(page.locator("#news")).to_be_in_viewport(ratio=0.99)
    expect(page.get_by_role("button", name="Check in again: Ada Lovelace")).to_be_focused()


def test_a_second_touch_at_the_same_place_undoes_nobody_else(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    page = open_page()
    unlocked(page, serve())
    # Wherever in the new list the finger comes down.
    page.evaluate(
        """() => addEventListener("htmx:after:swap", () => {
            window.under = [...document.querySelectorAll("#recent button")]
                .map((each) => each.getBoundingClientRect())
                .map((box) => document.elementFromPoint(box.x + 9, box.y + 9)?.closest("button"))
                .filter((hit) => hit).length;
        })"""
    )
    page.get_by_role("button", name="Undo: Bo Diddley").click()
    expect(page.locator("#news")).to_contain_text("Undone: Bo Diddley")
    assert page.evaluate("window.under") == 0
    page.get_by_role("button", name="Undo: Ada Lovelace").click()
    expect(page.locator("#news")).to_contain_text("Undone: Ada Lovelace")


def test_undo_without_javascript(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    unlocked(page, serve())
    page.get_by_role("button", name="Undo: Bo Diddley").click()
    expect(page.locator("#news")).to_contain_text("Undone: Bo Diddley")
    page.get_by_role("button", name="Check in again: Bo Diddley").click()
    expect(page.locator("#news")).to_contain_text("Checked in again: Bo Diddley")


def test_whoever_was_undone_is_welcomed_once_more(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    page, address = open_page(), serve()
    unlocked(page, address)
    page.get_by_role("button", name="Undo: Bo Diddley").click()
    expect(page.locator("#news")).to_contain_text("Undone: Bo Diddley")
    page.get_by_role("button", name="Lock").click()
    page.wait_for_url(address + "/")
    enter(page, b.BO)
    expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-verdict", "welcome")


def test_ada_checks_out_at_a_desk_for_leaving_and_everyone_at_the_end(
    serve: Serve, folder: Path, open_page: OpenPage
) -> None:
    make_a_talk(folder)
    page, address = open_page(), serve()
    unlocked(page, address, "/sessions")
    page.get_by_role("button", name="Leaving").click()
    expect(page.get_by_role("status")).to_contain_text("This desk is now for: Career fair, day 1 (Leaving)")
    page.get_by_role("button", name="Lock").click()
    page.wait_for_url(address + "/")
    expect(page.get_by_role("heading", name="Leaving? Please check out.")).to_be_visible()
    enter(page, b.ADA_SWIPE)
    expect(page.get_by_text("Goodbye, Ada!")).to_be_visible()
    accessible(page)

    unlocked(page, address, "/staff/everyone-out")
    expect(page.locator(".count")).to_contain_text("2")
    page.get_by_role("link", name="Everyone out …").click()
    accessible(page)
    page.get_by_role("button", name="Yes, check everyone out").click()
    expect(page.locator("#news")).to_contain_text("Everyone is checked out.")
    page.get_by_role("button", name="Undo: Everyone").click()
    expect(page.locator("#news")).to_contain_text("Undone: Everyone")
    page.goto(f"{address}/staff/everyone-out")
    expect(page.locator(".count")).to_contain_text("2")


def test_an_idle_page_of_another_session_renews_itself(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    page, address = open_page(), serve()
    page.clock.install()
    page.goto(address)
    expect(page.get_by_role("heading", name="Career fair, day 1")).to_be_visible()
    switch(folder)
    page.clock.fast_forward(16_000)
    expect(page.get_by_role("heading", name="CV workshop")).to_be_visible()


def test_whoever_is_typing_goes_on_with_the_session_they_see(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    page, address = open_page(), serve()
    page.clock.install()
    page.goto(address)
    page.get_by_label("Email address or card").fill("zoe@")
    switch(folder)
    with page.expect_response("**/status*"):
        page.clock.fast_forward(16_000)
    expect(page.locator("#identifier")).to_have_value("zoe@")
    enter(page, "zoe@nowhere.example")
    expect(page.locator("#verdict")).to_contain_text("Career fair, day 1")
    # The next person gets the other session.
    page.clock.fast_forward(61_000)
    expect(page.get_by_role("heading", name="CV workshop")).to_be_visible()


def switch(folder: Path) -> None:
    journal = Journal(folder / "journal.sqlite")
    journal.choose(b.session(b.WORKSHOP, 2, name="CV workshop", event="CV workshop"))
    journal.close()


def test_a_locked_desk_keeps_its_sessions_to_itself(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{serve()}/sessions")
    expect(page.get_by_label("Desk PIN")).to_be_visible()
    expect(page.get_by_text("CV workshop")).to_have_count(0)


def test_a_refusal_is_looked_up_by_the_digits_on_the_screen(serve: Serve, folder: Path, open_page: OpenPage) -> None:
    make_a_talk(folder)
    page, address = open_page(), serve()
    page.goto(address)
    enter(page, "nobody@nowhere.example")
    expect(page.locator("#verdict")).to_contain_text("Code 32")
    unlocked(page, address, "/staff/refusals")
    first = page.locator(".refusals li").first
    expect(first).to_contain_text("32")
    expect(first).to_contain_text("Not on the list of this session")
    expect(page.get_by_text("nowhere.example")).to_have_count(0)


PAGES = ("/staff/recent", "/staff/recent?all=yes", "/staff/everyone-out", "/staff/everyone-out?sure=ask")


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_and_is_accessible(
    serve: Serve, folder: Path, open_page: OpenPage, size: str, lang: str
) -> None:
    make_a_talk(folder)
    page, address = open_page(size), serve()
    page.goto(address)
    for text in ("nobody@nowhere.example", b.CEM, b.UNKNOWN_SWIPE):
        enter(page, text)
        expect(page.locator("#verdict .code")).to_be_visible()
        page.goto(address)
    unlocked(page, address)
    for path in (*PAGES, "/staff/refusals", "/sessions"):
        page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={lang}")
        expect(page.locator("html")).to_have_attribute("lang", lang)
        fits(page)
        accessible(page)
