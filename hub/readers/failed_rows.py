"""The failed-rows file: what a file's staff correct and import again."""

import csv
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from hub.errors import HubRefused
from hub.readers import Table

COLUMNS = ("error_code", "error_message")
"""The two columns at the right, the message last (RULE-102)."""
_START_OF_MESSAGE = '{"success":false,'


class FailedRows:
    """Collects rows in a file that nobody can see until `keep`; there is none when no row failed.

    Cells are written as they came, in the delimiter and encoding of the original. Of an earlier failed-rows file that
    was corrected and imported again, the two columns it had are left out.
    """

    def __init__(self, directory: Path, source: Path, id: UUID, now: datetime) -> None:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", source.stem)[:80] or "file"
        self._kept = directory / f"{now:%Y%m%dT%H%M%SZ}-{stem}-{id.hex[-8:]}.csv"
        self._hidden = self._kept.with_name(f".{self._kept.name}.part")
        self._file: IO[str] | None = None

    def add(self, table: Table, cells: Sequence[str], code: str, message: str) -> None:
        """Note a row. Raises `HubRefused` when it cannot be written down."""
        try:
            if self._file is None:
                self._file = self._open(table)
                self._writer = csv.writer(self._file, delimiter=table.delimiter)
                self._dropped = {index for index, name in enumerate(table.headers) if name in COLUMNS}
                self._headers = table.headers
                self._write(table.headers, *COLUMNS)
            self._write(cells, code, message)
        except OSError as error:
            raise self._cannot(error) from error

    def sync(self) -> None:
        """Put everything on the disk. Raises `HubRefused` when that fails."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._cannot(error) from error

    def keep(self) -> Path | None:
        """Show the file under its name, whole, and say where it is; None when no row failed.

        What was imported stays imported: where the file cannot be shown, it is left where it is.
        """
        if self._file is None:
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
            self._file.close()
        except OSError:
            pass  # It writes what is left first, on a disk that may be full: that was refused already.
        finally:
            self._hidden.unlink(missing_ok=True)
            self._file = None

    def _open(self, table: Table) -> IO[str]:
        # Rows hold names and addresses: nobody else on this machine may read them.
        self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(handle, "w", encoding=table.encoding, newline="")

    def _write(self, cells: Sequence[str], code: str, message: str) -> None:
        dropped = self._reported(cells, code)
        original = [cell for index, cell in enumerate(cells) if index not in dropped]
        missing = [""] * (len(self._headers) - len(self._dropped) - len(original))
        self._writer.writerow([*original, *missing, code, message])

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
            f"The failed rows cannot be written to {self._kept.parent} ({error.strerror}). Nothing was imported."
        )
