"""The link on the desk's screen, and the page it opens on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Complaints, Hall
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

# Chromium reads the code as a phone's camera would, with the reader that the desk brings along.
READ = """
async (svg) => {
  const picture = new Image();
  const box = svg.getBoundingClientRect();
  const text = new XMLSerializer().serializeToString(svg);
  picture.src = "data:image/svg+xml;base64," + btoa(text);
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 600;
  const paper = canvas.getContext("2d");
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, 600, 600);
  paper.drawImage(picture, 30, 30, 540, 540);
  const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(canvas);
  return { text: found[0]?.rawValue, width: box.width };
}
"""


def link_on(page: Page) -> str:
    """What the code on the desk's screen says, read from the picture."""
    page.locator(".phone-code svg").wait_for()
    page.evaluate(
        """
        () => window.BarcodeDetectionAPI ?? new Promise((done) => {
          const script = document.createElement("script");
          script.src = "/ui/vendor/barcode-detector.min.js";
          const overrides = { locateFile: () => "/ui/vendor/zxing_reader.wasm" };
          script.onload = () =>
            BarcodeDetectionAPI.prepareZXingModule({ overrides, fireImmediately: true }).then(() => done());
          document.head.append(script);
        })
        """
    )
    read = page.locator(".phone-code svg").evaluate(READ)
    assert read["width"] >= 130
    return str(read["text"])


def accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def shown(page: Page, code: str) -> None:
    expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-verdict", code)


@pytest.fixture
def desk_page(hall: Hall, open_page: OpenPage) -> Page:
    """The desk's own screen. Its policy is set aside, for the test's reader of codes to run in it."""
    page = open_page(bypass_csp=True)
    page.goto(hall.desk)
    return page


WORDS = {
    "en": ("Your email address", "Welcome, Ada!", "You can close this page."),
    "fr": ("Votre adresse e-mail", "Bienvenue, Ada", "Vous pouvez fermer cette page."),
}


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_phone_scans_the_code_and_checks_in(hall: Hall, desk_page: Page, open_page: OpenPage, lang: str) -> None:
    first = link_on(desk_page)
    label, greeting, close = WORDS[lang]
    mine = open_page("phone", locale="fr-FR" if lang == "fr" else "en-GB", java_script_enabled=lang == "en")
    mine.goto(first)
    expect(mine.locator("html")).to_have_attribute("lang", lang)
    mine.get_by_label(label).fill(b.ADA_SCHOOL)
    mine.keyboard.press("Enter")
    expect(mine.get_by_text(greeting)).to_be_visible()
    expect(mine.get_by_text(close)).to_be_visible()
    assert hall.journal.marks().head_seq == 1
    # The desk shows another code as soon as it asks.
    expect(desk_page.locator(".phone-link")).not_to_have_attribute("hx-get", _asks(first))
    assert link_on(desk_page) != first


def _asks(link: str) -> str:
    import hashlib

    return f"/phone-link?lang=en&shown={hashlib.sha256(link.encode()).hexdigest()[:12]}"


def test_a_fresh_code_disturbs_nobody_who_is_typing(hall: Hall, desk_page: Page, open_page: OpenPage) -> None:
    first = link_on(desk_page)
    field = desk_page.get_by_label("Email address or card")
    field.click()
    desk_page.keyboard.type("bo.did", delay=70)
    open_page("phone").goto(first)
    expect(desk_page.locator(".phone-link")).not_to_have_attribute("hx-get", _asks(first))
    expect(field).to_be_focused()
    expect(field).to_have_value("bo.did")
    desk_page.keyboard.type("dley@example.edu", delay=70)
    desk_page.keyboard.press("Enter")
    shown(desk_page, "welcome")


def test_a_second_phone_is_told_where_the_fresh_code_is(
    desk_page: Page, open_page: OpenPage, complaints: Complaints
) -> None:
    complaints.expected = ("410",)
    link = link_on(desk_page)
    open_page("phone").goto(link)
    second = open_page("phone")
    second.goto(link)
    expect(second.get_by_role("heading", name="This code has been used")).to_be_visible()
    accessible(second)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_page_for_phones_is_accessible_and_fits(
    hall: Hall, desk_page: Page, open_page: OpenPage, lang: str
) -> None:
    accessible(desk_page)
    for text, verdict in ((b.ADA_SCHOOL, "welcome"), (b.UNKNOWN_SWIPE, "not_recognised"), (b.CEM, "see_staff")):
        link = link_on(desk_page)
        mine = open_page("phone", locale=lang)
        mine.goto(link)
        accessible(mine)
        for each in mine.locator(":is(a, button, input:not([type=hidden])):visible").all():
            box = each.bounding_box()
            assert box is not None
            assert min(box["height"], box["width"]) >= 60
        mine.locator("#identifier").fill(text)
        mine.keyboard.press("Enter")
        shown(mine, verdict)
        assert mine.evaluate("document.documentElement.scrollWidth <= innerWidth")
        accessible(mine)
        expect(desk_page.locator(".phone-link")).not_to_have_attribute("hx-get", _asks(link))


@pytest.mark.parametrize("size", SIZES)
def test_staff_switch_phones_off_and_on(hall: Hall, open_page: OpenPage, size: str) -> None:
    page = open_page(size)
    page.goto(f"{hall.desk}/staff/phone")
    expect(page.get_by_text("It is on.")).to_be_visible()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("It is off.")).to_be_visible()
    assert hall.app.extensions["phone_line"].port is None
    page.get_by_label("Address of this desk, for phones").fill("127.0.0.1")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("It is on.")).to_be_visible()
    page.goto(hall.desk)
    # Whoever has a desk as small as a phone in hand needs no code for one.
    expect(page.locator(".phone-code svg")).to_be_visible(visible=size != "phone")
