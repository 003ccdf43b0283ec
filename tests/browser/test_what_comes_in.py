"""What comes in at the desk: a person's typing, a scanner's burst, and how the two are told apart."""

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Complaints, until
from tests.browser.test_the_desk_in_chromium import head, scan, shown
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

# What the digits of a scanner set to QWERTY turn into.
AZERTY = {"map": dict(zip("à&é\"'(-è_çqa", "0123456789aq", strict=True))}
SCANNER_MS = 8
HAND_MS = 130
PAUSE_MS = 5_000


@pytest.fixture
def page(desk: str, open_page: OpenPage) -> Page:
    """A desk whose clock stands still unless a test moves it: how quick a key is does not depend on the machine."""
    return at_rest(open_page(), desk)


def at_rest(page: Page, desk: str) -> Page:
    page.clock.install(time=0)
    page.goto(desk)
    ready(page)
    page.clock.pause_at(60_000)
    return page


def ready(page: Page) -> None:
    until(page, "document.querySelector('#entry')._htmx?.initialized")


def keys(page: Page, text: str, gap_ms: int) -> None:
    for key in text:
        page.clock.run_for(gap_ms)
        strike(page, key)


def strike(page: Page, key: str, **more: object) -> None:
    """A key of any keyboard there is; `press` has those of an American one without a keypad."""
    if key.isascii() and not more:
        page.keyboard.press(key)
        return
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "text": key, **more})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key, **more})
    session.detach()


def burst(page: Page, text: str, end: str = "Enter") -> None:
    page.clock.run_for(PAUSE_MS)
    keys(page, text, SCANNER_MS)
    if end:
        page.clock.run_for(SCANNER_MS)
        page.keyboard.press(end)


def by_hand(page: Page, text: str) -> None:
    keys(page, text, HAND_MS)


def field_has(page: Page, text: str) -> None:
    expect(page.locator("#identifier")).to_have_value(text)


def posted(page: Page) -> list[str]:
    """What is sent from now on."""
    sent: list[str] = []

    def listen(request: Request) -> None:
        if request.method == "POST":
            sent.append(parse_qs(request.post_data or "")["identifier"][0])

    page.on("request", listen)
    return sent


def test_typing_and_enter_check_in(page: Page) -> None:
    by_hand(page, b.ADA_SCHOOL)
    field_has(page, b.ADA_SCHOOL)
    page.clock.run_for(HAND_MS)
    page.keyboard.press("Enter")
    shown(page, "welcome")
    field_has(page, "")


@pytest.mark.parametrize("end", ["Enter", "Tab"])
def test_a_burst_is_a_check_in_of_its_own(page: Page, tmp_path: Path, end: str) -> None:
    by_hand(page, "dita@now")
    burst(page, b.ADA_SWIPE, end)
    shown(page, "welcome")
    field_has(page, "dita@now")
    by_hand(page, "here.example")
    page.keyboard.press("Enter")
    shown(page, "noted")
    assert head(tmp_path) == 2


def test_a_burst_goes_in_where_the_cursor_was_and_comes_out_again(page: Page) -> None:
    by_hand(page, "dita.example")
    for _ in ".example":
        page.keyboard.press("ArrowLeft")
    burst(page, b.ADA_SWIPE)
    shown(page, "welcome")
    by_hand(page, "@nowhere")
    field_has(page, "dita@nowhere.example")


@pytest.mark.parametrize(("role", "name"), [("link", "Staff"), ("link", "Français"), ("button", "Large text")])
def test_a_burst_never_presses_what_has_the_focus(page: Page, role: str, name: str, tmp_path: Path) -> None:
    before = page.url
    there = page.get_by_role(role, name=name)  # type: ignore[arg-type]
    there.focus()
    expect(there).to_be_focused()
    burst(page, b.ADA_SWIPE)
    shown(page, "welcome")
    assert page.url == before
    assert page.locator("html").get_attribute("lang") == "en"
    assert head(tmp_path) == 1


def test_a_link_with_the_focus_still_follows_a_hand(page: Page) -> None:
    page.get_by_role("link", name="Français").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_a_burst_without_enter_is_sent_when_it_is_over(page: Page, tmp_path: Path) -> None:
    by_hand(page, "dita@now")
    burst(page, b.ADA_SWIPE, end="")
    page.clock.run_for(950)
    expect(page.locator("#verdict")).to_be_empty()
    page.clock.run_for(100)
    shown(page, "welcome")
    field_has(page, "dita@now")
    # An Enter that comes after all is still the scanner's.
    page.keyboard.press("Enter")
    burst(page, b.BO, end="")
    burst(page, b.CEM)
    shown(page, "see_staff")
    assert head(tmp_path) == 2
    field_has(page, "dita@now")


@pytest.mark.parametrize("gap_ms", [51, 60, 90, 300, 1_500])
def test_typing_is_never_sent_by_itself(page: Page, gap_ms: int, tmp_path: Path) -> None:
    keys(page, b.ADA_SCHOOL, gap_ms)
    page.clock.run_for(2_000)
    field_has(page, b.ADA_SCHOOL)
    assert head(tmp_path) == 0


def test_fingers_that_are_quick_now_and_then_are_no_scanner(page: Page) -> None:
    sent = posted(page)
    by_hand(page, "dita@")
    page.clock.run_for(PAUSE_MS)
    for nth, key in enumerate("nowhere.example"):
        page.clock.run_for(30 if nth % 2 else HAND_MS)
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    shown(page, "noted")
    assert sent == ["dita@nowhere.example"]


def test_without_enter_a_single_slow_key_is_doubt_enough(page: Page) -> None:
    page.clock.run_for(PAUSE_MS)
    keys(page, b.ADA_SWIPE[:10], SCANNER_MS)
    by_hand(page, b.ADA_SWIPE[10])
    keys(page, b.ADA_SWIPE[11:], SCANNER_MS)
    page.clock.run_for(2_000)
    field_has(page, b.ADA_SWIPE)


def test_what_was_cleared_meanwhile_does_not_come_back(page: Page) -> None:
    by_hand(page, "dita@")
    page.clock.run_for(PAUSE_MS)
    keys(page, b.ADA_SWIPE[:8], SCANNER_MS)
    page.locator("#identifier").evaluate("field => { field.value = '' }")
    keys(page, b.ADA_SWIPE[8:], SCANNER_MS)
    page.keyboard.press("Enter")
    shown(page, "welcome")
    field_has(page, "")


def test_drumming_on_the_keys_is_not_sent_by_itself(page: Page, tmp_path: Path) -> None:
    page.clock.run_for(PAUSE_MS)
    for key in "asdfghjk":
        page.clock.run_for(SCANNER_MS)
        page.keyboard.down(key)
    for key in "asdfghjk":
        page.keyboard.up(key)
    page.clock.run_for(2_000)
    field_has(page, "asdfghjk")
    assert head(tmp_path) == 0


def test_a_burst_that_was_sent_by_a_touch_is_not_sent_again(page: Page) -> None:
    sent = posted(page)
    burst(page, b.ADA_SWIPE, end="")
    page.get_by_role("button", name="Check in").click()
    shown(page, "welcome")
    page.clock.run_for(2_000)
    burst(page, b.BO)
    expect(page.get_by_text("Welcome, Bo!")).to_be_visible()
    assert sent == [b.ADA_SWIPE, b.BO]


def test_a_page_that_is_too_busy_to_notice_the_pause_keeps_bursts_apart(page: Page, tmp_path: Path) -> None:
    page.evaluate("window.setTimeout = () => 0")
    burst(page, b.ADA_SWIPE, end="")
    burst(page, b.BO)
    expect(page.get_by_text("Welcome, Bo!")).to_be_visible()
    assert head(tmp_path) == 2


def test_a_key_that_is_held_is_not_a_burst(page: Page) -> None:
    sent = posted(page)
    by_hand(page, "dita")
    page.clock.run_for(PAUSE_MS)
    for _ in range(12):
        page.clock.run_for(30)
        page.keyboard.down("7")
    page.keyboard.up("7")
    page.keyboard.press("Enter")
    shown(page, "not_recognised")
    assert sent == ["dita777777777777"]


def test_a_scanner_that_sends_enter_is_never_cut_short(page: Page, tmp_path: Path) -> None:
    burst(page, b.BO)
    burst(page, b.ADA_SWIPE, end="")
    page.clock.run_for(3_000)
    field_has(page, b.ADA_SWIPE)
    assert head(tmp_path) == 1


@pytest.mark.parametrize("at", [1, 4, 12])
def test_a_burst_that_stumbles_stays_whole(page: Page, at: int) -> None:
    by_hand(page, "dita@")
    page.clock.run_for(PAUSE_MS)
    keys(page, b.ADA_SWIPE[:at], SCANNER_MS)
    page.clock.run_for(300)
    keys(page, b.ADA_SWIPE[at:], SCANNER_MS)
    page.keyboard.press("Enter")
    shown(page, "welcome")
    field_has(page, "dita@")


def test_half_a_card_is_never_taken_for_a_whole_one(desk: str, open_page: OpenPage) -> None:
    """A burst that began before anybody watched is sent with everything that is in the field."""
    page = open_page()
    late: list[Route] = []
    page.route("**/capture.js*", lambda route: late.append(route))
    page.clock.install(time=0)
    page.goto(desk, wait_until="commit")
    expect(page.get_by_label("Email address or card")).to_be_focused()
    page.clock.pause_at(60_000)
    keys(page, b.ADA_SWIPE[:8], SCANNER_MS)
    late[0].continue_()
    page.wait_for_load_state()
    keys(page, b.ADA_SWIPE[8:], SCANNER_MS)
    page.clock.run_for(SCANNER_MS)
    page.keyboard.press("Enter")
    page.clock.run_for(PAUSE_MS)
    shown(page, "welcome")


def test_an_accent_that_waits_for_its_letter_is_typing(page: Page) -> None:
    link = page.get_by_role("link", name="Staff")
    link.focus()
    page.context.new_cdp_session(page).send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Dead"})
    expect(page.get_by_label("Email address or card")).to_be_focused()


def test_the_second_half_of_a_line_end_does_nothing(page: Page, tmp_path: Path) -> None:
    by_hand(page, "dita@nowhere.example")
    burst(page, b.ADA_SWIPE)
    page.keyboard.press("Enter")
    shown(page, "welcome")
    field_has(page, "dita@nowhere.example")
    assert head(tmp_path) == 1


def test_the_keypad_types_too(page: Page, tmp_path: Path) -> None:
    page.get_by_role("link", name="Staff").focus()
    page.clock.run_for(PAUSE_MS)
    for digit in b.ADA_CARD:
        page.clock.run_for(HAND_MS)
        strike(page, digit, code=f"Numpad{digit}", location=3, isKeypad=True)
    field_has(page, b.ADA_CARD)
    page.clock.run_for(HAND_MS)
    page.keyboard.press("NumpadEnter")
    shown(page, "not_recognised")
    burst(page, b.ADA_SWIPE, end="NumpadEnter")
    shown(page, "welcome")


def test_space_presses_what_has_the_focus(page: Page) -> None:
    larger = page.get_by_role("button", name="Large text")
    larger.focus()
    page.keyboard.press("Space")
    expect(larger).to_have_attribute("aria-pressed", "true")
    field_has(page, "")


def test_another_field_keeps_its_own_keys(page: Page, tmp_path: Path) -> None:
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'other'}))")
    page.locator("#other").focus()
    burst(page, "0123456789")
    expect(page.locator("#other")).to_have_value("0123456789\n")
    field_has(page, "")
    assert head(tmp_path) == 0


def test_a_sign_on_the_third_level_of_a_key_is_no_shortcut(page: Page) -> None:
    link = page.get_by_role("link", name="Staff")
    link.focus()
    link.evaluate(
        """link => link.dispatchEvent(new KeyboardEvent("keydown",
            {key: "@", ctrlKey: true, altKey: true, modifierAltGraph: true, bubbles: true}))"""
    )
    expect(page.get_by_label("Email address or card")).to_be_focused()


def test_composing_quickly_is_not_a_burst(page: Page) -> None:
    sent = posted(page)
    page.locator("#identifier").evaluate(
        """field => [..."zhongwen", "Enter"].forEach(key => field.dispatchEvent(
            new KeyboardEvent("keydown", {key, isComposing: true, bubbles: true, cancelable: true})))"""
    )
    page.clock.run_for(2_000)
    burst(page, b.ADA_SWIPE)
    shown(page, "welcome")
    assert sent == [b.ADA_SWIPE]


def test_a_word_that_is_still_being_composed_is_left_alone(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "zoé", "selectionStart": 3, "selectionEnd": 3})
    session.send("Input.insertText", {"text": "zoé"})
    by_hand(page, "@nowhere.example")
    field_has(page, "zoé@nowhere.example")
    page.keyboard.press("Enter")
    shown(page, "noted")


def test_shortcuts_go_on_working(page: Page) -> None:
    by_hand(page, "dita@nowhere.example")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    field_has(page, "")
    page.get_by_role("link", name="Staff").focus()
    page.keyboard.press("Control+v")
    field_has(page, "dita@nowhere.example")
    page.keyboard.press("Enter")
    shown(page, "noted")


def test_twenty_bursts_back_to_back_are_all_answered(desk: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    answers: list[str | None] = []
    page.on("response", lambda response: answers.append(response.headers.get("kiosk-verdict")))
    page.goto(desk)
    ready(page)
    expected = []
    for n in range(5):
        scan(page, f"guest{n}@nowhere.example")
        scan(page, b.UNKNOWN_SWIPE)
        scan(page, b.ADA_SWIPE)
        scan(page, b.CEM)
        expected += ["noted", "not_recognised", "welcome" if n == 0 else "already_in", "see_staff"]
    expect(page.locator(".desk:not(.busy)")).to_be_visible()
    assert [each for each in answers if each] == expected
    assert head(tmp_path) == 6


@pytest.fixture
def calibrated(desk: str, open_page: OpenPage) -> Page:
    """A desk that has learned its scanner: one set to QWERTY, where the kiosk's own keyboard is AZERTY."""
    page = open_page()

    def learned(route: Route) -> None:
        text = route.fetch().text()
        assert 'data-scanner="null"' in text
        route.fulfill(body=text.replace('data-scanner="null"', f'data-scanner="{escape(json.dumps(AZERTY))}"'))

    page.route(f"{desk}/", learned)
    return at_rest(page, desk)


def test_a_burst_from_another_keyboard_is_put_right(calibrated: Page) -> None:
    by_hand(calibrated, "qwerty")
    burst(calibrated, b.ADA_SWIPE.translate(str.maketrans("0123456789", "à&é\"'(-è_ç")))
    shown(calibrated, "welcome")
    field_has(calibrated, "qwerty")


def test_typing_is_taken_as_it_is(calibrated: Page) -> None:
    sent = posted(calibrated)
    by_hand(calibrated, "àda&q@nowhere.example")
    calibrated.keyboard.press("Enter")
    expect(calibrated.locator("#verdict [data-verdict]")).to_be_visible()
    assert sent == ["àda&q@nowhere.example"]


SLIP = "ada.lovelace at example.edu"


def mistype(page: Page) -> None:
    by_hand(page, SLIP)
    page.clock.run_for(HAND_MS)
    page.keyboard.press("Enter")
    shown(page, "not_recognised")


def test_a_slip_of_the_fingers_is_mended_where_it_was_made(page: Page) -> None:
    mistype(page)
    field_has(page, SLIP)
    for _ in " at example.edu":
        page.keyboard.press("Backspace")
    by_hand(page, "@example.edu")
    page.clock.run_for(HAND_MS)
    page.keyboard.press("Enter")
    shown(page, "welcome")
    field_has(page, "")


def test_what_was_not_mended_goes_with_the_answer(page: Page, complaints: Complaints) -> None:
    complaints.expected = ("htmx:error: timeout",)
    mistype(page)
    field_has(page, SLIP)
    page.clock.run_for(61_000)
    expect(page.locator("#verdict")).to_be_empty()
    field_has(page, "")


def test_what_is_being_mended_stays_when_the_answer_goes(page: Page, complaints: Complaints) -> None:
    complaints.expected = ("htmx:error: timeout",)
    mistype(page)
    page.keyboard.press("Backspace")
    page.clock.run_for(61_000)
    expect(page.locator("#verdict")).to_be_empty()
    field_has(page, SLIP[:-1])


def test_the_next_scan_leaves_nothing_of_what_was_mistyped(page: Page) -> None:
    mistype(page)
    field_has(page, SLIP)
    burst(page, b.ADA_SWIPE)
    shown(page, "welcome")
    field_has(page, "")


@pytest.mark.parametrize(
    ("given", "code"), [(b.UNKNOWN_SWIPE, "not_recognised"), (b.CEM, "see_staff"), (b.DITA, "noted")]
)
def test_after_any_other_answer_the_field_is_empty(page: Page, given: str, code: str) -> None:
    by_hand(page, given)
    page.clock.run_for(HAND_MS)
    page.keyboard.press("Enter")
    shown(page, code)
    field_has(page, "")


def test_a_burst_that_nothing_reads_leaves_the_field_empty(page: Page) -> None:
    burst(page, "neither card nor address")
    shown(page, "not_recognised")
    field_has(page, "")
