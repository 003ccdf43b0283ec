"""Rows put aside on the disk, so that the database is read quickly and formatting them keeps nobody waiting."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Spool(Generic[T]):
    """Rows of one type, in order, to be read as often as wanted."""

    def __init__(self, path: Path, type_: type[T], rows: Iterable[T]) -> None:
        self._path = path
        self._decode = msgspec.json.Decoder(type_).decode
        encode = msgspec.json.Encoder().encode
        self._length = 0
        with path.open("wb") as file:
            for self._length, row in enumerate(rows, 1):
                file.write(encode(row) + b"\n")

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        with self._path.open("rb") as file:
            yield from map(self._decode, file)
