"""What is done to files is told, can be refused, and is let alone again."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from errno import EIO
from pathlib import Path

import pytest

from kiosk.store.journal import Journal
from kiosk.store.sqlite import NotRecorded
from tests.faults import vfs
from tests.faults.vfs import Deed, Fault, Operation, watched

pytestmark = pytest.mark.skipif(vfs.why_not() is not None, reason=str(vfs.why_not()))


@dataclass
class Told:
    """Writes down what it is told, but for reading, and lets some of it fail."""

    refuse: dict[Deed, Fault] = field(default_factory=dict)
    heard: list[Operation] = field(default_factory=list)

    def before(self, operation: Operation) -> Fault | None:
        if operation.deed == "read" and "read" not in self.refuse:
            return None
        self.heard.append(operation)
        return self.refuse.get(operation.deed)

    def deeds(self) -> list[tuple[Deed, str]]:
        return [(each.deed, Path(each.path).name) for each in self.heard]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def journal(tmp_path: Path, told: Told) -> Iterator[Journal]:
    """A journal whose file is watched, and nothing was heard of it yet."""
    with watched(tmp_path, told), closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.probe()
        journal.probe()
        told.heard.clear()
        yield journal


def test_a_write_is_told_from_its_first_byte_to_its_last_sync(tmp_path: Path, told: Told) -> None:
    with watched(tmp_path, told), closing(sqlite3.connect(tmp_path / "some.sqlite", isolation_level=None)) as conn:
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("CREATE TABLE t (a)")
    heard = told.deeds()
    assert heard[0] == ("create", "some.sqlite")
    order: list[tuple[Deed, str]] = [
        ("create", "some.sqlite-journal"),
        ("write", "some.sqlite-journal"),
        ("sync", "some.sqlite-journal"),
        ("sync_folder", tmp_path.name),
        ("write", "some.sqlite"),
        ("sync", "some.sqlite"),
        ("delete", "some.sqlite-journal"),
    ]
    assert sorted(order, key=lambda each: heard.index(each)) == order
    content = bytearray((tmp_path / "some.sqlite").stat().st_size)
    for each in told.heard:
        if each.deed == "write" and each.path.endswith(".sqlite"):
            content[each.offset : each.offset + len(each.data)] = each.data
    assert bytes(content) == (tmp_path / "some.sqlite").read_bytes()


@pytest.mark.parametrize(
    ("deed", "code", "reason"),
    [
        ("write", vfs.SQLITE_FULL, "disk_full"),
        ("read", vfs.SQLITE_IOERR_READ, "disk_error"),
        ("write", vfs.SQLITE_IOERR_WRITE, "disk_error"),
        ("sync", vfs.SQLITE_IOERR_FSYNC, "disk_error"),
        ("truncate", vfs.SQLITE_IOERR_TRUNCATE, "disk_error"),
    ],
)
def test_what_is_refused_reaches_our_code_as_an_error_of_the_disk(
    journal: Journal, told: Told, deed: Deed, code: int, reason: str
) -> None:
    if deed == "truncate" and "truncate" not in [each for each, _ in _probed(journal, told)]:
        pytest.skip("this SQLite truncates nothing here")
    told.refuse[deed] = Fault(code, EIO)
    with pytest.raises(NotRecorded) as caught:
        journal.probe()
    assert caught.value.reason == reason
    told.refuse.clear()
    journal.probe()


def _probed(journal: Journal, told: Told) -> list[tuple[Deed, str]]:
    journal.probe()
    return told.deeds()


def test_a_write_in_part_leaves_that_part(tmp_path: Path, told: Told) -> None:
    told.refuse["write"] = Fault(vfs.SQLITE_FULL, EIO, written=100)
    with watched(tmp_path, told), closing(sqlite3.connect(tmp_path / "some.sqlite", isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = OFF")
        with pytest.raises(sqlite3.OperationalError):
            conn.execute("CREATE TABLE t (a)")
    assert (tmp_path / "some.sqlite").stat().st_size == 100


def test_what_our_own_code_does_to_files_is_told_too(tmp_path: Path, told: Told) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with watched(tmp_path, told):
        handle = os.open(old, os.O_RDWR | os.O_CREAT)
        os.fsync(handle)
        os.close(handle)
        old.rename(new)
        folder = os.open(tmp_path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        new.unlink()
        told.refuse["create"] = Fault(vfs.SQLITE_CANTOPEN, EIO)
        with pytest.raises(OSError, match="Input/output error"):
            os.open(old, os.O_RDWR | os.O_CREAT)
    assert told.deeds() == [
        ("create", "old"),
        ("sync", "old"),
        ("rename", "old"),
        ("open", tmp_path.name),
        ("sync_folder", tmp_path.name),
        ("delete", "new"),
        ("create", "old"),
    ]


def test_nothing_is_told_of_another_folder_nor_afterwards(tmp_path: Path, told: Told) -> None:
    here, there = tmp_path / "here", tmp_path / "here and there"
    here.mkdir()
    there.mkdir()
    with watched(here, told), closing(sqlite3.connect(there / "some.sqlite")) as conn:
        conn.execute("CREATE TABLE t (a)")
    with closing(sqlite3.connect(here / "some.sqlite")) as conn:
        conn.execute("CREATE TABLE t (a)")
    assert told.heard == []
    assert os.open.__module__ == "posix"


def test_two_cannot_watch_at_once(tmp_path: Path, told: Told) -> None:
    with watched(tmp_path, told):
        with pytest.raises(RuntimeError), watched(tmp_path, told):
            pass
        (tmp_path / "some").unlink(missing_ok=True)
        with closing(sqlite3.connect(tmp_path / "some.sqlite")) as conn:
            conn.execute("CREATE TABLE t (a)")
    assert told.heard
