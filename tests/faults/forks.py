"""Programs started from a process that has imported them already: that takes a few milliseconds instead of a second, so
a thousand of them can be killed.

What runs is the product's own command line, `kiosk …` or `hub …`, in a process group of its own.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn, Self

from tests.faults import broken_programs
from tests.whole.programs import PATIENCE_S, Failed, Hub, Kiosk, Process, Program, environment

_QUIET_PORTS = range(20_000, 32_000)
"""The system gives none of these to somebody who connects: a port stays free while its program is dead."""
_BECOME_A_SUBREAPER = 36


class Forks:
    """The process that forks. Use as a context manager: whatever it started is dead at the end."""

    def __init__(self) -> None:
        self._turn = Lock()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()

    def ask(self, **order: Any) -> Any:
        """Give an order, and wait for what comes of it."""
        with self._turn:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


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


class _FromForks(Program):
    """A program whose processes are forked. `variant` names what is broken in it, if anything."""

    forks: Forks
    variant = ""

    def _fork(self, out: Path, *arguments: str) -> Forked:
        return Forked(self.forks, (self.name, *arguments), self.told, out, self.variant)

    def start(self, *arguments: str) -> Forked:
        return self._fork(self.folder / f"{arguments[0]}.log", *arguments)

    def ask(self, *arguments: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="asked-") as folder:
            out = Path(folder) / "out"
            status = self._fork(out, *arguments, "--json").wait()
            if status != 0:
                raise Failed((self.name, *arguments), status, out.read_text(), Path(f"{out}.err").read_text())
            answer: dict[str, Any] = json.loads(out.read_text())
            return answer

    def began(self) -> Forked:
        """Start to serve, and do not wait."""
        process = self._server = self.start("serve", "--port", str(self.port))
        return process

    def answers(self) -> bool:
        """Whether it is ready now."""
        return self._ready()


class ForkedHub(_FromForks, Hub):
    def __init__(self, forks: Forks, folder: Path, database_url: str) -> None:
        super().__init__(folder, database_url)
        self.forks, self.port = forks, quiet_port()
        self.database_url = database_url


class ForkedKiosk(_FromForks, Kiosk):
    def __init__(self, forks: Forks, folder: Path) -> None:
        super().__init__(folder)
        self.forks, self.port = forks, quiet_port()


def quiet_port() -> int:
    """A port nobody listens on, and that nobody is given by chance."""
    while True:
        port = random.choice(_QUIET_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


# --- in the process that forks


def _main() -> None:
    import ctypes

    # Workers whose master was killed become children of this process, so that it sees them die.
    ctypes.CDLL(None).prctl(_BECOME_A_SUBREAPER, 1, 0, 0, 0)
    _import_everything()
    groups: set[int] = set()
    told: int | None
    for line in sys.stdin:
        order = json.loads(line)
        match order.pop("do"):
            case "start":
                told = started = _start(**order)
                groups.add(started)
            case "look":
                told = _look(order["pid"])
            case "kill":
                groups.discard(order["pid"])
                told = _kill(order["pid"])
        print(json.dumps(told), flush=True)
    for pid in groups:
        _kill(pid)


def _import_everything() -> None:
    from importlib import import_module

    for name in ("hub.cli", "hub.server", "hub.web", "gunicorn.arbiter", "gunicorn.workers.gthread"):
        import_module(name)
    for name in ("kiosk.cli", "kiosk.web", "kiosk.postman", "kiosk.store.roster", "sync.hub_client", "waitress"):
        import_module(name)


def _start(command: list[str], told: dict[str, str], out: str, err: str, variant: str) -> int:
    pid = os.fork()
    if pid == 0:
        _become(command, told, out, err, variant)
    # Both sides do it, so that the group is there whoever comes first.
    with suppress(OSError):
        os.setpgid(pid, pid)
    return pid


def _become(command: list[str], told: dict[str, str], out: str, err: str, variant: str) -> NoReturn:
    status = 70
    try:
        os.setpgid(0, 0)
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        for number, (path, mode) in enumerate(((os.devnull, os.O_RDONLY), (out, append), (err, append))):
            opened = os.open(path, mode, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        os.environ.clear()
        os.environ.update(told)
        random.seed()
        if variant:
            broken_programs.break_it(variant)
        sys.argv = command
        _program(command[0])(command[1:])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _program(name: str) -> Callable[[list[str]], None]:
    if name == "hub":
        from hub.cli import main as hub_main

        return hub_main
    from kiosk.cli import main as kiosk_main

    return kiosk_main


def _look(pid: int) -> int | None:
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return -signal.SIGKILL
    return os.waitstatus_to_exitcode(status) if ended else None


def _kill(pid: int) -> int:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-pid, 0)
    return -signal.SIGKILL


if __name__ == "__main__":
    _main()
