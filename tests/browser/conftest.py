"""A real Chromium before a real desk. Whatever it complains about fails the test."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from kiosk import create_app
from kiosk.config import Config
from kiosk.store.journal import Journal, Phones
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
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves the desk of a folder and gives its address."""
    running: list[Callable[[], None]] = []

    def start(reset_s: float = 60, folder: Path = tmp_path / "kiosk", **settings: Any) -> str:
        app = create_app(Config(data_dir=folder, reset_s=reset_s, **settings))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()
            app.extensions["desk"].close()

        running.append(stop)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for stop in running:
        stop()


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
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hall = Hall(app, f"http://127.0.0.1:{server.server_port}", folder)
    hall.journal.serve_phones(Phones(on=True, address="127.0.0.1"))
    app.extensions["phone_line"].open()
    yield hall
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["phone_line"].close()
    app.extensions["desk"].close()


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
