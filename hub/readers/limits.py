"""How much of a file is read, and what a child process may use for it."""

from hub.errors import UnreadableFile

MAX_BYTES = 50_000_000
"""RULE-82. A file of exactly this size is still read."""
MAX_ROWS = 1_000_000
"""Rows under the header. A sheet holds at most 1,048,576."""
MAX_COLUMNS = 500
"""The widest export of a registrar seen has about a hundred."""
MAX_RECORD = 1_000_000
"""Characters in one row of a CSV file; the longest believable row is a thousandth of it."""
MAX_CELL = 131_072
"""Characters in one cell; Excel's own limit is a quarter of it."""

MEMORY = 256 << 20
"""Bytes of address space for the child, so it can never hold more than that."""
CPU_SECONDS = 60
PATIENCE = 60.0
"""Seconds without a word from the child, after which it is given up."""
QUICK_SECONDS = 10
"""Of processor, and for all there is to read, while a page waits for it."""


def cell_too_long(line: int) -> UnreadableFile:
    return UnreadableFile(
        "cell_too_long",
        f"A cell in the row that starts on line {line} holds more than {MAX_CELL:,} characters. "
        "In a CSV file, a quotation mark may never be closed there.",
        line=line,
    )


def too_much_memory() -> UnreadableFile:
    return UnreadableFile(
        "too_much_memory",
        "Reading this file takes more memory than it may. There may be a cell far away from the table: delete what is "
        "right of the table and below it. Otherwise save the table as CSV and import that file.",
    )
