"""Between the programs and the disk: what is done to files can be written down, and can be made to fail.

SQLite reaches files through a table of functions, its VFS. Here a copy of the usual table is its default for a while;
the functions that reach the disk tell a watcher first, and the real ones do the work. What our own code does to files
by `os` is told as well.
"""

import ctypes
import os
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ctypes import CFUNCTYPE, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol
from unittest.mock import patch

Deed = Literal["open", "create", "read", "write", "truncate", "sync", "sync_folder", "delete", "rename"]

SQLITE_FULL = 13
SQLITE_CANTOPEN = 14
SQLITE_IOERR_READ = 266
SQLITE_IOERR_WRITE = 778
SQLITE_IOERR_FSYNC = 1034
SQLITE_IOERR_TRUNCATE = 1546
SQLITE_IOERR_DELETE = 2570

_OPEN_DELETEONCLOSE, _OPEN_CREATE = 0x8, 0x4


class NotPossible(Exception):
    """The library that Python's `sqlite3` uses cannot be reached from here."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that is about to be done to a file. `size`: the length that a truncation leaves, or that is read.

    `sync_folder` makes the names in `path` durable, as `sync` does the content of a file.
    """

    deed: Deed
    path: str
    offset: int = 0
    data: bytes = b""
    size: int = 0
    to: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """How an operation fails: what SQLite is told, what Python is told, and how many bytes were written before."""

    code: int
    errno: int
    written: int = 0


class Watcher(Protocol):
    """Is told of every operation before it is done."""

    def before(self, operation: Operation) -> Fault | None:
        """None: let it be done. May be called by several threads; must not raise."""


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", c_void_p),
        ("xDelete", c_void_p),
        ("others", c_void_p * 11),
        ("xSetSystemCall", c_void_p),
        ("xGetSystemCall", c_void_p),
        ("xNextSystemCall", c_void_p),
    ]


class _Methods(ctypes.Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", c_void_p),
        ("xTruncate", c_void_p),
        ("xSync", c_void_p),
        ("others", c_void_p * 13),
    ]


_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_READ = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_SET_CALL = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
_GET_CALL = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
_OPEN_FOLDER = CFUNCTYPE(c_int, c_char_p, c_void_p)

_OPEN_FOLDER_CALL = b"openDirectory"
"""What SQLite's own VFS for Unix calls before it syncs a folder, and never otherwise."""


def why_not() -> str | None:
    """Why files cannot be watched here; None: they can."""
    try:
        _shim()
    except NotPossible as error:
        return str(error)
    return None


@contextmanager
def watched(folder: Path, watcher: Watcher) -> Iterator[None]:
    """While inside, the watcher is told what is done to the files of one folder. Raises `NotPossible`.

    Only connections that are opened inside are watched, and they are for as long as they live.
    """
    shim = _shim()
    shim.begin(str(folder), watcher)
    try:
        with (
            patch.object(os, "open", _opening(shim, os.open)),
            patch.object(os, "unlink", _unlinking(shim, os.unlink)),
            patch.object(os, "rename", _renaming(shim, os.rename)),
            patch.object(os, "replace", _renaming(shim, os.replace)),
            patch.object(os, "fsync", _syncing(shim, os.fsync)),
        ):
            yield
    finally:
        shim.end()


@cache
def _shim() -> "_Shim":
    try:
        # Its own handle finds the library that it was linked with, and no other copy.
        library = ctypes.CDLL(getattr(__import__("_sqlite3"), "__file__", None))
        library.sqlite3_vfs_find.restype = c_void_p
        library.sqlite3_libversion.restype = c_char_p
        version = library.sqlite3_libversion().decode()
    except (OSError, AttributeError) as error:
        raise NotPossible("not possible here: SQLite is built into Python and cannot be reached") from error
    if version != sqlite3.sqlite_version or not os.path.isdir("/proc/self/fd"):
        raise NotPossible(f"not possible here: SQLite {version} for Python's {sqlite3.sqlite_version}, {sys.platform}")
    shim = _Shim(library)
    if not _is_heard(shim):
        raise NotPossible("not possible here: Python uses another copy of SQLite")
    return shim


def _is_heard(shim: "_Shim") -> bool:
    """Whether what Python's own connections do arrives here."""
    heard: list[Operation] = []

    class Listening:
        def before(self, operation: Operation) -> None:
            heard.append(operation)

    with tempfile.TemporaryDirectory() as folder:
        shim.begin(folder, Listening())
        try:
            with closing(sqlite3.connect(Path(folder) / "some.sqlite")) as conn:
                conn.execute("CREATE TABLE t (a)")
        finally:
            shim.end()
    return bool(heard)


class _Shim:
    """The copy of the default VFS. One for the whole life of the process: connections keep pointers into it."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._usual = c_void_p(library.sqlite3_vfs_find(None))
        usual = _Vfs.from_address(self._usual.value or 0)
        if usual.iVersion < 3 or usual.zName != b"unix":
            raise NotPossible(f"not possible here: SQLite's default VFS is {usual.zName!r}")
        self._lock = threading.Lock()
        self._folder = ""
        self._watcher: Watcher | None = None
        self._paths: dict[int, str] = {}
        self._methods: dict[int, _Methods] = {}
        # Every callback is kept here: C holds pointers that Python does not count.
        self._kept: list[Any] = []
        self._set_call = _SET_CALL(usual.xSetSystemCall)
        self._open_folder = _OPEN_FOLDER(_GET_CALL(usual.xGetSystemCall)(self._usual, _OPEN_FOLDER_CALL))
        self._watch_folder = _OPEN_FOLDER(self._opened_folder)
        self._vfs = _Vfs.from_buffer_copy(usual)
        self._vfs.zName = b"watched"
        self._vfs.xOpen = self._keep(_OPEN(self._opened(_OPEN(usual.xOpen))))
        self._vfs.xDelete = self._keep(_DELETE(self._deleted(_DELETE(usual.xDelete))))

    def begin(self, folder: str, watcher: Watcher) -> None:
        with self._lock:
            if self._watcher is not None:
                raise RuntimeError("files are watched already")
            self._folder, self._watcher = folder.rstrip("/") + "/", watcher
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        self._set_call(self._usual, _OPEN_FOLDER_CALL, self._watch_folder)

    def end(self) -> None:
        self._set_call(self._usual, _OPEN_FOLDER_CALL, None)
        self._library.sqlite3_vfs_register(self._usual, 1)
        self._watcher = None

    def tell(self, operation: Operation) -> Fault | None:
        """What the watcher says to it; None when nobody watches that file."""
        watcher = self._watcher
        if watcher is None or not (operation.path + "/").startswith(self._folder):
            return None
        return watcher.before(operation)

    def _keep(self, callback: Any) -> int | None:
        self._kept.append(callback)
        return ctypes.cast(callback, c_void_p).value

    def _opened(self, usual: Callable[..., int]) -> Callable[..., int]:
        def opened(_vfs: int, name: int | None, file: int, flags: int, out_flags: int | None) -> int:
            if name is None or flags & _OPEN_DELETEONCLOSE:
                # Scratch space, which no crash and no restart ever reads again.
                return usual(self._usual, name, file, flags, out_flags)
            path = os.fsdecode(ctypes.string_at(name))
            is_new = bool(flags & _OPEN_CREATE) and not os.path.exists(path)
            fault = self.tell(Operation("create" if is_new else "open", path))
            if fault is not None:
                # A file that was not opened has no methods, and nobody closes it.
                c_void_p.from_address(file).value = None
                return SQLITE_CANTOPEN
            code = usual(self._usual, name, file, flags, out_flags)
            methods = c_void_p.from_address(file)
            if code == 0 and methods.value is not None:
                self._paths[file] = path
                methods.value = ctypes.addressof(self._watching(methods.value))
            return code

        return opened

    def _deleted(self, usual: Callable[..., int]) -> Callable[..., int]:
        def deleted(_vfs: int, name: int, sync_folder: int) -> int:
            path = os.fsdecode(ctypes.string_at(name))
            fault = self.tell(Operation("delete", path)) if os.path.exists(path) else None
            return usual(self._usual, name, sync_folder) if fault is None else fault.code

        return deleted

    def _opened_folder(self, name: bytes, descriptor: int) -> int:
        self.tell(Operation("sync_folder", os.path.dirname(os.fsdecode(name))))
        return int(self._open_folder(name, descriptor))

    def _watching(self, usual_at: int) -> _Methods:
        """The same methods, but for those that reach the disk. There are several tables, by how files are locked."""
        known = self._methods.get(usual_at)
        if known is None:
            usual = _Methods.from_address(usual_at)
            known = self._methods[usual_at] = _Methods.from_buffer_copy(usual)
            known.xRead = self._keep(_READ(self._read(_READ(usual.xRead))))
            known.xWrite = self._keep(_WRITE(self._written(_WRITE(usual.xWrite))))
            known.xTruncate = self._keep(_TRUNCATE(self._truncated(_TRUNCATE(usual.xTruncate))))
            known.xSync = self._keep(_SYNC(self._synced(_SYNC(usual.xSync))))
        return known

    def _read(self, usual: Callable[..., int]) -> Callable[..., int]:
        def read(file: int, data: int, amount: int, offset: int) -> int:
            fault = self.tell(Operation("read", self._paths[file], offset, size=amount))
            return usual(file, data, amount, offset) if fault is None else fault.code

        return read

    def _written(self, usual: Callable[..., int]) -> Callable[..., int]:
        def written(file: int, data: int, amount: int, offset: int) -> int:
            fault = self.tell(Operation("write", self._paths[file], offset, ctypes.string_at(data, amount)))
            if fault is None:
                return usual(file, data, amount, offset)
            if fault.written:
                usual(file, data, min(fault.written, amount), offset)
            return fault.code

        return written

    def _truncated(self, usual: Callable[..., int]) -> Callable[..., int]:
        def truncated(file: int, size: int) -> int:
            fault = self.tell(Operation("truncate", self._paths[file], size=size))
            return usual(file, size) if fault is None else fault.code

        return truncated

    def _synced(self, usual: Callable[..., int]) -> Callable[..., int]:
        def synced(file: int, flags: int) -> int:
            fault = self.tell(Operation("sync", self._paths[file]))
            return usual(file, flags) if fault is None else fault.code

        return synced


# --- what our own code does


def _perhaps_refuse(shim: _Shim, operation: Operation) -> None:
    fault = shim.tell(operation)
    if fault is not None:
        raise OSError(fault.errno, os.strerror(fault.errno), operation.path)


def _opening(shim: _Shim, usual: Callable[..., int]) -> Callable[..., int]:
    def opening(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if isinstance(path, str | Path):
            is_new = bool(flags & os.O_CREAT) and not os.path.exists(path)
            _perhaps_refuse(shim, Operation("create" if is_new else "open", str(path)))
        return usual(path, flags, *rest, **named)

    return opening


def _unlinking(shim: _Shim, usual: Callable[..., None]) -> Callable[..., None]:
    def unlinking(path: Any, **named: Any) -> None:
        if os.path.exists(path):
            _perhaps_refuse(shim, Operation("delete", str(path)))
        usual(path, **named)

    return unlinking


def _renaming(shim: _Shim, usual: Callable[..., None]) -> Callable[..., None]:
    def renaming(path: Any, to: Any, **named: Any) -> None:
        _perhaps_refuse(shim, Operation("rename", str(path), to=str(to)))
        usual(path, to, **named)

    return renaming


def _syncing(shim: _Shim, usual: Callable[[int], None]) -> Callable[[int], None]:
    def syncing(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        _perhaps_refuse(shim, Operation("sync_folder" if os.path.isdir(path) else "sync", path))
        usual(descriptor)

    return syncing
