"""A Chromium before a desk: keys go in as from a hand or a scanner, and the page says when the answer was there."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""How our Chromium is started: as root, without a screen, and without asking anybody anything."""
TABLET = {"width": 1024, "height": 768}

HAND_S = 0.12
SCANNER_S = 0.001
"""From one key to the next."""

PATIENCE_S = 60

_LISTEN = """
() => {
  const verdict = document.querySelector("#verdict");
  const asked = [];
  window.answers = [];
  addEventListener("keydown", (event) => event.key === "Enter" && asked.push(event.timeStamp), true);
  new MutationObserver(() => {
    const shown = verdict.querySelector("[data-verdict]");
    if (!shown) return;
    const begun = asked.shift();
    const greeting = shown.querySelector(".greeting").textContent;
    requestAnimationFrame(() => {
      window.answers.push([shown.dataset.verdict, greeting, performance.now() - begun]);
      document.body.dataset.answers = window.answers.length;
    });
  }).observe(verdict, { childList: true });
}
"""


class Missing(Exception):
    """What a part needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict as somebody saw it. `ms`: from the press of Enter to the frame that shows it."""

    verdict: str
    greeting: str
    ms: float

    def says(self, verdict: str, name: str) -> bool:
        """Whether this is that verdict, for somebody of that name."""
        return self.verdict == verdict and name in self.greeting


class Desk:
    """The page of a desk. Its answers come in the order in which they were asked for."""

    def __init__(self, page: Page, port: int) -> None:
        self._page = page
        self._keys = page.context.new_cdp_session(page)
        page.goto(f"http://127.0.0.1:{port}/", wait_until="networkidle")
        page.evaluate(_LISTEN)

    def enter(self, text: str, pace_s: float) -> None:
        """Letters at that pace, then Enter. They do not take that long: the page reads the pace from their times, which
        end now; Enter carries its own time, so that nothing is measured but the page."""
        begun = time.time() - len(text) * pace_s
        for nth, letter in enumerate(text):
            self._press(key=letter, text=letter, timestamp=begun + nth * pace_s)
        self._press(key="Enter", text="\r", code="Enter", windowsVirtualKeyCode=13)

    def answers(self, number: int) -> list[Answer]:
        """All answers so far, as soon as there are so many of them; fewer when they do not come within a minute."""
        there = self._page.locator(f"body[data-answers='{number}']")
        with suppress(TimeoutError):
            there.wait_for(state="attached", timeout=1000 * PATIENCE_S)
        return [Answer(*each) for each in self._page.evaluate("window.answers")]

    def wait_until(self, moment: float) -> None:
        """Up to a time of `time.perf_counter`; the browser is heard meanwhile."""
        self._page.wait_for_timeout(max(0.0, 1000 * (moment - time.perf_counter())))

    def _press(self, **event: Any) -> None:
        for kind in ("keyDown", "keyUp"):
            self._keys.send("Input.dispatchKeyEvent", {"type": kind, **event})


@contextmanager
def chromium() -> Iterator[Browser]:
    """Up to the end of the block. Raises `Missing`."""
    path = shutil.which("chromium")
    if path is None:
        raise Missing("no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """Of somebody who was never there before."""
    return browser.new_context(viewport=TABLET).new_page()  # type: ignore[arg-type]
