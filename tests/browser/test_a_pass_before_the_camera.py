"""A pass held up to the camera of the desk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import qrcode
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserType, Page, expect

from kiosk.store.journal import Journal
from tests.browser.conftest import SIZES
from tests.kiosk import builders as b

OpenPage = Callable[..., Page]

WIDTH, HEIGHT, DOT = 640, 480, 8

# A detector that finds what the test says is in view.
NATIVE = """
window.inView = [];
window.BarcodeDetector = class {
  static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
  detect() { return Promise.resolve(window.inView.map((rawValue) => ({ rawValue }))); }
};
"""
SOME_LOOKS = """
new Promise((done) => {
  const { prototype } = BarcodeDetector;
  const detect = prototype.detect;
  let left = 3;
  prototype.detect = function () {
    left -= 1;
    if (!left) { prototype.detect = detect; done(); }
    return detect.call(this);
  };
})
"""
SEVERAL_PICTURES = """
new Promise((done) => {
  const video = document.querySelector(".camera video");
  const look = () => (video.currentTime > 2 ? done() : video.requestVideoFrameCallback(look));
  look();
})
"""
ONLY_BARCODES = """
window.BarcodeDetector = class { static getSupportedFormats() { return Promise.resolve(["ean_13"]); } };
"""
# The tracks the page was given, for a test to pull their cable.
TRACKS = """
window.tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await ask(wish);
  window.tracks.push(...stream.getTracks());
  return stream;
};
"""


def film(text: str, path: Path) -> Path:
    """A film of a code before a grey wall, as a camera would send it."""
    code = qrcode.QRCode(border=4)
    code.add_data(text)
    code.make()
    matrix = code.get_matrix()
    rows = [bytes([128]) * WIDTH for _ in range(HEIGHT)]
    left, top = (WIDTH - DOT * len(matrix)) // 2, (HEIGHT - DOT * len(matrix)) // 2
    for nth, line in enumerate(matrix):
        dots = b"".join(bytes([16 if dark else 235]) * DOT for dark in line)
        row = bytes([128]) * left + dots + bytes([128]) * (WIDTH - left - len(dots))
        rows[top + nth * DOT : top + (nth + 1) * DOT] = [row] * DOT
    frame = b"FRAME\n" + b"".join(rows) + bytes([128]) * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 5)
    return path


@pytest.fixture(scope="module")
def browser(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser whose camera sees Ada's pass. It asks before it lets a page see it."""
    seen = film(b.ADA_PASS, tmp_path_factory.mktemp("camera") / "pass.y4m")
    args = [
        *browser_type_launch_args["args"],
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={seen}",
    ]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": args})
    yield browser
    browser.close()


@pytest.fixture
def before(desk: str, open_page: OpenPage) -> Iterator[Callable[..., Page]]:
    """Opens the page with the camera, which is allowed unless told otherwise."""
    pages = []

    def go(*scripts: str, allowed: bool = True, size: str = "tablet", lang: str = "en") -> Page:
        page = open_page(size, permissions=["camera"] if allowed else [])
        for script in scripts:
            page.add_init_script(f"if (location.protocol !== 'about:') {{ {script} }}")
        page.goto(f"{desk}/scan?lang={lang}")
        pages.append(page)
        return page

    yield go
    for page in pages:
        # Chromium may wait for ever for a page to close that has just opened a camera.
        page.goto("about:blank")


def shown(page: Page, code: str) -> None:
    expect(page.locator("#verdict [data-verdict]")).to_have_attribute("data-verdict", code)


def state(page: Page, name: str) -> None:
    expect(page.locator(".camera")).to_have_attribute("data-state", name)


def look(page: Page, *texts: str) -> None:
    page.evaluate("(texts) => { window.inView = texts }", list(texts))


def head(tmp_path: Path) -> int:
    journal = Journal(tmp_path / "kiosk" / "journal.sqlite")
    try:
        return journal.marks().head_seq
    finally:
        journal.close()


def accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("detector", ["", ONLY_BARCODES], ids=["no detector", "one for other codes"])
def test_a_pass_in_view_is_read_and_checked_in_once(before: Callable[..., Page], tmp_path: Path, detector: str) -> None:
    page = before(detector)
    shown(page, "welcome")
    expect(page.get_by_text("Welcome, Ada!")).to_be_visible()
    # Looked at some more times, in a film that runs on and on.
    page.evaluate(SEVERAL_PICTURES)
    assert head(tmp_path) == 1
    accessible(page)


def test_the_reader_of_codes_comes_from_the_desk_alone(before: Callable[..., Page], desk: str) -> None:
    page = before(NATIVE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    state(page, "looking")
    assert not [each for each in asked if "zxing" in each or "barcode" in each]
    page = before()
    shown(page, "welcome")
    asked.clear()
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    shown(page, "already_in")
    assert [each for each in asked if "zxing_reader.wasm" in each]
    assert all(each.startswith(desk) for each in asked)


def test_a_detector_of_the_browser_is_used_where_it_reads_passes(before: Callable[..., Page], tmp_path: Path) -> None:
    page = before(NATIVE)
    state(page, "looking")
    look(page, b.ADA_PASS)
    shown(page, "welcome")
    look(page, b.ADA_PASS, b.BO)
    expect(page.get_by_text("Welcome, Bo!")).to_be_visible()
    look(page, "hello")
    shown(page, "not_recognised")
    assert head(tmp_path) == 2


def test_a_code_is_sent_again_only_after_it_was_out_of_view(before: Callable[..., Page], tmp_path: Path) -> None:
    page = before(NATIVE)
    state(page, "looking")
    # Time is the test's from here on.
    page.evaluate("() => { window.at = performance.now(); performance.now = () => window.at }")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    look(page, b.ADA_PASS)
    shown(page, "welcome")
    for away_ms, times in ((2900, 1), (3100, 2)):
        look(page)
        page.evaluate(SOME_LOOKS)
        page.evaluate("(ms) => { window.at += ms }", away_ms)
        look(page, b.ADA_PASS)
        page.evaluate(SOME_LOOKS)
        if times == 2:
            shown(page, "already_in")
        assert len(sent) == times
    assert head(tmp_path) == 1


def test_what_somebody_types_stays_when_a_pass_comes_first(before: Callable[..., Page], tmp_path: Path) -> None:
    page = before(NATIVE)
    state(page, "looking")
    field = page.get_by_label("Email address or card")
    expect(field).to_be_focused()
    page.keyboard.type("bo.diddley", delay=70)
    look(page, b.ADA_PASS)
    shown(page, "welcome")
    expect(field).to_have_value("bo.diddley")
    page.keyboard.type("@example.edu", delay=70)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Welcome, Bo!")).to_be_visible()
    assert head(tmp_path) == 2


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "The camera is not allowed"), ("fr", "La caméra n’est pas autorisée")]
)
def test_a_refused_camera_leaves_words_and_a_way_out(before: Callable[..., Page], lang: str, words: str) -> None:
    page = before(allowed=False, lang=lang)
    state(page, "refused")
    expect(page.get_by_role("heading", name=words)).to_be_visible()
    accessible(page)
    page.locator(".ways a").click()
    expect(page.locator(".ready h2")).to_be_visible()
    expect(page.locator("#identifier")).to_be_focused()


def test_a_camera_that_is_allowed_after_all_can_be_tried_again(before: Callable[..., Page]) -> None:
    page = before(allowed=False)
    state(page, "refused")
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Try again").click()
    shown(page, "welcome")


@pytest.mark.parametrize(
    ("name", "words"),
    [("NotFoundError", "No camera found"), ("NotReadableError", "The camera is busy"), ("Error", "cannot be read")],
)
def test_each_trouble_has_its_words(before: Callable[..., Page], name: str, words: str) -> None:
    refusal = (
        f"navigator.mediaDevices.getUserMedia = () => Promise.reject(Object.assign(new Error(), {{name: '{name}'}}))"
    )
    page = before(NATIVE, refusal)
    expect(page.get_by_role("heading", name=words)).to_be_visible()
    accessible(page)
    page.get_by_label("Email address or card").fill(b.ADA_SWIPE)
    page.keyboard.press("Enter")
    shown(page, "welcome")


def test_a_page_without_camera_api_says_so(before: Callable[..., Page]) -> None:
    page = before("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    expect(page.get_by_role("heading", name="No camera on this page")).to_be_visible()


def test_a_camera_that_is_unplugged_says_so_and_can_come_back(before: Callable[..., Page]) -> None:
    page = before(NATIVE, TRACKS)
    state(page, "looking")
    page.evaluate("tracks[0].dispatchEvent(new Event('ended'))")
    expect(page.get_by_role("heading", name="The camera has gone")).to_be_visible()
    page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    state(page, "looking")
    look(page, b.ADA_PASS)
    shown(page, "welcome")


def test_nobody_is_watched_by_a_page_that_is_hidden_or_left(before: Callable[..., Page]) -> None:
    page = before(NATIVE, TRACKS)
    state(page, "looking")
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }"
    )
    assert page.evaluate("tracks.map((each) => each.readyState)") == ["ended"]
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) }")
    state(page, "looking")
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    assert page.evaluate("tracks.map((each) => each.readyState)") == ["ended", "ended"]


def test_an_idle_camera_goes_back_to_the_desk(before: Callable[..., Page], desk: str) -> None:
    page = before(NATIVE)
    state(page, "looking")
    page.evaluate("document.querySelector('.camera').dataset.idleMs = 50")
    page.keyboard.press("Shift")
    expect(page).to_have_url(f"{desk}/")


def test_without_scripts_the_page_leads_back(desk: str, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{desk}/scan")
    expect(page.get_by_role("heading", name="No camera on this page")).to_be_visible()
    page.get_by_role("link", name="Back to typing").click()
    expect(page.get_by_role("heading", name="Welcome! Please check in.")).to_be_visible()


def test_the_answer_of_one_language_leaves_the_page_in_the_other(before: Callable[..., Page], desk: str) -> None:
    page = before(NATIVE, lang="fr")
    state(page, "looking")
    look(page, b.ADA_PASS)
    shown(page, "welcome")
    expect(page.get_by_text("Bienvenue, Ada")).to_be_visible()
    look(page)
    page.evaluate("document.querySelector('.desk').dataset.resetMs = 30")
    page.get_by_label("Adresse e-mail ou carte").fill(b.BO)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk}/scan")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", name="Hold your pass up to the camera")).to_be_visible()
    state(page, "looking")


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_fits_and_everything_is_large_enough(before: Callable[..., Page], size: str) -> None:
    page = before(NATIVE, size=size)
    state(page, "looking")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for each in page.locator(".camera :is(a, button):visible").all():
        box = each.bounding_box()
        assert box is not None
        assert box["height"] >= 60
        assert box["width"] >= 60
    accessible(page)
