"""Workbooks are zip archives: what is looked at before anything in one is opened."""

import re
import stat
import struct
import zlib
from typing import BinaryIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from hub.errors import UnreadableFile

MAX_ENTRIES = 2_000
"""A workbook has a handful for each sheet and picture."""
MAX_UNPACKED = 1_000_000_000
"""Bytes that the archive says it holds. A sheet of a million rows has about half of that."""
MAX_RATIO = 500
"""How much smaller than itself an entry may be; an .ods of nearly the same rows gets to 300, and a bomb has 1,000."""

DAMAGE = (BadZipFile, EOFError, zlib.error, struct.error, NotImplementedError)
"""What reading from a damaged archive raises; the last of them for a way of packing that nobody here knows."""
_SMALL = 1 << 20
_PROLOG = 1 << 16
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")
_NESTED = (".zip", ".7z", ".rar", ".gz", ".xlsx", ".xlsm", ".xlsb", ".ods", ".odt", ".docx", ".pptx", ".jar")
_XML = (".xml", ".rels")


def open_archive(raw: BinaryIO) -> ZipFile:
    """The archive, once nothing in its directory or in the beginnings of its XML speaks against it.

    Raises `UnreadableFile` with reason `broken_workbook`, `encrypted` or `unsafe_workbook` (`entry`, `why`).
    """
    try:
        archive = ZipFile(raw)
        _check_directory(archive.infolist())
        for entry in archive.infolist():
            if entry.filename.lower().endswith(_XML):
                _check_prolog(archive, entry)
    except (*DAMAGE, ValueError, LookupError) as error:
        raise broken_workbook() from error
    return archive


def broken_workbook() -> UnreadableFile:
    return UnreadableFile(
        "broken_workbook",
        "This workbook is damaged or incomplete, or has cells far away from its table. "
        "Open it in Excel or LibreOffice, save the table as CSV and import that file.",
    )


def encrypted() -> UnreadableFile:
    return UnreadableFile("encrypted", "This workbook has a password. Save it without one and import that file.")


def _check_directory(entries: list[ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise _unsafe("", "entries", f"it has more than {MAX_ENTRIES:,} parts")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise _unsafe("", "unpacked", f"unpacked it would be larger than {MAX_UNPACKED // 1_000_000_000} GB")
    seen: set[str] = set()
    for entry in entries:
        if entry.flag_bits & 1:
            raise encrypted()
        name = entry.filename
        if name.lower() in seen:
            raise _unsafe(name, "twice", "a part is in it twice")
        seen.add(name.lower())
        if _OUTSIDE.search(name) or stat.S_ISLNK(entry.external_attr >> 16):
            raise _unsafe(name, "outside", "a part points outside the file")
        if name.lower().endswith(_NESTED):
            raise _unsafe(name, "nested", "another file is embedded in it")
        if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
            raise _unsafe(name, "ratio", "it holds far more than its size allows")


def _unsafe(entry: str, why: str, said: str) -> UnreadableFile:
    return UnreadableFile(
        "unsafe_workbook",
        f"This workbook is not opened, because {said}. Copy the table into a new workbook, or save it as CSV.",
        entry=entry[:200],
        why=why,
    )


class _Begun(Exception):
    pass


def _check_prolog(archive: ZipFile, entry: ZipInfo) -> None:
    """No document type, hence no entities, and no essay: no program writes them into a workbook.

    What is no XML is found later.
    """
    parser = expat.ParserCreate()

    def begins(*_: object) -> None:
        raise _Begun

    def declares(*_: object) -> None:
        raise _unsafe(entry.filename, "entities", "a part of it declares entities")

    parser.StartElementHandler = begins
    parser.StartDoctypeDeclHandler = declares
    with archive.open(entry) as part:
        try:
            # All at once: expat reads what is not at its end again and again, with every block.
            parser.Parse(part.read(_PROLOG))
        except (_Begun, expat.ExpatError):
            return
        if part.read(1):
            raise _unsafe(entry.filename, "prolog", "a part of it has a long text before it begins")
