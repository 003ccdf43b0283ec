"""What the desk offers to somebody who types: domains, a second look at a mistyped one, and keys on the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SIZES, Serve, until
from tests.browser.test_the_desk_in_chromium import accessible, fits, head, scan, shown
from tests.browser.test_what_comes_in import at_rest, burst, posted
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

NAUGHTY = (
    "<script>alert(1)</script>@",
    '"><img src=x onerror=alert(1)>@g',
    "{}@gmail.con",
    "$&$1$`@gmail.con",
    "𝕬𝖉𝖆 الله ‮abc@gmial.com",
    "@" * 500,
    "ada@" + "g" * 5_000,
    "ada@gmail.com\u0000,;..",
    "a@[](){}*+?^$|\\",
    "__proto__@constructor",
)


@pytest.fixture
def page(desk: str, open_page: OpenPage) -> Page:
    page = open_page()
    page.goto(desk)
    until(page, "document.querySelector('#entry')._htmx?.initialized")
    return page


def field(page: Page) -> Locator:
    return page.locator("#identifier")


def offers(page: Page) -> Locator:
    return page.get_by_role("group", name="Suggestions").get_by_role("button")


def test_the_institution_comes_first(page: Page) -> None:
    field(page).fill("ada.lovelace@")
    expect(offers(page)).to_have_text(["@example.edu", "@gmail.com", "@outlook.com", "@hotmail.com"])
    field(page).fill("ada.lovelace@ho")
    expect(offers(page)).to_have_text(["@hotmail.com", "@hotmail.fr"])
    field(page).fill("ada.lovelace@hotmail.fr")
    expect(offers(page)).to_have_count(0)


def test_nothing_is_offered_without_a_reason(page: Page) -> None:
    for text in ("", "ada", "@", "9234708294300", b.ADA_SWIPE, "ada@nowhere"):
        field(page).fill("ada@")
        expect(offers(page)).to_have_count(4)
        field(page).fill(text)
        expect(offers(page)).to_have_count(0)


def test_one_touch_completes_the_address(page: Page) -> None:
    field(page).fill("ada.lovelace@")
    offers(page).filter(has_text="example.edu").click()
    expect(field(page)).to_have_value(b.ADA_SCHOOL)
    expect(field(page)).to_be_focused()
    expect(offers(page)).to_have_count(0)
    page.keyboard.press("Enter")
    shown(page, "welcome")


def test_arrows_reach_every_offer_and_lead_back(page: Page) -> None:
    field(page).fill("ada@")
    page.keyboard.press("ArrowDown")
    expect(offers(page).nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(offers(page).nth(2)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(offers(page).nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(field(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(field(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("ada@example.edu")


def test_offers_are_said_to_who_cannot_see_them(page: Page) -> None:
    field(page).fill("ada@ou")
    said = page.locator("#help [role=status]")
    expect(said).to_have_text("Suggestions: outlook.com, outlook.fr. Arrow down to choose one.")
    field(page).fill("ada")
    expect(said).to_be_empty()


@pytest.mark.parametrize("size", SIZES)
def test_offers_and_questions_move_nothing(desk: str, open_page: OpenPage, size: str) -> None:
    page = open_page(size)
    page.goto(desk)
    before = top(page)
    field(page).fill("ada.lovelace.countess@")
    expect(offers(page)).to_have_count(4)
    assert top(page) == pytest.approx(before, abs=1)
    large_enough(offers(page))
    fits(page)
    accessible(page)
    field(page).fill("ada.lovelace.countess@gmial.com")
    page.keyboard.press("Enter")
    expect(offers(page)).to_have_count(2)
    assert top(page) == pytest.approx(before, abs=1)
    large_enough(offers(page))
    fits(page)
    accessible(page)


def top(page: Page) -> float:
    """Where the field stands on the page, however far it is scrolled."""
    return float(field(page).evaluate("field => field.getBoundingClientRect().top + scrollY"))


def large_enough(several: Locator) -> None:
    for each in several.all():
        box = each.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 60


MISTYPED = {
    "ada@gmial.com": "ada@gmail.com",
    "ada@gmai.com": "ada@gmail.com",
    "ada@gmail.con": "ada@gmail.com",
    "ada@gmailcom": "ada@gmail.com",
    "ada@gmail,com": "ada@gmail.com",
    "ada@gmail": "ada@gmail.com",
    "ada@gmail.fr": "ada@gmail.com",
    "Ada.Lovelace@Exmaple.EDU": "Ada.Lovelace@example.edu",
    "ada@hotnail.fr": "ada@hotmail.fr",
    "ada@wandoo.fr": "ada@wanadoo.fr",
    "ada@yahoo.co": "ada@yahoo.com",
    "ada@lovelace.con": "ada@lovelace.com",
    "ada@example.con": "ada@example.edu",
    "ada@example.com": "ada@example.edu",
}


def test_a_domain_that_looks_mistyped_is_asked_about_once(page: Page) -> None:
    sent = posted(page)
    for typed, meant in MISTYPED.items():
        field(page).fill(typed)
        page.keyboard.press("Enter")
        expect(offers(page)).to_have_text([f"Did you mean {meant}?", f"No, keep {typed}"])
        assert typed not in sent
        with page.expect_response("**/check-ins"):
            page.keyboard.press("Enter")
        expect(offers(page).filter(has_text="Did you mean")).to_have_count(0)
    assert sent == list(MISTYPED)


def test_the_question_is_said_to_who_cannot_see_it(page: Page) -> None:
    field(page).fill("ada@gmial.com")
    page.keyboard.press("Enter")
    expect(page.locator("#help [role=status]")).to_contain_text("Did you mean ada@gmail.com?")


def test_what_may_well_be_right_is_sent_at_once(page: Page) -> None:
    rights = (b.ADA_SCHOOL, "ada@gmail.com", "ada@ymail.com", "ada@mail.com", "ada@yahoo.ca", "ada@yahoo.co.uk")
    for typed in (*rights, "ada@hotmail.it", "ada@nowhere.example", "ada@he.com", "not an address"):
        field(page).fill(typed)
        with page.expect_response("**/check-ins"):
            page.keyboard.press("Enter")


def test_one_touch_mends_the_address_and_checks_in(page: Page, tmp_path: Path) -> None:
    field(page).fill("ada.lovelace@exmaple.edu")
    page.get_by_role("button", name="Check in", exact=True).click()
    offers(page).filter(has_text="Did you mean").click()
    shown(page, "welcome")
    expect(field(page)).to_have_value("")
    assert head(tmp_path) == 1


def test_one_touch_keeps_it_as_it_was_typed(page: Page) -> None:
    field(page).fill("dita@exmaple.edu")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    shown(page, "noted")


def test_another_address_is_another_question(page: Page) -> None:
    field(page).fill("dita@gmial.com")
    page.keyboard.press("Enter")
    expect(offers(page)).to_have_count(2)
    field(page).fill("dita@hotmial.com")
    expect(offers(page)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(offers(page).first).to_have_text("Did you mean dita@hotmail.com?")


def test_a_scanner_is_never_asked(desk: str, open_page: OpenPage) -> None:
    page = at_rest(open_page(), desk)
    burst(page, "dita@gmial.com")
    shown(page, "noted")


def test_a_scan_is_not_held_up_by_somebody_s_question(desk: str, open_page: OpenPage) -> None:
    page = at_rest(open_page(), desk)
    field(page).fill("dita@gmial.com")
    page.keyboard.press("Enter")
    expect(offers(page)).to_have_count(2)
    burst(page, b.ADA_SWIPE)
    shown(page, "welcome")
    expect(field(page)).to_have_value("dita@gmial.com")


def test_nothing_is_asked_of_anybody_to_offer_help(page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    field(page).fill("ada.lovelace@exa")
    expect(offers(page)).to_have_text(["@example.edu"])
    field(page).fill("ada.lovelace@exmaple.edu")
    page.keyboard.press("Enter")
    expect(offers(page)).to_have_count(2)
    assert requests == []


def test_naughty_text_is_only_text(page: Page) -> None:
    for text in NAUGHTY:
        field(page).fill(text)
        with page.expect_response("**/check-ins"):
            page.keyboard.press("Enter")
            if offers(page).filter(has_text="No, keep").count():
                page.keyboard.press("Enter")
        expect(page.locator("#verdict [data-verdict]")).to_be_visible()
        expect(page.locator("#help img, #help script")).to_have_count(0)
        field(page).fill("ada@gma")
        expect(offers(page)).to_have_text(["@gmail.com"])


def test_the_question_quotes_what_was_typed_to_the_letter(page: Page) -> None:
    typed = "{}$&$1<b>@gmail.con"
    field(page).fill(typed)
    page.keyboard.press("Enter")
    expect(offers(page)).to_have_text(["Did you mean {}$&$1<b>@gmail.com?", f"No, keep {typed}"])


def test_help_speaks_french(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(f"{desk}/?lang=fr")
    field(page).fill("ada@gmial.com")
    page.keyboard.press("Enter")
    help_buttons = page.locator("#help button")
    expect(help_buttons).to_have_text(["Vouliez-vous dire ada@gmail.com\u202f?", "Non, garder ada@gmial.com"])
    expect(page.get_by_role("button", name="Clavier")).to_be_visible()
    accessible(page)


def test_what_was_offered_to_one_person_is_gone_for_the_next(serve: Serve, open_page: OpenPage, tmp_path: Path) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(reset_s=0.2))
    field(page).fill("dita@gmial.com")
    page.keyboard.press("Enter")
    expect(offers(page)).to_have_count(2)
    expect(field(page)).to_have_value("")
    expect(offers(page)).to_have_count(0)


# --- keys on the screen


def opener(page: Page, name: str = "Keyboard") -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def key(page: Page, text: str) -> Locator:
    return page.locator("#keyboard").get_by_text(text, exact=True)


def tap(page: Page, text: str) -> None:
    for each in text:
        key(page, each).click()


def letters(page: Page) -> str:
    return "".join(page.locator("#keyboard .hg-row").nth(1).locator(".hg-button").all_inner_texts())


@pytest.mark.parametrize(
    ("language", "name", "row"), [("en", "Keyboard", "qwertyuiop"), ("fr", "Clavier", "azertyuiop")]
)
def test_the_keys_lie_as_in_the_language_of_the_page(
    desk: str, open_page: OpenPage, language: str, name: str, row: str
) -> None:
    page = open_page()
    page.goto(f"{desk}/?lang={language}")
    opener(page, name).click()
    expect(key(page, "a")).to_be_visible()
    assert letters(page) == row


@pytest.mark.parametrize("layout", ["QWERTY", "AZERTY"])
def test_an_address_is_tapped_and_checked_in(page: Page, layout: str) -> None:
    opener(page).click()
    if layout == "AZERTY":
        key(page, "AZERTY").click()
        assert letters(page) == "azertyuiop"
    tap(page, "ada.lovelace@example")
    key(page, ".edu").click()
    expect(field(page)).to_have_value(b.ADA_SCHOOL)
    expect(field(page)).to_be_focused()
    key(page, "Check in").click()
    shown(page, "welcome")
    expect(page.locator("#keyboard")).to_be_hidden()
    expect(opener(page)).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("how", ["touch", "mouse"])
def test_a_key_looks_pressed_no_longer_than_it_is(desk: str, open_page: OpenPage, how: str) -> None:
    page = open_page(has_touch=True)
    page.goto(desk)
    opener(page).click()
    letter = key(page, "q")
    if how == "touch":
        letter.tap()
    else:
        letter.hover()
        page.mouse.down()
        expect(page.locator(".hg-activeButton")).to_have_count(1)
        page.mouse.move(10, 10)
        page.mouse.up()
    expect(page.locator(".hg-activeButton")).to_have_count(0)


def test_capitals_and_signs_are_one_key_away(page: Page) -> None:
    opener(page).click()
    key(page, "⇧").click()
    tap(page, "!")
    tap(page, "a-_.1")
    key(page, "⇧").click()
    tap(page, "Q")
    expect(field(page)).to_have_value("!a-_.1Q")
    key(page, "⌫").click()
    expect(field(page)).to_have_value("!a-_.1")


def test_keys_write_where_the_cursor_is_and_over_what_is_selected(page: Page) -> None:
    opener(page).click()
    field(page).fill("ab")
    page.keyboard.press("ArrowLeft")
    tap(page, "c")
    expect(field(page)).to_have_value("acb")
    key(page, "⌫").click()
    expect(field(page)).to_have_value("ab")
    page.keyboard.press("Control+a")
    key(page, "⌫").click()
    expect(field(page)).to_have_value("")
    key(page, "⌫").click()
    expect(field(page)).to_have_value("")


def test_tapped_addresses_are_helped_along_too(page: Page) -> None:
    opener(page).click()
    tap(page, "ada@gm")
    expect(offers(page)).to_have_text(["@gmail.com", "@gmx.com", "@gmx.fr"])
    tap(page, "ial")
    key(page, ".com").click()
    key(page, "Check in").click()
    expect(offers(page).first).to_have_text("Did you mean ada@gmail.com?")
    expect(page.locator("#keyboard")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("wishes", ["", "text=large", "contrast=high", "lang=fr"])
def test_field_and_keys_fit_on_one_screen(desk: str, open_page: OpenPage, size: str, wishes: str) -> None:
    page = open_page(size)
    page.goto(f"{desk}/?{wishes}")
    page.locator("#keyboard-button").click()
    expect(key(page, "a")).to_be_visible()
    field(page).fill("ada@")
    for each in (field(page), page.locator("#help button").last, page.locator("#keyboard .hg-button").last):
        expect(each).to_be_in_viewport(ratio=1)
    if size != "phone":
        large_enough(page.locator("#keyboard .hg-button"))
    fits(page)
    accessible(page)


def test_the_keyboard_is_fetched_when_it_is_wanted_and_once(desk: str, open_page: OpenPage) -> None:
    page = open_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url) if "simple-keyboard" in request.url else None)
    page.goto(desk)
    assert fetched == []
    for _ in range(3):
        opener(page).click()
    expect(key(page, "a")).to_be_visible()
    expect(page.locator("#keyboard-script")).to_have_count(1)
    assert len(fetched) == 1


def test_the_tablet_s_own_keyboard_stays_away_meanwhile(page: Page) -> None:
    opener(page).click()
    expect(field(page)).to_have_attribute("inputmode", "none")
    opener(page).click()
    expect(field(page)).to_have_attribute("inputmode", "email")


def test_the_next_person_finds_the_keyboard_closed_and_as_it_was(
    serve: Serve, open_page: OpenPage, tmp_path: Path
) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(reset_s=0.5))
    opener(page).click()
    key(page, "AZERTY").click()
    tap(page, "b")
    expect(field(page)).to_have_value("")
    expect(page.locator("#keyboard")).to_be_hidden()
    opener(page).click()
    assert letters(page) == "qwertyuiop"


def test_a_scan_closes_the_keyboard(page: Page) -> None:
    opener(page).click()
    expect(key(page, "a")).to_be_visible()
    scan(page, b.ADA_SWIPE)
    shown(page, "welcome")
    expect(page.get_by_text("Welcome, Ada!")).to_be_visible()


def test_the_line_for_staff_closes_nothing(page: Page) -> None:
    opener(page).click()
    expect(key(page, "a")).to_be_visible()
    # What it does every 15 seconds.
    with page.expect_response("**/status*"):
        page.evaluate(
            "() => { htmx.ajax('GET', document.querySelector('#operator').getAttribute('hx-get'), '#operator') }"
        )
    expect(key(page, "a")).to_be_visible()


@pytest.mark.parametrize("wanted", ["on", "off"])
def test_the_place_decides_whether_there_is_a_keyboard(
    serve: Serve, open_page: OpenPage, tmp_path: Path, wanted: str
) -> None:
    b.set_up(tmp_path / "kiosk")
    page = open_page()
    page.goto(serve(keyboard=wanted))
    if wanted == "off":
        expect(page.locator("#keyboard, #keyboard-button")).to_have_count(0)
        return
    expect(key(page, "a")).to_be_visible()
    scan(page, b.ADA_SWIPE)
    shown(page, "welcome")
    expect(page.locator("#keyboard")).to_be_hidden()
    field(page).click()
    expect(key(page, "a")).to_be_visible()


def test_without_javascript_there_is_no_button_that_does_nothing(desk: str, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(desk)
    expect(page.locator("#keyboard-button")).to_be_hidden()
    expect(page.locator("#keyboard")).to_be_hidden()
