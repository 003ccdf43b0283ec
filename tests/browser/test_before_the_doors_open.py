"""What staff do before an event: check everything, look at what a scanner sends, teach the desk a scanner."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from uuid_utils.compat import uuid7

from kiosk import clock
from kiosk.actions import preflight
from kiosk.actions.arrivals import Stores
from kiosk.rules.scanner import CODE
from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from kiosk.store.roster import Roster
from sync.engine import Hub
from tests.browser.conftest import SIZES, Complaints, Serve
from tests.browser.test_the_desk_in_chromium import accessible, shown
from tests.browser.test_what_comes_in import SCANNER_MS, burst, by_hand
from tests.browser.test_what_comes_in import at_rest as desk_at_rest
from tests.kiosk import builders as b
from tests.kiosk.fake_hub import FakeHub
from tests.kiosk.layouts import AZERTY, typed

OpenPage = Callable[..., Page]
NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk at a session of today, whose hub does not answer."""
    folder = tmp_path / "kiosk"
    b.set_up(folder)
    journal = Journal(folder / "journal.sqlite")
    journal.enrolled(Standing(NOBODY_THERE, b.standing().enrolled))
    journal.choose(b.session(starts=clock.now().wall))
    journal.close()
    return folder


@contextmanager
def a_hub(_standing: Standing) -> Iterator[Hub]:
    yield FakeHub(b.pages())


def all_went_well(folder: Path) -> None:
    """A rehearsal that went all the way, at a desk with a PIN that is not asked for here."""
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, clock.boot())
    preflight.try_everything(Stores(journal, roster), folder, clock.now, uuid7(), a_hub)
    journal.close()
    roster.close()


def at_rest(page: Page, address: str) -> Page:
    """A page whose clock stands still unless a test moves it: how quick a key is does not depend on the machine."""
    page.clock.install(time=0)
    page.goto(address)
    page.clock.pause_at(60_000)
    return page


def fill(page: Page, text: str) -> None:
    """What came in at once, however that was."""
    page.locator("#heard").fill(text)
    page.keyboard.press("Enter")


def states(page: Page) -> list[str]:
    return [each.strip() for each in page.locator(".checks .badge").all_inner_texts()]


def test_what_is_not_well_is_said_in_words_and_shapes_with_the_way_out(
    serve: Serve, open_page: OpenPage, folder: Path
) -> None:
    page = open_page()
    page.goto(serve() + "/staff/preflight")
    page.get_by_role("button", name="Check everything now").click()
    expect(page.get_by_text("The hub cannot be reached. (hub_unreachable)")).to_be_visible()
    expect(page.get_by_text("Look at the network cable or the Wi-Fi")).to_be_visible()
    expect(page.get_by_text("On this disk, not at the hub yet")).to_be_visible()
    assert {"Well", "Not well", "Not known"} == set(states(page))
    expect(page.locator(".checks .badge svg")).to_have_count(page.locator(".checks li").count())


def test_a_desk_that_is_ready_says_so(serve: Serve, open_page: OpenPage, folder: Path) -> None:
    all_went_well(folder)
    page = open_page()
    page.goto(serve() + "/staff/preflight")
    expect(page.get_by_text("All the way to the hub")).to_be_visible()
    # A desk without a PIN is never quite well; everything else here is.
    expect(page.get_by_text("1 thing to look at.")).to_be_visible()
    assert states(page).count("Not well") == 1


def test_the_page_prints_on_one_sheet_with_a_line_to_sign(serve: Serve, open_page: OpenPage, folder: Path) -> None:
    all_went_well(folder)
    page = open_page()
    page.goto(serve() + "/staff/preflight")
    page.emulate_media(media="print")
    expect(page.get_by_text("Checked by, signature:")).to_be_visible()
    expect(page.get_by_text(f"kiosk {b.KIOSK_ID}")).to_be_visible()
    for what in ("#heard", ".ways", "button", ".on-screen"):
        expect(page.locator(what).first).to_be_hidden()
    sheet = page.pdf(format="A4", margin={"top": "1cm", "bottom": "1cm", "left": "1cm", "right": "1cm"})
    assert sheet.count(b"/Type /Page\n") + sheet.count(b"/Type /Page ") == 1


@pytest.mark.parametrize(("suffix", "said"), [("Enter", "Enter"), ("Tab", "Tab"), (None, "nothing")])
def test_an_echo_shows_how_a_scan_ended(
    serve: Serve, open_page: OpenPage, folder: Path, suffix: str | None, said: str
) -> None:
    page = at_rest(open_page(), serve() + "/staff/preflight")
    page.locator("#heard").focus()
    burst(page, b.ADA_SWIPE, suffix or "")
    if suffix is None:
        # Time goes on, and nothing more comes.
        page.clock.resume()
    expect(page.get_by_text("A card, by card format 1.")).to_be_visible()
    facts = page.locator(".facts")
    expect(facts.locator("dd").nth(0)).to_have_text(b.ADA_SWIPE)
    expect(facts.locator("dd").nth(2)).to_contain_text(f"{SCANNER_MS * (len(b.ADA_SWIPE) - 1)}")
    expect(facts.locator("dd").nth(3)).to_have_text(said)
    # The next scan needs no touch.
    expect(page.locator("#heard")).to_be_focused()
    assert "Ada" not in page.locator("main").inner_text()


def test_typing_by_hand_is_not_sent_by_itself(serve: Serve, open_page: OpenPage, folder: Path) -> None:
    page = at_rest(open_page(), serve() + "/staff/preflight")
    page.locator("#heard").focus()
    by_hand(page, "ada@example.edu")
    page.clock.run_for(5_000)
    expect(page.locator("#heard")).to_have_value("ada@example.edu")
    expect(page.locator(".facts")).to_have_count(0)


def test_an_azerty_scanner_is_taught_and_then_checks_somebody_in(
    serve: Serve, open_page: OpenPage, folder: Path
) -> None:
    url = serve()
    page = at_rest(open_page(), url + "/staff/scanner")
    expect(page.locator("#heard")).to_be_focused()
    burst(page, typed(CODE, AZERTY))
    expect(page.get_by_text("Your scanner types AZERTY: corrected.")).to_be_visible()
    desk = desk_at_rest(open_page(), url)
    burst(desk, typed(b.ADA_SWIPE, AZERTY))
    shown(desk, "welcome")
    page.get_by_role("button", name="Forget what was learned").click()
    expect(page.get_by_text("Nothing has been learned")).to_be_visible()


def test_half_a_code_teaches_nothing(serve: Serve, open_page: OpenPage, folder: Path, complaints: Complaints) -> None:
    complaints.expected = ("422",)
    page = open_page()
    page.goto(serve() + "/staff/scanner")
    fill(page, CODE[:100])
    expect(page.get_by_role("alert")).to_contain_text("Some of the code is missing")
    expect(page.locator("#heard")).to_be_focused()


def test_all_of_it_works_without_javascript(serve: Serve, open_page: OpenPage, folder: Path) -> None:
    url = serve()
    page = open_page(java_script_enabled=False)
    page.goto(url + "/staff/preflight")
    page.get_by_role("button", name="Check everything now").click()
    expect(page.get_by_text("On this disk, not at the hub yet")).to_be_visible()
    page.locator("#heard").fill(b.ADA_SWIPE)
    page.get_by_role("button", name="Show what came in").click()
    expect(page.get_by_text("A card, by card format 1.")).to_be_visible()
    page.goto(url + "/staff/scanner")
    page.locator("#heard").fill(typed(CODE, AZERTY))
    page.get_by_role("button", name="Learn from it").click()
    expect(page.get_by_text("Your scanner types AZERTY: corrected.")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_pages_are_for_everybody_at_any_size(
    serve: Serve, open_page: OpenPage, folder: Path, language: str, size: str
) -> None:
    url = serve()
    page = open_page(size)
    for name in ("status", "preflight", "scanner"):
        page.goto(f"{url}/staff/{name}?lang={language}")
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
        small = page.locator("main button, main input:not([type=hidden]), main a.button").evaluate_all(
            "all => all.filter((each) => each.getBoundingClientRect().height < 60).map((each) => each.outerHTML)"
        )
        assert small == []
    fill(page, typed(CODE, AZERTY))
    expect(page.locator(".notice.good")).to_be_visible()
    accessible(page)
    page.goto(f"{url}/staff/preflight?lang={language}")
    fill(page, b.ADA_SWIPE)
    expect(page.locator(".facts")).to_be_visible()
    accessible(page)
