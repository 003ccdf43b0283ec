"""Whatever is written into a page, and comes back on it, runs nothing. A browser that complains fails the test."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from kiosk.rules.pasting import Refused, lines_of
from tests.browser.test_staff_behind_their_pin import locked, unlocked
from tests.naughty import STRINGS

__all__ = ["locked"]

OpenPage = Callable[..., Page]

ONE_LINERS = [line.text for text in STRINGS if not isinstance(lines := lines_of(text), Refused) for line in lines]
RUNS_SOMETHING = [text for text in STRINGS if "<" in text or "javascript:" in text.lower()]


@pytest.fixture
def quiet_page(open_page: OpenPage) -> Page:
    """A page on which nothing may pop up."""
    page = open_page()
    page.on("dialog", lambda dialog: pytest.fail(f"ran: {dialog.message}"))
    return page


def test_a_pasted_list_of_them_comes_back_as_text(locked: str, quiet_page: Page) -> None:
    assert len(ONE_LINERS) > 300
    page = unlocked(quiet_page, locked, "/staff/paste")
    page.locator("textarea").fill("\n".join(ONE_LINERS[:500]))
    page.get_by_role("button", name="Check everybody on it in").click()
    expect(page.locator("table tbody tr")).to_have_count(min(500, len(ONE_LINERS)), timeout=60_000)


def test_a_search_for_them_finds_nobody(locked: str, quiet_page: Page) -> None:
    page = unlocked(quiet_page, locked, "/staff/people")
    for text in RUNS_SOMETHING[::12]:
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.locator("[name=q]").fill(text)
        expect(page.get_by_role("button", name="Check in")).to_have_count(0)


def test_the_students_field_stands_them(locked: str, quiet_page: Page) -> None:
    page = quiet_page
    page.goto(locked)
    field = page.locator("#identifier")
    for text in RUNS_SOMETHING[::12]:
        field.fill(text)
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            field.press("Enter")
        expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-verdict", "not_recognised")
