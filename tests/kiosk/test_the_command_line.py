"""`kiosk …` as people and scripts use it."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from uuid_utils.compat import uuid7

from kiosk import postman
from kiosk.cli import main
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange, Standing
from sync.messages import Rehearsal, encode
from tests.kiosk import builders as b


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))
    for name in ("KIOSK_LANGUAGE", "KIOSK_TIMEZONE", "KIOSK_HOST", "KIOSK_PORT"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def told(result: Result) -> dict[str, object]:
    """The one JSON object, and nothing else, on stdout."""
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


class Answering(ThreadingHTTPServer):
    """Says the same to everybody."""

    daemon_threads = True
    said: tuple[int, str, bytes] = (200, "text/html", b"<html>Welcome to our Wi-Fi</html>")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        status, kind, body = self.server.said
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def somebody() -> Iterator[Answering]:
    """Something that answers at an address. A public Wi-Fi's page, unless told otherwise."""
    server = Answering(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def enrolled(folder: Path, url: str = "http://127.0.0.1:9") -> None:
    journal = Journal(folder / "journal.sqlite")
    journal.enrolled(Standing(url, b.standing().enrolled))
    journal.close()


def test_enrol_keeps_what_the_hub_gives(somebody: Answering, folder: Path) -> None:
    somebody.said = (201, "application/json", encode(b.standing().enrolled))
    result = run("enrol", somebody.url + "/", "K7QF", "--json")
    assert result.exit_code == 0
    assert told(result) == {"kiosk_id": str(b.KIOSK_ID)}
    journal = Journal(folder / "journal.sqlite")
    assert journal.standing() == Standing(somebody.url, b.standing().enrolled)
    journal.close()


def test_an_enrolled_kiosk_is_not_enrolled_again(somebody: Answering, folder: Path) -> None:
    enrolled(folder)
    result = run("enrol", somebody.url, "K7QF")
    assert result.exit_code == 1
    assert "already_enrolled" in result.stderr
    assert "KIOSK_DATA_DIR" in result.stderr


@pytest.fixture(params=["device_unknown", "device_revoked", "hub_not_trusted"])
def lost(request: pytest.FixtureRequest, folder: Path) -> str:
    """A kiosk with a check-in, and what came of its last exchange."""
    b.set_up(folder)
    journal = Journal(folder / "journal.sqlite")
    with journal.writing() as page:
        page.append(Rehearsal(id=uuid7(), session_id=b.FAIR, at=b.moment()))
    journal.note(Exchange(at=b.NOON, problem=request.param, withdrawn=request.param == "device_revoked"))
    journal.close()
    return str(request.param)


def test_a_lost_kiosk_is_enrolled_again_at_its_own_hub(lost: str, somebody: Answering, folder: Path) -> None:
    again = replace(b.standing().enrolled, kiosk_id=UUID(int=8), token="another token")
    somebody.said = (201, "application/json", encode(again))
    assert run("enrol", somebody.url, "K7QF").exit_code == 0
    journal = Journal(folder / "journal.sqlite")
    here = journal.remembered()
    assert here.standing == Standing(somebody.url, again)
    assert (journal.marks().waiting, here.withdrawn, here.exchange and here.exchange.problem) == (1, False, None)
    journal.close()


@pytest.mark.parametrize("other", [{"hub_id": UUID(int=9)}, {"hub_key": bytes(32)}], ids=["hub", "institution"])
def test_a_lost_kiosk_gives_nothing_to_another(
    lost: str, other: dict[str, Any], somebody: Answering, folder: Path
) -> None:
    somebody.said = (201, "application/json", encode(replace(b.standing().enrolled, **other)))
    result = run("enrol", somebody.url, "K7QF")
    assert (result.exit_code, "another_hub" in result.stderr, "KIOSK_DATA_DIR" in result.stderr) == (1, True, True)
    journal = Journal(folder / "journal.sqlite")
    assert journal.standing() == b.standing()
    journal.close()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("https://hub.example", "K7QF", "--ca", "zz"), 2, "not_a_fingerprint"),
        (("http://hub.example", "K7QF", "--ca", "00" * 32), 2, "https://"),
    ],
)
def test_an_authority_that_makes_no_sense_is_wrong_usage(words: tuple[str, ...], status: int, said: str) -> None:
    result = run("enrol", *words)
    assert (result.exit_code, said in result.stderr) == (status, True)


def test_a_wifi_page_is_not_a_hub(somebody: Answering) -> None:
    result = run("enrol", somebody.url, "K7QF")
    assert result.exit_code == 1
    assert "not a hub" in result.stderr


def test_a_code_that_is_refused_says_how_to_get_another(somebody: Answering) -> None:
    problem = {
        "type": "about:blank",
        "title": "no",
        "status": 403,
        "code": "code_refused",
        "hub_id": str(b.HUB_ID),
    }
    somebody.said = (403, "application/problem+json", json.dumps(problem).encode())
    result = run("enrol", somebody.url, "K7QF")
    assert result.exit_code == 1
    assert "hub kiosks invite" in result.stderr


def test_what_is_no_address_is_wrong_usage() -> None:
    assert run("enrol", "hub.example.edu", "K7QF").exit_code == 2


def test_status_of_a_new_kiosk() -> None:
    answer = told(run("status", "--json"))
    assert UUID(str(answer["stream_id"])).version == 7
    assert answer["kiosk_id"] is None
    assert answer["roster"] == {"people": 0, "position": 0, "age_s": None}
    assert (answer["head_seq"], answer["acked_seq"], answer["waiting"]) == (0, 0, 0)


def test_status_of_a_kiosk_at_work(folder: Path) -> None:
    b.set_up(folder)
    answer = told(run("status", "--json"))
    assert answer["kiosk_id"] == str(b.KIOSK_ID)
    assert answer["roster"] == {"people": 3, "position": 6, "age_s": None}
    assert "3 people" in run("status").stdout


def test_post_needs_an_enrolled_kiosk() -> None:
    result = run("post", "--once", "--json")
    assert result.exit_code == 1
    assert told(result)["problem"] == "not_enrolled"
    assert "kiosk enrol" in result.stderr


@pytest.mark.parametrize("gone", [True, False])
def test_post_once_with_a_problem_still_prints_its_figures(somebody: Answering, folder: Path, gone: bool) -> None:
    enrolled(folder, "http://127.0.0.1:9" if gone else somebody.url)
    result = run("post", "--once", "--json")
    assert result.exit_code == 1
    assert told(result) == {
        "sent": 0,
        "acked": 0,
        "waiting": 0,
        "received": 0,
        "problem": "hub_unreachable" if gone else "not_our_hub",
    }


def test_a_second_postman_is_told_there_is_one(folder: Path) -> None:
    enrolled(folder)
    with postman.only_one(folder):
        result = run("post", "--once")
    assert result.exit_code == 1
    assert "Another postman" in result.stderr


def test_a_damaged_journal_comes_with_the_way_out(folder: Path) -> None:
    folder.mkdir()
    (folder / "journal.sqlite").write_bytes(b"ruined" * 1000)
    for words in (["status"], ["enrol", "http://h.example", "c"]):
        result = run(*words)
        assert result.exit_code == 1
        assert "store_damaged" in result.stderr
        assert "kiosk salvage" in result.stderr


def test_another_program_s_file_comes_with_the_way_out(folder: Path) -> None:
    folder.mkdir()
    conn = sqlite3.connect(folder / "journal.sqlite")
    conn.execute("CREATE TABLE recipes (name TEXT)")
    conn.close()
    for words in (["salvage"], ["post", "--once"]):
        result = run(*words)
        assert result.exit_code == 1
        assert "another program" in result.stderr
        assert "mv " in result.stderr


def test_a_journal_from_a_newer_version_comes_with_the_way_out(folder: Path) -> None:
    enrolled(folder)
    conn = sqlite3.connect(folder / "journal.sqlite")
    conn.execute("PRAGMA user_version = 99")
    conn.close()
    result = run("status")
    assert result.exit_code == 1
    assert "newer version" in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KIOSK_LANGUAGE", "de"),
        ("KIOSK_TIMEZONE", "Mars/Olympus"),
        ("KIOSK_PORT", "99999"),
        ("KIOSK_PORT", "http"),
        ("KIOSK_RESET_SECONDS", "-1"),
        ("KIOSK_DATA_DIR", __file__),
    ],
)
def test_a_wrong_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    result = run("status")
    assert result.exit_code == 2
    assert name in result.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["post", "--help"], ["-h"]])
def test_help_and_version_answer(words: list[str]) -> None:
    assert run(*words).exit_code == 0


def test_a_port_in_use_says_so(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        # A process of its own: waitress leaves a socket behind when it cannot listen.
        result = subprocess.run(
            [sys.executable, "-m", "kiosk", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
        )
    assert result.returncode == 1
    assert "in use" in result.stderr
    assert "--port" in result.stderr


def test_serve_answers_and_ends_when_told(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "kiosk", "serve", "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        assert f"http://127.0.0.1:{port}" in server.stderr.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


def test_the_postman_ends_at_once_when_told(folder: Path) -> None:
    enrolled(folder)
    with subprocess.Popen([sys.executable, "-m", "kiosk", "post"], stderr=subprocess.PIPE, text=True) as walk:
        assert walk.stderr is not None
        assert "hub_unreachable" in walk.stderr.readline()
        walk.send_signal(signal.SIGTERM)
        assert walk.wait(30) == 0


def test_serving_a_desk_needs_no_http_client() -> None:
    script = (
        "import sys, kiosk.cli, kiosk.web;"
        "print([name for name in ('requests', 'qrcode', 'sqlalchemy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
