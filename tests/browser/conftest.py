"""A real Chromium before a real desk. Whatever it complains about fails the test."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from waitress import create_server, wasyncore
from werkzeug.serving import WSGIRequestHandler

from bench.chromium import ARGS
from kiosk import create_app
from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.store.remembered import Phones
from tests.kiosk import builders as b

CHROMIUM = shutil.which("chromium")
SIZES = {"tablet": (1024, 768), "phone": (390, 844), "laptop": (1280, 800)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no chromium on PATH"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": ARGS,
    }


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


def until(page: Page, condition: str) -> None:
    """Waits in the page for a condition. Playwright's own way evaluates a text there, which our policy forbids."""
    page.evaluate(
        f"() => new Promise((done) => {{ const look = () => ({condition}) ? done() : setTimeout(look, 20); look(); }})"
    )


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of the app behind the server that `kiosk serve` has."""
    server = create_server(app, host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    while server.task_dispatcher.threads:
        server.task_dispatcher.shutdown()

    def hang_up() -> None:
        for channel in list(server.active_channels.values()):
            # A page may be gone before it has all of a script: closed alone, a channel forgets to close that file.
            channel.handle_close()
        wasyncore.close_all(server._map, ignore_all=True)

    server.trigger.pull_trigger(hang_up)
    thread.join()
    app.extensions["desk"].close()


Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves the desk of a folder and gives its address."""

    def start(reset_s: float = 60, folder: Path = tmp_path / "kiosk", **settings: Any) -> str:
        app = create_app(Config(data_dir=folder, reset_s=reset_s, **settings))
        return running.enter_context(served(app))

    with ExitStack() as running:
        yield start


@pytest.fixture
def desk(serve: Serve, tmp_path: Path) -> str:
    """The address of a desk at the fair that shows a verdict for a minute."""
    b.set_up(tmp_path / "kiosk")
    return serve()


@dataclass
class Hall:
    """A desk that serves phones, as students find it."""

    app: Flask
    desk: str
    folder: Path

    @property
    def journal(self) -> Journal:
        journal: Journal = self.app.extensions["desk"].journal
        return journal


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    folder = tmp_path / "kiosk"
    b.set_up(folder)
    app = create_app(Config(data_dir=folder, reset_s=60, phone_host="127.0.0.1", phone_port=0))
    with served(app) as desk:
        hall = Hall(app, desk, folder)
        hall.journal.serve_phones(Phones(on=True, address="127.0.0.1"))
        app.extensions["phone_line"].open()
        yield hall
        app.extensions["phone_line"].close()


@dataclass
class Complaints:
    """What the browser had to say. `expected` texts are part of what a test provokes."""

    said: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def left(self) -> list[str]:
        return [each for each in self.said if not any(known in each for known in self.expected)]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


_WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
    console.error("policy: " + event.violatedDirective + " " + event.blockedURI));
"""


@pytest.fixture
def open_page(browser: Browser, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """Opens pages that are watched; at the end nothing may have been complained about."""
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        # Chromium also tells, as information, that a scanner was quicker than the page's own focus.
        if message.type in ("error", "warning"):
            complaints.said.append(message.text)

    def new(size: str = "tablet", **kwargs: Any) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, **kwargs)
        contexts.append(context)
        context.add_init_script(_WATCH_POLICY)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.said.append(str(error)))
        return page

    yield new
    for context in contexts:
        context.close()
    assert complaints.left() == []
