"""`make demo`, started for real with few students."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from scripts import demo
from scripts.demo_programs import Trouble
from scripts.sample import students

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120

pytestmark = pytest.mark.timeout(400)


class Demo:
    """A running demo. `text`: what it has printed so far."""

    def __init__(self, folder: Path, hub_port: int, kiosk_port: int) -> None:
        self.hub_port, self.kiosk_port = hub_port, kiosk_port
        self._out = folder.with_suffix(f".{time.monotonic_ns()}.out")
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.demo"],
                cwd=ROOT,
                env=os.environ
                | {
                    "DEMO_DIR": str(folder),
                    "HUB_PORT": str(hub_port),
                    "KIOSK_PORT": str(kiosk_port),
                    "DEMO_STUDENTS": "200",
                    # As if this shell had worked on a real hub before.
                    "HUB_DATABASE_URL": "postgresql://real.example/hub",
                    "KIOSK_DATA_DIR": "/nowhere/kiosk",
                },
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self._out.read_text("utf-8")

    def wait_for(self, words: str) -> None:
        eventually(lambda: words in self.text or self.process.poll() is not None, lambda: f"{words!r}:\n{self.text}")
        assert words in self.text, self.text

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end(self, number: int = signal.SIGINT) -> int:
        """As Ctrl-C does; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def pids(self) -> list[int]:
        """Every program it has started, and what those have started."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parent = {int(pid): int(ppid) for pid, ppid in (line.split() for line in listed.splitlines())}
        found = [self.process.pid]
        for each in found:
            found += [pid for pid, ppid in parent.items() if ppid == each]
        return found[1:]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Demo]]:
    """Starts a demo, each time on the same folder and ports."""
    ports = free_ports()
    with ExitStack() as ended:

        def begin() -> Demo:
            running = Demo(tmp_path / "demo", *ports)
            ended.callback(_end_all, running)
            return running

        yield begin


def _end_all(running: Demo) -> None:
    if running.process.poll() is None:
        running.end(signal.SIGTERM)
    if running.process.stdin is not None:
        with suppress(BrokenPipeError):
            running.process.stdin.close()


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def eventually(true: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"in vain waited for {what()}"
        time.sleep(0.05)


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def check_in(port: int, session_id: str, identifier: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            "POST",
            f"/sessions/{session_id}/check-ins",
            body=f"identifier={identifier}",
            headers={
                "Accept": "application/json",
                "X-Kiosk-Client": "test",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        return str(json.loads(connection.getresponse().read())["verdict"])
    finally:
        connection.close()


def sign_in(port: int, password: str) -> int:
    """What the office's first page answers to whoever signs in as the demo says."""
    office = f"http://127.0.0.1:{port}"
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(f"{office}/login", timeout=30).text
        token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[0]
        form = {"email": demo.ADMIN, "password": password, "csrf_token": token}
        browser.post(f"{office}/login", data=form, timeout=30)
        return browser.get(f"{office}/", allow_redirects=False, timeout=30).status_code


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def cut_short(running: Demo) -> None:
    """Kills it before everything is made."""
    running.wait_for("is set up")
    started = running.pids()
    running.process.kill()
    running.process.wait(PATIENCE_S)
    # Killed like this it could end nobody; a command that was under way ends by itself.
    eventually(lambda: all(map(is_gone, started)), lambda: f"the end of {started}")


def test_a_demo_cut_short_is_made_again_opens_both_doors_and_leaves_nothing_running_and_the_next_one_goes_on(
    start: Callable[[], Demo], tmp_path: Path
) -> None:
    # One test, for a demo that is made from nothing takes a dozen commands.
    cut_short(start())
    assert not (tmp_path / "demo" / demo.DONE).exists()

    first = start()
    first.wait_for("Ctrl-C")
    assert "200 of 200 students imported" in first.text
    assert get(first.hub_port, "/login")[0] == 200
    made = json.loads((tmp_path / "demo" / demo.DONE).read_text())
    status, desk = get(first.kiosk_port, "/")
    assert status == 200
    assert "Welcome reception" in desk
    assert f"/sessions/{made['reception']}/check-ins" in desk
    password = tmp_path / "demo" / "password.txt"
    assert password.stat().st_mode & 0o777 == 0o600
    assert password.read_text().strip() in first.text
    pin = tmp_path / "demo" / "pin.txt"
    assert (pin.stat().st_mode & 0o777, len(pin.read_text().strip())) == (0o600, 6)
    assert f"staff unlock it with {pin.read_text().strip()}" in first.text
    assert sign_in(first.hub_port, password.read_text().strip()) == 200

    session_id = made["reception"]
    for example, verdict in zip(
        made["examples"],
        ["welcome", "welcome", "already_in", "welcome", "welcome", "welcome", "see_staff", "noted"],
        strict=True,
    ):
        typed = example["text"].replace(";", "%3B").replace("=", "%3D")
        assert check_in(first.kiosk_port, session_id, typed) == verdict, example

    first.type("hub")
    first.wait_for("the hub is stopped")
    known = next(each for each in reversed(list(students(200))) if not each.disabled)
    assert check_in(first.kiosk_port, session_id, known.school_emails[0]) == "welcome"
    first.type("hub")
    first.wait_for("the hub is back")

    started = first.pids()
    assert len(started) >= 4, "hub with a worker, kiosk, postman"
    assert first.end() == 0
    eventually(lambda: all(map(is_gone, started)), lambda: f"the end of {started}")

    second = start()
    second.wait_for("Ctrl-C")
    assert "200 students are there from an earlier start" in second.text
    assert "imported" not in second.text
    assert "today's events are there" not in second.text
    assert f"staff unlock it with {pin.read_text().strip()}" in second.text
    assert check_in(second.kiosk_port, session_id, known.school_emails[0]) == "already_in"

    started = second.pids()
    hub_and_worker = [pid for pid in started if f"--port {second.hub_port}" in _command(pid)]
    assert len(hub_and_worker) >= 2, [_command(pid) for pid in started]
    for pid in hub_and_worker:
        os.kill(pid, signal.SIGKILL)
    assert second.process.wait(PATIENCE_S) == 1
    assert "hub has ended with status -9" in second.text
    eventually(lambda: all(map(is_gone, started)), lambda: f"the end of {started}")

    third = start()
    third.wait_for("are there from an earlier start")
    started = third.pids()
    assert third.end(signal.SIGTERM) == 0
    eventually(lambda: all(map(is_gone, started)), lambda: f"the end of {started}")


def _command(pid: int) -> str:
    # Without -ww a terminal's width, which CI may set, cuts the line before the port.
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("variable", ["HUB_PORT", "KIOSK_PORT"])
def test_a_port_in_use_is_said_by_the_name_of_its_variable_before_anything_is_made(
    variable: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        hub_port, kiosk_port = free_ports()
        told = {"HUB_PORT": str(hub_port), "KIOSK_PORT": str(kiosk_port), "DEMO_DIR": str(tmp_path / "demo")}
        done = subprocess.run(
            [sys.executable, "-m", "scripts.demo"],
            cwd=ROOT,
            env=os.environ | told | {variable: str(taken.getsockname()[1])},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"make demo {variable}=" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    "told",
    [{"HUB_PORT": "eight"}, {"KIOSK_PORT": "0"}, {"DEMO_STUDENTS": "5"}, {"HUB_PORT": "8042", "KIOSK_PORT": "8042"}],
)
def test_a_setting_that_cannot_be_used_is_named(told: dict[str, str]) -> None:
    with pytest.raises(Trouble, match=next(iter(told))):
        demo.read_settings(told)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Trouble, match="Choose an empty folder"), demo.only_one(tmp_path):
        pass
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with demo.only_one(tmp_path), pytest.raises(Trouble, match="Another demo"), demo.only_one(tmp_path):
        pass


def test_settings_of_a_real_hub_or_kiosk_do_not_get_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HUB_DATABASE_URL", "HUB_SECRET_KEY", "KIOSK_HOST"):
        monkeypatch.setenv(name, "real")
    monkeypatch.setenv("KIOSK_LANGUAGE", "fr")
    told = demo.environment(demo.Settings(tmp_path, 8042, 8043, 100))
    assert {name for name in told if name.startswith(("HUB_", "KIOSK_"))} == {
        *("HUB_DATA_DIR", "HUB_URL", "HUB_TIMEZONE"),
        *("KIOSK_DATA_DIR", "KIOSK_TIMEZONE", "KIOSK_LANGUAGE"),
    }
