"""The staff's side as a volunteer with a queue meets it: the PIN, names, by hand, walk-ins, a pasted list."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.store.journal import Journal
from sync.directory import Line
from sync.messages import FACT, CheckIn
from tests.browser.conftest import SIZES, Complaints, Serve
from tests.browser.test_the_desk_in_chromium import accessible
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

TWIN = b.Student("Ada", ("ada2@example.edu",), line=Line("Ada Lovelace", "", "Masters", "a…2@example.edu"))
EMILE = b.Student("Émile", ("emile@example.edu",), line=Line("Émile O’Zola-Martin", "", "Senior", "em…le@example.edu"))


@pytest.fixture
def locked(serve: Serve, tmp_path: Path, complaints: Complaints) -> str:
    """The address of a desk that has a PIN. That it asks for it is no complaint."""
    complaints.expected = ("403", "404", "422")
    b.set_up(tmp_path / "kiosk", (*b.CAST, TWIN, EMILE), lock=b.LOCK)
    return serve()


def enter(page: Page, pin: str = b.PIN) -> None:
    page.get_by_label("Desk PIN").fill(pin)
    page.keyboard.press("Enter")


def unlocked(page: Page, desk: str, path: str = "/staff/") -> Page:
    """The page of staff who have given the PIN."""
    page.goto(f"{desk}/staff/")
    enter(page)
    expect(page.get_by_role("button", name="Lock")).to_be_visible()
    page.wait_for_load_state()
    page.goto(desk + path)
    return page


def forgive(folder: Path) -> None:
    """The wait after wrong PINs is over."""
    journal = Journal(folder / "kiosk" / "journal.sqlite")
    with journal.writing() as page:
        page.keep_tries(None)
    journal.close()


def recorded(folder: Path) -> list[CheckIn]:
    journal = Journal(folder / "kiosk" / "journal.sqlite")
    facts = [FACT.decode(body) for body in journal.facts_after(0, 1_000)]
    journal.close()
    return [each for each in facts if isinstance(each, CheckIn)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_accessible_in_every_size(locked: str, open_page: OpenPage, size: str, language: str) -> None:
    page = open_page(size)
    page.goto(f"{locked}/staff/?lang={language}")
    accessible(page)
    page.locator("#pin").fill(b.PIN)
    page.keyboard.press("Enter")
    expect(page.locator(".tiles").first).to_be_visible()
    accessible(page)
    page.goto(f"{locked}/staff/people?lang={language}")
    page.locator("#q").fill("a")
    expect(page.locator(".person").first).to_be_visible()
    accessible(page)
    page.locator("#q").fill("zzzz")
    expect(page.locator("#found .panel")).to_be_visible()
    accessible(page)
    for path, field, text in (("walk-in", "#name", "Eva Nova"), ("paste", "#pasted", f"{b.BO}\nx@\n{b.CEM}")):
        page.goto(f"{locked}/staff/{path}?lang={language}")
        accessible(page)
        page.locator(field).fill(text)
        page.locator("main button[type=submit]").click()
        expect(page.locator("main .notice, main table").first).to_be_visible()
        accessible(page)
    page.goto(f"{locked}/staff/paste?lang={language}")
    page.locator("#pasted").fill("ada@x.example\tAda")
    page.locator("main button[type=submit]").click()
    expect(page.locator("#refused")).to_be_visible()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_wrong_pin_waits_and_the_right_one_meanwhile_is_refused(
    locked: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page()
    page.clock.install()
    page.goto(f"{locked}/staff/")
    page.get_by_label("Desk PIN").fill("000000")
    other = page.context.new_page()
    other.goto(f"{locked}/staff/")
    page.keyboard.press("Enter")
    expect(page.get_by_text("A wrong PIN was entered.")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"Still 0:(10|0\d) to wait"))
    accessible(page)
    # This page was open before: it still has the field.
    enter(other)
    expect(other.get_by_text("A wrong PIN was entered.")).to_be_visible()
    page.clock.run_for(3_000)
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"Still 0:0[0-7] to wait"))
    forgive(tmp_path)
    page.clock.run_for(11_000)
    enter(page)
    expect(page.get_by_role("heading", name="What would you like to do?")).to_be_visible()


def test_the_lock_leads_to_the_desk_and_no_way_back_shows_a_name(locked: str, open_page: OpenPage) -> None:
    page = unlocked(open_page(), locked, "/staff/people")
    page.get_by_label("Name", exact=True).fill("lovelace")
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    for _ in range(3):
        page.go_back()
        expect(page.get_by_text("Lovelace")).to_have_count(0)
    page.goto(f"{locked}/staff/people")
    expect(page.get_by_label("Desk PIN")).to_be_visible()


def test_left_alone_the_page_locks_itself_and_leaves(locked: str, open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    unlocked(page, locked, "/staff/people")
    page.get_by_label("Name", exact=True).fill("lovelace")
    page.clock.run_for(1_000)
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    page.clock.run_for(100_000)
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    page.keyboard.press("Shift")
    page.clock.run_for(100_000)
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    page.clock.run_for(21_000)
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    page.goto(f"{locked}/staff/")
    expect(page.get_by_label("Desk PIN")).to_be_visible()


def test_nothing_stays_on_the_screen_when_the_kiosk_does_not_answer(
    locked: str, open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.expected = (*complaints.expected, "ERR_")
    page = open_page()
    page.clock.install()
    unlocked(page, locked, "/staff/people")
    page.get_by_label("Name", exact=True).fill("lovelace")
    page.clock.run_for(1_000)
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    page.route("**/*", lambda route: route.abort())
    page.clock.run_for(121_000)
    expect(page.get_by_text("Ada Lovelace")).to_have_count(0)
    page.unroute_all()
    page.clock.run_for(3_000)
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()


def test_locking_in_one_tab_empties_the_other(locked: str, open_page: OpenPage) -> None:
    page = unlocked(open_page(), locked, "/staff/people")
    page.get_by_label("Name", exact=True).fill("lovelace")
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{locked}/staff/")
    other.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()


def test_an_answer_from_a_desk_that_was_locked_elsewhere_leaves_the_page(locked: str, open_page: OpenPage) -> None:
    page = unlocked(open_page(), locked, "/staff/people")
    page.get_by_label("Name", exact=True).fill("lovelace")
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    unlocked(open_page(), locked)
    page.get_by_label("Name", exact=True).fill("bo")
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()


def test_a_name_is_found_as_it_is_typed_and_checked_in_without_a_mouse(
    locked: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = unlocked(open_page(), locked, "/staff/people")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("ozola emi")
    expect(page.get_by_text("Émile O’Zola-Martin").first).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("1 person found")
    # Past the button that sends the form.
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check in Émile O’Zola-Martin")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".person.done")).to_contain_text("Checked in")
    expect(page.get_by_role("status")).to_have_text("Émile O’Zola-Martin: Checked in")
    # The next name is typed over this one.
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("cem")
    expect(page.get_by_text("account disabled")).to_be_visible()
    assert [(each.ref, each.method) for each in recorded(tmp_path)] == [(EMILE.ref, "staff")]


def test_of_two_people_of_one_name_the_right_one_is_checked_in(
    locked: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = unlocked(open_page(), locked, "/staff/people")
    page.get_by_label("Name", exact=True).fill("ada")
    expect(page.locator(".person")).to_have_count(2)
    page.get_by_role("button", name="Check in Ada Lovelace, Masters, a…2@example.edu").click()
    done = page.locator(".person.done")
    expect(done).to_contain_text("Masters")
    done.get_by_role("link", name="Undo…").click()
    expect(page).to_have_url(f"{locked}/staff/recent?lang=en")
    assert [each.ref for each in recorded(tmp_path)] == [TWIN.ref]


def test_everything_works_as_plain_forms(locked: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{locked}/staff/")
    enter(page)
    page.get_by_role("link", name="Find somebody").first.click()
    page.get_by_label("Name", exact=True).fill("diddley")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Check in Bo Diddley").click()
    expect(page.get_by_role("status").first).to_contain_text("Bo Diddley: Checked in")
    page.get_by_role("link", name="Walk-in").click()
    page.get_by_label("First and last name").fill("Eva Nova")
    page.get_by_role("button", name="Check in").click()
    expect(page.get_by_role("alert")).to_contain_text("Eva Nova: Noted")
    page.get_by_role("link", name="Paste a list").click()
    page.get_by_label("Addresses or cards").fill(b.ADA_CARD)
    page.get_by_role("button", name="Check everybody on it in").click()
    expect(page.get_by_role("row", name="347082")).to_contain_text("Ada Lovelace")
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()
    assert len(recorded(tmp_path)) == 3


def test_a_walk_in_with_an_address_of_the_list_is_that_person(locked: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = unlocked(open_page(), locked, "/staff/walk-in")
    page.keyboard.type("The Countess")
    page.get_by_label("Email address").fill(b.ADA_HOME)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Ada Lovelace: Checked in")
    expect(page.get_by_label("First and last name")).to_have_value("")
    assert [each.ref for each in recorded(tmp_path)] == [b.ADA.ref]


def test_a_pasted_list_is_answered_line_by_line(locked: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = unlocked(open_page(), locked, "/staff/paste")
    page.get_by_label("Addresses or cards").fill(f"{b.ADA_SCHOOL}\n\n{b.ADA_SWIPE}\nnonsense\n{b.DITA}\n{b.CEM}")
    page.get_by_role("button", name="Check everybody on it in").click()
    expect(page.get_by_role("heading", name="5 lines: 1 checked in, 1 already in, 1 noted")).to_be_focused()
    expect(page.get_by_role("row").nth(2)).to_contain_text("same as line 1")
    expect(page.get_by_role("row").nth(3)).to_contain_text("Not recognised")
    assert len(recorded(tmp_path)) == 2
    page.get_by_role("link", name="Paste another list").click()
    page.get_by_label("Addresses or cards").fill("Ada\tada@x.example")
    page.get_by_role("button", name="Check everybody on it in").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 1 holds more than one thing")
    expect(page.get_by_label("Addresses or cards")).to_have_value("Ada\tada@x.example")


@pytest.mark.parametrize("path", ["/staff/", "/staff/people", "/staff/walk-in", "/staff/paste"])
def test_whatever_is_touched_is_large_enough(locked: str, open_page: OpenPage, path: str) -> None:
    for size in ("tablet", "phone"):
        page = unlocked(open_page(size), locked, path)
        if path == "/staff/people":
            page.get_by_label("Name", exact=True).fill("a")
            expect(page.locator(".person").first).to_be_visible()
        small = page.locator("a:visible, button:visible, input:visible, textarea:visible").evaluate_all(
            """all => all.filter(e => !e.matches('.skip'))
                .filter(e => e.getBoundingClientRect().height < 60).map(e => e.outerHTML)"""
        )
        assert small == []
