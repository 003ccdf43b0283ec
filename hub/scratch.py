"""Folders for what is written on the way, of which nothing stays.

Names and addresses lie in them. Whoever uses one holds a lock in it, which goes with its process however that ends: so
what was left behind is told from what is in use, and cleared away.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO

from hub.errors import NotWritten


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder that nobody else can read, for the length of the block; abandoned ones of its kind go first.

    Raises `NotWritten` where none can be made.
    """
    clear_abandoned(parent, prefix)
    with ExitStack() as in_use:
        try:
            lock = in_use.enter_context(_new(parent, prefix))
            folder = Path(lock.name).with_name("files")
            in_use.callback(rmtree, folder.parent, ignore_errors=True)
            folder.mkdir()
        except OSError as error:
            raise NotWritten(f"{parent} cannot be used: {error.strerror}.") from error
        yield folder


def clear_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders of that kind that nobody uses any more."""
    for left in parent.glob(f"{prefix}*"):
        # In use, another user's, or just gone: there is nothing to do.
        with suppress(OSError), _lock(left) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rmtree(left)


def _new(parent: Path, prefix: str) -> IO[bytes]:
    """The lock in a new folder, held while it is open."""
    while True:
        folder = Path(mkdtemp(prefix=prefix, dir=parent))
        # Until it is held it looks abandoned: whoever clears away just now may take it for that, and then it is gone.
        with suppress(FileNotFoundError):
            lock = _lock(folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock.fileno()).st_nlink:
                return lock
            lock.close()


def _lock(folder: Path) -> IO[bytes]:
    return (folder / "lock").open("ab")
