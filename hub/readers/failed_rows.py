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
                self._width = len(table.headers)
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
        """Show the file under its name, whole; None when no row failed."""
        if self._file is None:
            return None
        self._file.close()
        self._hidden.replace(self._kept)
        self._file = None
        return self._kept

    def discard(self) -> None:
        """Leave nothing behind, unless it was kept."""
        if self._file is not None:
            self._file.close()
            self._hidden.unlink(missing_ok=True)

    def _open(self, table: Table) -> IO[str]:
        # Rows hold names and addresses: nobody else on this machine may read them.
        self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(handle, "w", encoding=table.encoding, newline="")

    def _write(self, cells: Sequence[str], code: str, message: str) -> None:
        original = [cell for index, cell in enumerate(cells) if index not in self._dropped]
        missing = [""] * (self._width - len(cells))
        self._writer.writerow([*original, *missing, code, message])

    def _cannot(self, error: OSError) -> HubRefused:
        return HubRefused(
            f"The failed rows cannot be written to {self._kept.parent} ({error.strerror}). Nothing was imported."
        )
