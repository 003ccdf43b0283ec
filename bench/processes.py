"""Our programs as real processes: run to the end, or served on a free port and ended by their own id."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.client import Connection, request
from bench.machine import ROOT

PATIENCE_S = 120

HUB = [sys.executable, "-c", "from hub.cli import main; main()"]
KIOSK = [sys.executable, "-c", "from kiosk.cli import main; main()"]


class Failed(Exception):
    """A program did not do what a part needs of it."""


@dataclass(frozen=True, slots=True)
class Done:
    """A program that ran to its end."""

    stdout: str
    seconds: float
    peak_mib: float
    child_peak_mib: float
    """Of the largest process it started; 0 when it started none."""

    @property
    def told(self) -> dict[str, Any]:
        """Its answer, if that was one JSON object."""
        answer: dict[str, Any] = json.loads(self.stdout)
        return answer


@dataclass(frozen=True, slots=True)
class Server:
    """A program that listens."""

    pid: int
    port: int
    start_s: float
    """From its start to the first good answer."""


def complete(command: Sequence[str], env: Mapping[str, str] | None = None) -> Done:
    """Runs a program to its end. Raises `Failed` unless it ends with 0."""
    begun = time.perf_counter()
    with (
        _scratch() as out,
        _scratch() as err,
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=out, stderr=err) as process,
    ):
        # Not what wait4 tells: there a child's peak is never below that of the parent it was started from. The last
        # look counts for the same reason: until a child is a program of its own, it has its parent's peak.
        peaks: dict[int, float] = {}
        while process.poll() is None:
            peaks |= {pid: peak for pid in _with_children(process.pid) if (peak := _peak_mib(pid))}
            # To look all the time would take the processor from what is measured.
            time.sleep(0.005)
        seconds = time.perf_counter() - begun
        stdout, stderr = _text(out), _text(err)
    if process.returncode:
        raise Failed(f"{_name(command)} ended with {process.returncode}: {stderr[-300:].strip()}")
    return Done(stdout, seconds, peaks.pop(process.pid, 0), max(peaks.values(), default=0))


@contextmanager
def served(
    command: Sequence[str], port: int, env: Mapping[str, str] | None = None, path: str = "/healthz"
) -> Iterator[Server]:
    """A program that listens on `port`, up to the end of the block. Raises `Failed` when it never answers."""
    begun = time.perf_counter()
    with _scratch() as log, _started(command, env, log) as process:
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - begun > PATIENCE_S:
                raise Failed(f"{_name(command)} does not answer: {_text(log)[-300:].strip()}")
            time.sleep(0.005)
        yield Server(process.pid, port, time.perf_counter() - begun)


@contextmanager
def beside(command: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[int]:
    """A program that works beside the block, by its process id."""
    with _scratch() as log, _started(command, env, log) as process:
        yield process.pid


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident and proportional memory of a process and all its children. Resident counts shared pages each time."""
    family = _family(pid)
    return sum(_kib(each, "Rss") for each in family) / 1024, sum(_kib(each, "Pss") for each in family) / 1024


@contextmanager
def _started(command: Sequence[str], env: Mapping[str, str] | None, log: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _scratch() -> Any:
    return tempfile.TemporaryFile()


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode("utf-8", "replace")
    return text


def _answers(port: int, path: str) -> bool:
    connection = Connection(port)
    try:
        return connection.ask(request("GET", path)).status == 200
    except (OSError, ValueError, KeyError):
        return False
    finally:
        connection.close()


def _peak_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _with_children(pid: int) -> list[int]:
    try:
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    except OSError:
        return [pid]


def _name(command: Sequence[str]) -> str:
    return " ".join(word for word in command[1:] if "import" not in word and word not in ("-c", "-m"))[:80]


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _kib(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))
