"""Exports under the name somebody chose: whole and private, or not there at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.actions.backups import part_of, put_in_place
from hub.errors import HubRefused, NotWritten


@contextmanager
def new_file(file: Path, *, force: bool = False) -> Iterator[Path]:
    """Where to write a file; it has its name when the block ends. Raises `HubRefused` when there is something already
    (unless `force`, for a file), and `NotWritten`.
    """
    if file.is_dir():
        raise HubRefused(f"{file} is a folder. Name a file in it.")
    if file.exists() and not force:
        raise HubRefused(f"{file} is there already. Name another file, or say --force.")
    with part_of(file) as part:
        yield part
        put_in_place(part, file)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Where to write a folder's files; it has its name when the block ends. Raises as `new_file` does."""
    if folder.exists():
        raise HubRefused(f"{folder} is there already. Name a folder that is not.")
    part = folder.absolute().with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(mode=0o700)
        yield part
        for each in part.iterdir():
            each.chmod(0o600)
            _to_disk(each)
        part.rename(folder)
        _to_disk(part.parent)
    except OSError as error:
        raise NotWritten(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
