"""The two programs as people run them: commands, servers on free ports, and ways to end them politely or not."""

import atexit
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

import requests

from hub.database import Row, connect, reading
from hub.schema import facts
from tests.forks import Forks

BIN = Path(sys.executable).parent
PATIENCE_S = 90
"""A machine that does other things as well is no reason to fail."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait until it is so; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"in vain waited for: {what}"
        time.sleep(0.02)


def environment(told: Mapping[str, str]) -> dict[str, str]:
    """This one, but for settings of other hubs and kiosks and of proxies."""
    foreign = ("HUB_", "KIOSK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} | dict(told)


class Failed(Exception):
    """A command ended with another status than 0."""

    def __init__(self, command: tuple[str, ...], status: int, out: str, err: str) -> None:
        super().__init__(f"{' '.join(command)} ended with {status}: {err}")
        self.status = status
        self.out = out


class Process:
    """A program that runs until ended, in a group of its own."""

    def __init__(self, command: tuple[str, ...], told: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [BIN / command[0], *command[1:]],
                env=environment(told),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self.kill()

    def kill(self) -> None:
        """End all of its group at once, whatever it is doing."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)


class Forked(Process):
    """A forked program that runs until ended."""

    def __init__(self, forks: Forks, command: tuple[str, ...], told: dict[str, str], out: Path, variant: str) -> None:
        self.log = out
        self._forks = forks
        self._status: int | None = None
        self._pid: int = forks.ask(
            do="start", command=command, told=environment(told), out=str(out), err=f"{out}.err", variant=variant
        )

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def status(self) -> int | None:
        """How it ended, or None while it runs."""
        if self._status is None:
            self._status = self._forks.ask(do="look", pid=self.pid)
        return self._status

    @property
    def runs(self) -> bool:
        return self.status is None

    def wait(self) -> int:
        """Wait for its end; how it ended."""
        deadline = time.monotonic() + PATIENCE_S
        while (status := self.status) is None:
            assert time.monotonic() < deadline, f"{self.log} never ends"
            # It is no child of this process: nobody tells when it has ended.
            time.sleep(0.003)
        return status

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        self.wait()
        self.kill()

    def kill(self) -> None:
        """End all of its group at once, and wait until nobody of it is left."""
        self._forks.ask(do="kill", pid=self.pid)
        self._status = self._status or -signal.SIGKILL


@cache
def _forks_of_this_run() -> Forks:
    """One process for the commands of all programs. It is gone at the end."""
    ended = ExitStack()
    atexit.register(ended.close)
    return ended.enter_context(Forks())


class Program(ABC):
    """A program with its folder and port; `serve` may be called again after every end.

    What serves is started as people start it. Commands come from `forks`, since most of the time they take is Python's.
    `variant` names what is broken in them, if anything.
    """

    name = ""
    variant = ""

    def __init__(self, folder: Path, forks: Forks | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.forks = forks or _forks_of_this_run()
        self.port = free_port()
        self._server: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    @abstractmethod
    def told(self) -> dict[str, str]:
        """What the program is told by its environment."""

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Run a command to its end and read its JSON. Raises `Failed`."""
        with tempfile.TemporaryDirectory(prefix="asked-") as folder:
            out = Path(folder) / "out"
            status = self._fork(out, *arguments, "--json").wait()
            if status != 0:
                raise Failed((self.name, *arguments), status, out.read_text(), Path(f"{out}.err").read_text())
            answer: dict[str, Any] = json.loads(out.read_text())
            return answer

    def _fork(self, out: Path, *arguments: str) -> Forked:
        return Forked(self.forks, (self.name, *arguments), self.told, out, self.variant)

    def start(self, *arguments: str) -> Process:
        """Start a command and go on without waiting for it."""
        return Process((self.name, *arguments), self.told, self.folder / f"{arguments[0]}.log")

    def serve(self, *options: str) -> Self:
        """Serve, unless it does already."""
        if self._server is None or not self._server.runs:
            server = self._server = self.start("serve", "--port", str(self.port), *options)
            eventually(lambda: not server.runs or self._ready(), f"{self.name} to be ready")
            assert server.runs, server.log.read_text("utf-8")
        return self

    def stop(self) -> None:
        """As a service manager does."""
        if self._server is not None:
            self._server.terminate()
            self._server = None

    def kill(self) -> None:
        """As a power cut does."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Hub(Program):
    """A hub with one institution."""

    name = "hub"

    def __init__(self, folder: Path, database_url: str, forks: Forks | None = None) -> None:
        super().__init__(folder, forks)
        self._database_url = database_url

    @property
    def told(self) -> dict[str, str]:
        return {"HUB_DATA_DIR": str(self.folder), "HUB_DATABASE_URL": self._database_url, "HUB_URL": self.url}

    def count(self, session_id: str) -> tuple[int, int]:
        """How many are checked in, and how many check-ins are parked."""
        told = self.ask("count", session_id)
        return told["checked_in"], told["parked"]

    def facts(self, session_id: str) -> list[Row]:
        """What the hub holds about a session, in the order of its moments."""
        engine = connect(self._database_url)
        try:
            with reading(engine) as conn:
                of_session = facts.select().where(facts.c.session_id == UUID(session_id))
                return [dict(row) for row in conn.execute(of_session.order_by(facts.c.occurred_at)).mappings()]
        finally:
            engine.dispose()


class Kiosk(Program):
    """A kiosk; it is enrolled with a hub before its desk opens."""

    name = "kiosk"

    @property
    def told(self) -> dict[str, str]:
        return {"KIOSK_DATA_DIR": str(self.folder)}

    def enrol(self, hub: Hub, url: str | None = None) -> Self:
        """Become a kiosk of that hub, which it reaches at `url`, and fetch its list."""
        code = hub.ask("kiosks", "invite")["code"]
        self.ask("enrol", url or hub.url, code)
        self.post()
        return self

    def post(self) -> dict[str, Any]:
        """One exchange; what came of it, also when it failed."""
        try:
            return self.ask("post", "--once")
        except Failed as failed:
            told: dict[str, Any] = json.loads(failed.out)
            assert told["problem"] is not None
            return told

    def status(self) -> dict[str, Any]:
        return self.ask("status")

    def desk(self) -> "Desk":
        return Desk(self.port)

    def browser(self) -> "Browser":
        return Browser(self.url)

    def staff(self, pin: str) -> "Browser":
        """Staff who have unlocked the desk."""
        browser = self.browser()
        assert browser.unlock(pin).status == 200
        return browser


class Desk:
    """Somebody at the kiosk: a client of its HTTP that keeps one connection. Use as a context manager."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def check_in(self, session_id: str, identifier: str, intent_id: str | None = None) -> dict[str, Any]:
        """What the kiosk answers. Raises OSError or HTTPException when it does not."""
        return self._say(f"/sessions/{session_id}/check-ins", identifier, intent_id)

    def check_out(self, session_id: str, identifier: str) -> dict[str, Any]:
        """The same for somebody who leaves."""
        return self._say(f"/sessions/{session_id}/check-outs", identifier)

    def _say(self, path: str, identifier: str, intent_id: str | None = None) -> dict[str, Any]:
        form = {"identifier": identifier} | ({"intent_id": intent_id} if intent_id else {})
        self._http.request(
            "POST",
            path,
            body=urlencode(form),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "X-Kiosk-Client": "test",
            },
        )
        response = self._http.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        assert response.status == (503 if answer["verdict"] == "not_recorded" else 200), answer
        return answer


@dataclass
class Form:
    """A form as it came: where it goes, and what is filled in already."""

    action: str
    filled: dict[str, str] = field(default_factory=dict)


@dataclass
class Shown:
    """A page in a browser: `words` as somebody reads them, `source` as it came."""

    status: int
    source: str
    words: str
    forms: list[Form]

    def form(self, action: str) -> Form:
        """The only form on the page whose action contains this."""
        found = self.forms_to(action)
        assert len(found) == 1, [each.action for each in self.forms]
        return found[0]

    def forms_to(self, action: str) -> list[Form]:
        """The forms on the page whose action contains this, in their order."""
        return [each for each in self.forms if action in each.action]


class Browser:
    """A browser without JavaScript before the desk. It keeps its cookies, follows redirects, and sends forms only as it
    was shown them. Use as a context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def open(self, path: str) -> Shown:
        return _shown(self._http.get(self._url + path, timeout=PATIENCE_S))

    def send(self, form: Form, **typed: str) -> Shown:
        """The form with what is filled in and what was typed."""
        return _shown(self._http.post(self._url + form.action, data=form.filled | typed, timeout=PATIENCE_S))

    def unlock(self, pin: str) -> Shown:
        return self.send(self.open("/staff/").form("/staff/unlock"), pin=pin)

    def stand_at(self, session_id: str, leaving: bool = False) -> None:
        """Choose the session of this desk: for those who come, or for those who leave."""
        chosen = {"leaving" if leaving else "session_id": session_id}
        assert self.send(self.open("/sessions").form("/sessions"), **chosen).status == 200

    def undo(self, fact_id: str) -> Shown:
        return self.send(self.open("/staff/recent").form(f"/{fact_id}/undo"))


def _shown(response: requests.Response) -> Shown:
    reader = _Page()
    reader.feed(response.text)
    return Shown(response.status_code, unescape(response.text), " ".join("".join(reader.said).split()), reader.forms)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.forms: list[Form] = []
        self._inside = False

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append(Form(given.get("action") or ""))
            self._inside = True
        elif tag == "input" and self._inside and given.get("name"):
            self.forms[-1].filled[given["name"] or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
