"""The process that reads one file: `python -m hub.readers.child FD`, the file as its input, frames as its output.

FD is an open file that says what to do (`Job`).

It takes nothing from the environment, opens nothing, and is started and ended by `hub.readers.reading`.
"""

import gc
import resource
import sys
from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO

import msgspec

from hub.errors import UnreadableFile
from hub.readers import Row
from hub.readers.archives import broken_workbook
from hub.readers.frames import Failed, Finished, Frame, Job, Opened, Some, Unreadable, packed
from hub.readers.kinds import read_file
from hub.readers.limits import MAX_CELL, MEMORY, cell_too_long, too_much_memory

_ROWS = 500
_CHARACTERS = 1 << 18


def main() -> None:
    with open(int(sys.argv[1]), "rb") as told:
        job = msgspec.json.decode(told.read(), type=Job)
    bind(job.cpu_seconds)
    gc.disable()  # Rows are no cycles, and come by the million.
    with open(0, "rb", closefd=False) as file, open(1, "wb", closefd=False) as out:
        for frame in frames(file, job):
            out.write(packed(frame))
            out.flush()


def bind(cpu_seconds: int) -> None:
    """Take from this process what a hostile file could make use of."""
    for limit, value, most in (
        (resource.RLIMIT_AS, MEMORY, MEMORY),
        # First comes a signal that says why, and only then the one that does not.
        (resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 5),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, 64, 64),
    ):
        given = resource.getrlimit(limit)[1]
        if given == resource.RLIM_INFINITY or given > most:
            resource.setrlimit(limit, (value, most))


def frames(file: BinaryIO, job: Job) -> Iterator[Frame]:
    """All there is to say about a file. Raises nothing."""
    try:
        table = read_file(file, job.kind, job.how)
        yield Opened(table.headers, table.format)
        for rows in _together(table.rows):
            yield Some(rows, table.done())
        yield Finished()
    except GeneratorExit:
        raise
    except BaseException as error:
        yield _ended_by(error)


def _together(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Some hundred rows at once, fewer where they are long. Raises `UnreadableFile` with reason `cell_too_long`."""
    taken: list[Row] = []
    size = 0
    for row in rows:
        taken.append(row)
        length = sum(map(len, row.cells))
        if length > MAX_CELL and max(map(len, row.cells)) > MAX_CELL:
            raise cell_too_long(row.number)
        size += len(row.cells) + length
        if len(taken) == _ROWS or size > _CHARACTERS:
            yield taken
            taken, size = [], 0
    if taken:
        yield taken


def _ended_by(error: BaseException) -> Frame:
    match error:
        case UnreadableFile():
            refused = error
        case MemoryError():
            refused = too_much_memory()
        case _ if type(error).__name__ == "PanicException":
            # calamine met something it thought impossible.
            refused = broken_workbook()
        case _:
            return Failed(_fault(error))
    return Unreadable(refused.reason, refused.detail, refused.about)


def _fault(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = "" if at is None else f" in {PurePath(at.tb_frame.f_code.co_filename).name}, line {at.tb_lineno}"
    return f"{type(error).__name__}{where}"


if __name__ == "__main__":
    main()
