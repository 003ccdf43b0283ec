"""Programs started from a process that has imported them already: that takes a few milliseconds instead of a second, so
a thousand of them can be killed, and ten thousand asked.

What runs is the product's own command line, `kiosk …` or `hub …`, in a process group of its own.
"""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, NoReturn, Self

from tests.faults import broken_programs

_PATIENCE_S = 90
_BECOME_A_SUBREAPER = 36


class Forks:
    """The process that forks. Use as a context manager: whatever it started is dead at the end."""

    def __init__(self) -> None:
        self._turn = Lock()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks"],
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
        self._process.wait(_PATIENCE_S)
        self._process.stdout.close()

    def ask(self, **order: Any) -> Any:
        """Give an order, and wait for what comes of it."""
        with self._turn:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


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
