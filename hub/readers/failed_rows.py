"""The failed-rows file: what a file's staff correct and import again.

It comes in the format of the file itself: a CSV file in its encoding and delimiter, an .xlsx workbook for a workbook.
(For an .ods as well, which every program that writes .ods opens: nothing that writes .ods is still maintained.)

Cells are as they came. What a spreadsheet would run as a formula is a text in a workbook, and comes after an apostrophe
in a CSV file, which is taken off when the file is imported again. Only a number that lost digits stays a number: as
text it would be taken for what was meant when the file comes again.
"""

import csv
import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Protocol
from uuid import UUID

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from hub.errors import HubRefused
from hub.readers import Format, Table
from hub.rules.formulas import as_meant, harmless

COLUMNS = ("error_code", "error_message")
"""The two columns at the right, the message last (RULE-102)."""
_START_OF_MESSAGE = '{"success":false,'
_LONGEST_CELL = 32_767
"""Characters; Excel takes a workbook with more in a cell for damaged."""


class FailedRows:
    """Collects rows in a file that nobody can see until `keep`; there is none when no row failed.

    Of an earlier failed-rows file that was corrected and imported again, the two columns it had are left out.
    """

    def __init__(self, directory: Path, name: str, id: UUID, now: datetime) -> None:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name).stem)[:80] or "file"
        self._directory = directory
        self._name = f"{now:%Y%m%dT%H%M%SZ}-{stem}-{id.hex[-8:]}"
        self._file: IO[bytes] | None = None
        self._rows: _Rows | None = None
        self._kept: Path | None = None

    @property
    def path(self) -> Path | None:
        """Where the file is once it is kept; None as long as no row failed."""
        return self._kept

    def add(self, table: Table, cells: Sequence[str], code: str, message: str, inexact: Collection[int] = ()) -> None:
        """Note a row; `inexact` as in `Row`. Raises `HubRefused` when it cannot be written down."""
        try:
            rows = self._rows or self._begun(table)
            rows.write(*self._marked(cells, code, message, inexact))
        except OSError as error:
            raise self._cannot(error) from error

    def sync(self) -> None:
        """Put everything on the disk; no row comes after. Raises `HubRefused` when that fails."""
        if self._file is None or self._rows is None:
            return
        try:
            self._rows.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._cannot(error) from error

    def keep(self) -> Path | None:
        """After `sync`, show the file under its name, whole, and say where it is; None when no row failed.

        What was imported stays imported: where the file cannot be shown, it is left where it is.
        """
        if self._file is None or self._kept is None:
            return None
        file, self._file = self._file, None
        try:
            file.close()
            self._hidden.replace(self._kept)
        except OSError:
            return self._hidden
        return self._kept

    def discard(self) -> None:
        """Leave nothing behind, unless it was kept."""
        if self._file is None:
            return
        try:
            if self._rows is not None:
                self._rows.abandon()
            self._file.close()
        except OSError:
            pass  # It writes what is left first, on a disk that may be full: that was refused already.
        finally:
            self._hidden.unlink(missing_ok=True)
            self._file = None

    def _begun(self, table: Table) -> "_Rows":
        is_text = table.format.kind == "csv"
        self._kept = self._directory / f"{self._name}.{'csv' if is_text else 'xlsx'}"
        self._hidden = self._kept.with_name(f".{self._kept.name}.part")
        self._file = self._open()
        self._rows = _TextRows(self._file, table.format) if is_text else _SheetRows(self._file, self._directory)
        self._dropped = {index for index, name in enumerate(table.headers) if name in COLUMNS}
        self._headers = table.headers
        self._rows.write(*self._marked(table.headers, *COLUMNS))
        return self._rows

    def _open(self) -> IO[bytes]:
        # Rows hold names and addresses: nobody else on this machine may read them.
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(self._hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")

    def _marked(
        self, cells: Sequence[str], code: str, message: str, inexact: Collection[int] = ()
    ) -> tuple[list[str], set[int]]:
        dropped = self._reported(cells, code)
        kept = [index for index in range(len(cells)) if index not in dropped]
        missing = [""] * (len(self._headers) - len(self._dropped) - len(kept))
        numbers = {column for column, index in enumerate(kept) if index in inexact}
        return [*(cells[index] for index in kept), *missing, code, message], numbers

    def _reported(self, cells: Sequence[str], code: str) -> set[int]:
        """Which cells an earlier failed-rows file added: in a row that was too wide they are not in their columns.

        In case of doubt a cell stays.
        """
        if not self._dropped:
            return set()
        messages = [index for index, cell in enumerate(cells) if cell.startswith(_START_OF_MESSAGE)]
        if len(cells) == len(self._headers) and self._dropped.issuperset(messages):
            return self._dropped
        codes = [index - 1 for index in messages if index and cells[index - 1].strip() in ("", code)]
        return {*messages, *codes}

    def _cannot(self, error: OSError) -> HubRefused:
        return HubRefused(
            f"The failed rows cannot be written to {self._directory} ({error.strerror}). Nothing was imported."
        )


class _Rows(Protocol):
    """How rows are written; all raise `OSError` when they cannot be."""

    def write(self, cells: Sequence[str], numbers: Collection[int]) -> None:
        """`numbers`: the indexes of cells that are no text, where that makes a difference."""

    def finish(self) -> None:
        """Hand everything to the file."""

    def abandon(self) -> None:
        """Leave nothing but the file."""


class _TextRows:
    def __init__(self, file: IO[bytes], format: Format) -> None:
        encoding = "utf-8-sig" if format.marked and format.encoding == "utf-8" else format.encoding
        # What came from this encoding fits it; a message may not, and its JSON knows these escapes.
        self._text = TextIOWrapper(file, encoding, errors="backslashreplace", newline="")
        self._writer = csv.writer(self._text, delimiter=format.delimiter or ",")

    def write(self, cells: Sequence[str], numbers: Collection[int]) -> None:
        # An apostrophe that came with a cell of ours is enough: with a second one it would mean another text.
        self._writer.writerow(harmless(as_meant(cell)) for cell in cells)

    def finish(self) -> None:
        self._text.flush()

    def abandon(self) -> None:
        self._text.close()


class _SheetRows:
    def __init__(self, file: IO[bytes], directory: Path) -> None:
        self._scratch = TemporaryDirectory(dir=directory, prefix=".", suffix=".part")
        self._book = Workbook(file, {"constant_memory": True, "tmpdir": self._scratch.name, "nan_inf_to_errors": True})
        self._sheet = self._book.add_worksheet()
        self._number = 0

    def write(self, cells: Sequence[str], numbers: Collection[int]) -> None:
        for column, cell in enumerate(cells):
            if column in numbers:
                self._sheet.write_number(self._number, column, float(cell))
            else:
                self._sheet.write_string(self._number, column, cell[:_LONGEST_CELL])
        self._number += 1

    def finish(self) -> None:
        try:
            self._book.close()
        except FileCreateError as error:
            raise error.args[0] from error
        self._scratch.cleanup()

    def abandon(self) -> None:
        with suppress(OSError):
            self._sheet.row_data_fh.close()
        self._scratch.cleanup()
