"""Disks that take nothing more, for real: SQLite and the kernel say no, and nothing of ours is replaced."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.store.journal import Journal


@contextmanager
def full_disk(journal: Journal) -> Iterator[None]:
    """While inside, the journal's file may not grow: SQLite says SQLITE_FULL."""
    with journal._files.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        # Kept by connection; a single thread has no other.
        db.execute(f"PRAGMA max_page_count = {pages}")
    yield
    with journal._files.reading() as db:
        db.execute("PRAGMA max_page_count = 1000000")


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """While inside, this process may make no file longer than the kiosk's longest: the kernel refuses the write."""
    longest = max(path.stat().st_size for path in folder.iterdir() if path.name != "ballast")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own with so many bytes. Skips the test where none may be mounted."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted by root only")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
