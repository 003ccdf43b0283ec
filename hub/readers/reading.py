"""The one way into a file: a child process reads it, and the hub gets rows (ADR 11).

What cannot be read is an `UnreadableFile`. Its reasons, and what `about` holds for those who say them in another
language:

The file as such
    `not_found` · `not_a_file` · `no_permission` · `cannot_read` (`why`) · `too_large` (`max`, in MB; RULE-82) · `empty`
    `unknown_extension` (`extension`) · `old_workbook` · `encrypted` · `web_page`
    `not_csv` · `not_a_workbook` · `wrong_extension` (`kind`: what it is)
Text
    `unknown_encoding` (`encoding`) · `not_utf8` (`line`; RULE-83) · `not_in_encoding` (`line`, `encoding`)
    `unknown_delimiter` · `nul` (`line`) · `line_too_long` (`line`) · `broken_quotes` (`line`)
    `unclosed_quote` (`line`)
Workbooks
    `broken_workbook` · `unsafe_workbook` (`why`: `entries`, `unpacked`, `twice`, `outside`, `nested`, `ratio`,
    `entities` or `prolog`; `entry`) · `no_such_sheet` (`sheet`, `sheets`) · `far_cell` (`cell`)
The table
    `too_many_columns` (`columns`, `max`) · `too_many_rows` (`max`) · `cell_too_long` (`line`)
The child process
    `too_much_memory` · `too_slow` · `reader_failed`
"""

import logging
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path, PurePath
from typing import IO

import msgspec

from hub.errors import UnreadableFile
from hub.readers import How, Kind, Row, Table
from hub.readers.frames import LENGTH, MAX_FRAME, Failed, Finished, Frame, Job, Opened, Some, Unreadable, unpacked
from hub.readers.limits import CPU_SECONDS, MAX_BYTES, PATIENCE, QUICK_SECONDS, too_much_memory

__all__ = ["MAX_BYTES", "kind_named", "open_table"]

_KINDS: dict[str, Kind] = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".xlsx": "xlsx", ".ods": "ods"}
_OLD = (".xls", ".xlsm", ".xlsb", ".xltx", ".xltm", ".xlt", ".xla", ".xlam", ".fods", ".ots", ".numbers")
_PIPE = 1 << 20
"""Bytes the child may be ahead by, so that both work at the same time."""
_ROOT = Path(__file__).parents[2]
_log = logging.getLogger(__name__)


@contextmanager
def open_table(
    path: Path,
    name: str | None = None,
    how: How = How(),  # noqa: B008 - it is frozen
    *,
    quickly: bool = False,
) -> Iterator[Table]:
    """The table in a file, open for the length of the block; rows come from a child process while they are asked for.

    `name`: what the file was called where it came from; its extension has to agree with the content. `quickly`: a page
    waits, so the child gets `QUICK_SECONDS` in all; a file that takes longer may still be read in the background.

    Raises `UnreadableFile`, here or while rows are read: see above for its reasons.
    """
    kind = kind_named(name or path.name)
    with _opened(path) as file, _child(file, kind, how, quickly=quickly) as frames:
        first = next(frames)
        if not isinstance(first, Opened):
            raise _failed("the child began in the middle")
        done = 0.0

        def rows() -> Iterator[Row]:
            nonlocal done
            for frame in frames:
                if isinstance(frame, Some):
                    done = frame.done
                    yield from frame.rows
            done = 1.0

        yield Table(first.headers, rows(), first.format, lambda: done)


def kind_named(name: str) -> Kind:
    """What a file claims to be. Raises `UnreadableFile` with reason `unknown_extension` or `old_workbook`."""
    extension = PurePath(name).suffix.lower()
    if extension in _OLD:
        raise UnreadableFile(
            "old_workbook",
            f"{extension} workbooks are not read. Save it as “Excel workbook (.xlsx)” and import that file.",
            extension=extension,
        )
    if extension not in _KINDS:
        raise UnreadableFile(
            "unknown_extension",
            "The name of the file does not say what it is. Save the table as .csv, .xlsx or .ods and import that file.",
            extension=extension,
        )
    return _KINDS[extension]


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = open(path, "rb", buffering=0, opener=_without_waiting)  # noqa: SIM115 - closed below
    except OSError as error:
        raise _cannot_open(error) from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("not_a_file", "This is not a regular file. Name a CSV file or a workbook.")
        if status.st_size > MAX_BYTES:
            megabytes = MAX_BYTES // 1_000_000
            raise UnreadableFile(
                "too_large", f"The file is larger than {megabytes} MB. Split it and import the parts.", max=megabytes
            )
        yield file


def _without_waiting(path: str, flags: int) -> int:
    """Somebody may have named a pipe that nobody writes to."""
    return os.open(path, flags | os.O_NONBLOCK)


def _cannot_open(error: OSError) -> UnreadableFile:
    match error:
        case FileNotFoundError():
            return UnreadableFile("not_found", "There is no such file. Check its name and folder.")
        case IsADirectoryError():
            return UnreadableFile("not_a_file", "This is a folder. Name the file inside it.")
        case PermissionError():
            return UnreadableFile("no_permission", "The file may not be read by this user. Change its permissions.")
    why = error.strerror or type(error).__name__
    return UnreadableFile("cannot_read", f"The file cannot be read: {why}. Copy it elsewhere and try again.", why=why)


@contextmanager
def _child(file: IO[bytes], kind: Kind, how: How, *, quickly: bool) -> Iterator[Iterator[Frame]]:
    """What a child process has to say about a file. It is gone when the block ends."""
    try:
        process = _started(file, Job(kind, how, QUICK_SECONDS if quickly else CPU_SECONDS))
    except OSError as error:
        raise _failed(f"no child was started ({error.strerror})") from error
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout as pipe:
        with suppress(OSError):
            fcntl(pipe, F_SETPIPE_SZ, _PIPE)
        try:
            yield _frames(process, pipe, time.monotonic() + QUICK_SECONDS if quickly else None)
        finally:
            process.kill()
            process.wait()


def _started(file: IO[bytes], job: Job) -> subprocess.Popen[bytes]:
    # Not in the command, which everybody on this machine may read: a sheet's name may be somebody's.
    with open(os.memfd_create("job"), "r+b", buffering=0) as told:
        told.write(msgspec.json.encode(job))
        told.seek(0)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "hub.readers.child", str(told.fileno())],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            pass_fds=(told.fileno(),),
        )


def _environment() -> dict[str, str]:
    """Nothing that is secret, and the same code as here."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"}


def _frames(process: subprocess.Popen[bytes], pipe: IO[bytes], until: float | None) -> Iterator[Frame]:
    """All frames up to the last. Raises `UnreadableFile` when the child says so, dies, or says nothing for too long.

    `until`: when all of them have to be there, if they have to.
    """
    while True:
        frame = _next_frame(process, pipe, until or time.monotonic() + PATIENCE)
        match frame:
            case Finished():
                return
            case Unreadable(reason, detail, about):
                raise UnreadableFile(reason, detail, **about)
            case Failed(fault):
                raise _failed(fault)
        yield frame


def _next_frame(process: subprocess.Popen[bytes], pipe: IO[bytes], until: float) -> Frame:
    try:
        length = int.from_bytes(_exactly(pipe, LENGTH, until), "big")
        if length > MAX_FRAME:
            raise _failed("the child sent too long a frame")
        return unpacked(_exactly(pipe, length, until))
    except EOFError:
        raise _died(process.wait()) from None
    except TimeoutError:
        raise _too_slow() from None
    except msgspec.MsgspecError as error:
        raise _failed("the child sent no frame") from error


def _exactly(pipe: IO[bytes], size: int, until: float) -> bytearray:
    """Raises `EOFError` when there is not as much, and `TimeoutError` when it has not come by then."""
    got = bytearray()
    readable = select.poll()
    readable.register(pipe, select.POLLIN)
    while len(got) < size:
        if not readable.poll(max(until - time.monotonic(), 0) * 1000):
            raise TimeoutError
        block = os.read(pipe.fileno(), size - len(got))
        if not block:
            raise EOFError
        got += block
    return got


def _died(status: int) -> UnreadableFile:
    _log.warning("A child process that read a file ended with status %d.", status)
    match -status:
        case signal.SIGXCPU:
            return _too_slow()
        case signal.SIGABRT | signal.SIGKILL | signal.SIGSEGV | signal.SIGBUS:
            # How an allocation that fails looks from here: calamine cannot be told no.
            return too_much_memory()
    return _failed(f"the child ended with status {status}")


def _too_slow() -> UnreadableFile:
    return UnreadableFile(
        "too_slow", "Reading this file takes too long. Save the table as CSV, or split it, and import that."
    )


def _failed(fault: str) -> UnreadableFile:
    _log.error("A file could not be read, by a fault of the hub: %s.", fault)
    return UnreadableFile(
        "reader_failed",
        "This file cannot be read. Save the table as CSV and import that file; tell those who run the hub.",
    )
