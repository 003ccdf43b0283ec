"""A scanner that waits for nobody, and a disk that keeps everybody waiting."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk.store.journal import Journal
from tests.browser.conftest import Serve
from tests.browser.test_the_desk_in_chromium import scan
from tests.kiosk import builders as b

SCANS = 600
HELD_S = 0.03
"""How long somebody else keeps the journal, again and again."""

_LISTEN = """
() => {
  window.answers = [];
  const verdict = document.querySelector("#verdict");
  new MutationObserver(() => {
    const shown = verdict.querySelector("[data-verdict]");
    if (!shown) return;
    window.answers.push([shown.dataset.verdict, shown.querySelector(".greeting").innerText]);
    document.body.dataset.answers = window.answers.length;
  }).observe(verdict, { childList: true });
}
"""


@pytest.fixture
def slow_journal(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """From its call on, another program writes to the journal for half of the time."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def hold() -> None:
        with sqlite3.connect(tmp_path / "kiosk" / "journal.sqlite", isolation_level=None, timeout=30) as db:
            while not stop.is_set():
                db.execute("BEGIN IMMEDIATE")
                stop.wait(HELD_S)
                db.execute("COMMIT")
                stop.wait(HELD_S)
        db.close()

    def begin() -> None:
        threads.append(threading.Thread(target=hold))
        threads[0].start()

    yield begin
    stop.set()
    for each in threads:
        each.join()


@pytest.mark.timeout(300)
def test_six_hundred_scans_over_a_slow_disk_get_six_hundred_right_answers(
    serve: Serve, open_page: Callable[..., Page], slow_journal: Callable[[], None], tmp_path: Path
) -> None:
    students = [b.Student(f"Student {number}", (f"s{number}@ex.edu",)) for number in range(SCANS // 2)]
    b.set_up(tmp_path / "kiosk", students)
    page = open_page()
    page.goto(serve())
    page.evaluate(_LISTEN)
    slow_journal()
    expected = []
    for number, student in enumerate(students):
        # Each one comes, and then the one before comes a second time.
        before = students[number - 1] if number else student
        for who, verdict in ((student, "welcome"), (before, "already_in")):
            scan(page, who.emails[0])
            expected.append((verdict, who.greeting))
    expect(page.locator(f"body[data-answers='{SCANS}']")).to_be_attached(timeout=240_000)
    answers = page.evaluate("window.answers")
    assert [code for code, _ in answers] == [code for code, _ in expected]
    assert all(name in said for (_, said), (_, name) in zip(answers, expected, strict=True))
    journal = Journal(tmp_path / "kiosk" / "journal.sqlite")
    assert journal.marks().head_seq == SCANS // 2
    journal.close()
