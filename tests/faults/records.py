"""What was done to the files of a folder, and what a power cut may leave of it.

Only what was synced is certain: content by a sync of its file, names by a sync of the folder. Of everything since, a
disk may keep all, nothing, or some, in any order, and a write in part.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.vfs import Fault, Operation

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


@dataclass(frozen=True, slots=True)
class Promise:
    """From here on somebody was told that this is kept."""

    told: object


@dataclass(slots=True)
class Recorder:
    """Writes every change down, and between them what was promised."""

    record: list[Operation | Promise] = field(default_factory=list)

    def before(self, operation: Operation) -> Fault | None:
        if operation.deed not in ("open", "read"):
            self.record.append(operation)
        return None

    def promise(self, told: object) -> None:
        self.record.append(Promise(told))


class Kept:
    """The content of one file: what is certain, and what was done since."""

    def __init__(self, content: bytes = b"") -> None:
        self.certain = bytearray(content)
        self.since: list[Operation] = []

    def sync(self) -> None:
        for operation in self.since:
            _do(self.certain, operation)
        self.since.clear()


Damage = Callable[[Kept, Random], bytes]
"""What is left of a file's content."""


def _do(content: bytearray, operation: Operation) -> None:
    if operation.deed == "truncate":
        del content[operation.size :]
        content.extend(bytes(operation.size - len(content)))
        return
    _write(content, operation.offset, operation.data)


def _write(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def nothing(kept: Kept, _draw: Random) -> bytes:
    """Nothing but what was synced."""
    return bytes(kept.certain)


def everything(kept: Kept, _draw: Random) -> bytes:
    """All of it, as if it had been synced."""
    content = bytearray(kept.certain)
    for operation in kept.since:
        _do(content, operation)
    return bytes(content)


def some(kept: Kept, draw: Random) -> bytes:
    """Any of it: a later write without an earlier one as well."""
    content, chance = bytearray(kept.certain), draw.random()
    for operation in kept.since:
        if draw.random() < chance:
            _do(content, operation)
    return bytes(content)


def torn(kept: Kept, draw: Random) -> bytes:
    """Any sectors of any write."""
    content = bytearray(kept.certain)
    for operation in kept.since:
        if operation.deed == "truncate":
            if draw.random() < 0.5:
                _do(content, operation)
            continue
        for offset, data in _sectors(operation):
            if draw.random() < 0.5:
                _write(content, offset, data)
    return bytes(content)


def zeros(kept: Kept, draw: Random) -> bytes:
    """The file is as long as it should be, and where it grew some of what was written is zeros."""
    content, chance = bytearray(kept.certain), draw.random()
    for operation in kept.since:
        if operation.deed == "truncate" or draw.random() < chance:
            _do(content, operation)
        else:
            content.extend(bytes(max(0, operation.offset + len(operation.data) - len(content))))
    return bytes(content)


DAMAGES: tuple[Damage, ...] = (nothing, everything, some, torn, zeros)


def _sectors(operation: Operation) -> Iterator[tuple[int, bytes]]:
    end = operation.offset + len(operation.data)
    start = operation.offset
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield start, operation.data[start - operation.offset : stop - operation.offset]
        start = stop


class Disk:
    """A folder as its disk has it. Files that are there at first are certain."""

    def __init__(self, folder: Path) -> None:
        self._names = {str(path): Kept(path.read_bytes()) for path in folder.iterdir()}
        self._certain_names = dict(self._names)
        self._since: list[tuple[Operation, Kept]] = []

    def do(self, operation: Operation) -> None:
        """The next operation."""
        if operation.path.endswith("-shm"):
            # Memory that SQLite shares by way of a file, and makes anew when the device has started.
            return
        match operation.deed:
            case "sync_folder":
                self._certain_names = dict(self._names)
                self._since.clear()
            case "create" | "delete" | "rename":
                kept = Kept() if operation.deed == "create" else self._names[operation.path]
                self._since.append((operation, kept))
                _name(self._names, operation, kept)
            case "sync":
                self._names[operation.path].sync()
            case "write" | "truncate":
                self._names[operation.path].since.append(operation)

    def after_cut(self, damage: Damage, draw: Random) -> dict[str, bytes]:
        """What lies in the folder when the power is back, by the names of files."""
        return {Path(path).name: damage(kept, draw) for path, kept in self._names_after(damage, draw).items()}

    def _names_after(self, damage: Damage, draw: Random) -> dict[str, Kept]:
        if damage is nothing:
            return self._certain_names
        if damage is everything:
            return self._names
        names = dict(self._certain_names)
        chance = draw.random()
        for operation, kept in self._since:
            if draw.random() < chance:
                _name(names, operation, kept)
        return names


def _name(names: dict[str, Kept], operation: Operation, kept: Kept) -> None:
    match operation.deed:
        case "create":
            names[operation.path] = kept
        case "delete":
            names.pop(operation.path, None)
        case "rename":
            names.pop(operation.path, None)
            names[operation.to] = kept
