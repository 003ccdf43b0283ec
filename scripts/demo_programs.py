"""Programs the demo runs: each in a process group of its own, so that all of it can be ended and nothing is left."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_S = 60
"""Longest wait for a program to answer; a small computer that has just been switched on takes its time."""
_GRACE_S = 5
_LOOK_S = 0.05
_LAST_LINES = 20


class Trouble(Exception):
    """The demo cannot go on, and why, for people."""


class Stopped(Exception):
    """Somebody asked for the end."""


@dataclass(frozen=True, slots=True)
class _Program:
    process: subprocess.Popen[str]
    log: Path | None = None

    def signal(self, number: int) -> None:
        # macOS says "not permitted" of a group whose last member has ended.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


class Programs:
    """Everything that runs for the demo. Use as a context manager: at its end nothing runs any more.

    A signal only leaves a mark, which `pause` finds: nothing is interrupted between starting a program and knowing it.
    """

    def __init__(self, bin_dir: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._bin, self._logs, self._environment = bin_dir, logs, dict(environment)
        self._running: dict[str, _Program] = {}
        self._asked = False
        self._began = time.monotonic()

    def __enter__(self) -> "Programs":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        # The terminal may be what has gone.
        with suppress(OSError):
            print("\nStopping…", flush=True)
        self.stop(*self._running)

    def say(self, text: str) -> None:
        """One line of progress, with the seconds since the start."""
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def pause(self, seconds: float = 0) -> None:
        """Raises `Stopped` when somebody asked for the end."""
        if seconds and not self._asked:
            time.sleep(seconds)
        if self._asked:
            raise Stopped

    def ask(self, *command: str, may_fail: bool = False) -> dict[str, Any]:
        """Run a command to its end: its JSON answer. Raises `Trouble` with its words when it fails."""
        name = " ".join(command[:2])
        process = self._open(command, subprocess.PIPE, subprocess.PIPE)
        self._running[name] = _Program(process)
        while True:
            try:
                out, err = process.communicate(timeout=_LOOK_S)
                break
            except subprocess.TimeoutExpired:
                self.pause()
        del self._running[name]
        if process.returncode != 0 and not may_fail:
            raise Trouble(f"`{name}` failed:\n{err.strip()}")
        answer: dict[str, Any] = json.loads(out or "{}")
        return answer

    def start(self, name: str, *command: str) -> None:
        """Start a program that runs until stopped; what it says goes to `<name>.log`."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as file:
            self._running[name] = _Program(self._open(command, file, file), log)

    def runs(self, name: str) -> bool:
        return name in self._running

    def stop(self, *names: str) -> None:
        """End these programs, whatever they are doing."""
        ending = [self._running[name] for name in names]
        for each in ending:
            each.signal(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        for each in ending:
            with suppress(subprocess.TimeoutExpired):
                each.process.wait(max(0, deadline - time.monotonic()))
            # Those who did not listen, and whatever a program has left of its group.
            each.signal(signal.SIGKILL)
            each.process.communicate()
        for name in names:
            del self._running[name]

    def check(self) -> None:
        """Raises `Trouble` with its last words when a program has ended by itself."""
        for name, each in self._running.items():
            if each.process.poll() is not None:
                status = each.process.returncode
                raise Trouble(f"{name} has ended with status {status}. The end of its log:\n{self._last_lines(name)}")

    def wait_until_ready(self, name: str, port: int, enough: frozenset[str | None] = frozenset({None})) -> str | None:
        """Wait until /readyz names no problem, or one that is `enough`; returns it."""
        deadline = time.monotonic() + READY_S
        tell = time.monotonic() + 2
        while time.monotonic() < deadline:
            self.check()
            problem = _problem(port)
            if problem in enough:
                return problem
            if time.monotonic() > tell:
                self.say(f"still waiting for {name} (port {port}: {problem})")
                tell += 2
            self.pause(_LOOK_S)
        raise Trouble(f"{name} does not get ready ({problem}). The end of its log:\n{self._last_lines(name)}")

    def _open(self, command: tuple[str, ...], out: Any, err: Any) -> subprocess.Popen[str]:
        program, *arguments = command
        return subprocess.Popen(
            [self._bin / program, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def _last_lines(self, name: str) -> str:
        log = self._running[name].log
        lines = log.read_text("utf-8", "replace").splitlines() if log else []
        return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:]) + f"\n  ({log})"

    def _ask(self, _signal: int, _frame: object) -> None:
        self._asked = True


def _problem(port: int) -> str | None:
    """What /readyz says is missing; `silent` when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        told = json.loads(response.read())
        return None if response.status == 200 else str(told.get("problem") or told.get("code"))
    except (OSError, http.client.HTTPException, ValueError):
        return "silent"
    finally:
        connection.close()
