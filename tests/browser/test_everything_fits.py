"""The desk on its usual screens: everything of it in sight at once, and the field where it was."""

from collections.abc import Callable

import msgspec
import pytest
from playwright.sync_api import Page, expect

from kiosk.store.roster import Roster
from tests.browser.conftest import Complaints, Hall
from tests.browser.test_the_answer import LOCAL_VOICES
from tests.browser.test_the_desk_in_chromium import enter, fits, shown
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

FELICITY = b.Student("Felicity-Anne", ("felicity@example.edu",))
GIVEN = {
    "welcome": FELICITY.emails[0],
    "already_in": FELICITY.emails[0],
    "noted": b.DITA,
    "not_recognised": b.UNKNOWN_SWIPE,
    "see_staff": b.CEM,
}


@pytest.fixture
def crowded(hall: Hall) -> Hall:
    """A desk with everything on it that it may show: a code for phones, a session of a long name, a next step."""
    session = msgspec.structs.replace(
        b.session(), next_step={"en": "Room B, first floor", "fr": "Salle B, premier étage"}, position=900
    )
    roster = Roster(hall.folder, b.BOOT)
    roster.apply(b.page([b.person(FELICITY, 901), session]))
    roster.close()
    hall.journal.choose(session)
    return hall


def top(page: Page) -> float:
    return float(page.locator("#identifier").evaluate("field => field.getBoundingClientRect().top + scrollY"))


def all_in_sight(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollHeight") <= page.evaluate("innerHeight")
    for each in (page.locator("#identifier"), page.locator(".bottom .quiet")):
        expect(each).to_be_in_viewport(ratio=0.99)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".ready, .verdict")]
            .filter((each) => each.checkVisibility({ visibilityProperty: true }))
            .filter((each) => each.scrollHeight > each.clientHeight + 1).map((each) => each.className)"""
    )
    assert cut == []


@pytest.mark.parametrize("asked", ["", "text=large", "lang=fr&text=large"])
@pytest.mark.parametrize("size", ["tablet", "laptop"])
def test_every_answer_fits_and_the_field_stays_in_its_place(
    crowded: Hall, open_page: OpenPage, complaints: Complaints, size: str, asked: str
) -> None:
    complaints.expected = ("ERR_FAILED", "htmx:error")
    page = open_page(size)
    page.add_init_script(LOCAL_VOICES)
    page.goto(f"{crowded.desk}/?{asked}")
    expect(page.locator(".phone-code")).to_be_visible()
    all_in_sight(page)
    before = top(page)
    for code, given in GIVEN.items():
        page.goto(f"{crowded.desk}/?{asked}")
        enter(page, given)
        shown(page, code)
        all_in_sight(page)
        assert top(page) == pytest.approx(before, abs=1), code
    page.goto(f"{crowded.desk}/?{asked}")
    page.route("**/check-ins", lambda route: route.abort())
    enter(page, b.BO)
    shown(page, "not_recorded")
    all_in_sight(page)
    assert top(page) == pytest.approx(before, abs=1)


def test_on_a_phone_every_button_says_what_it_is_for(crowded: Hall, open_page: OpenPage) -> None:
    page = open_page("phone")
    page.add_init_script(LOCAL_VOICES)
    page.goto(crowded.desk)
    for button in page.locator(".ease button:visible").all():
        words = button.locator("span")
        expect(words).to_be_in_viewport(ratio=1)
        # Neither by the edge of the button nor by another.
        assert button.evaluate("each => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight")
        uncovered = """e => {
            const box = e.getBoundingClientRect();
            return box.width > 20 && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === e;
        }"""
        assert words.evaluate(uncovered)
    fits(page)
