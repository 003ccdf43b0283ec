"""What kind of file it is: its name and its content have to agree."""

from typing import BinaryIO
from zipfile import ZipFile

from hub.errors import UnreadableFile
from hub.readers import How, Kind, Table
from hub.readers.archives import broken_workbook, encrypted, open_archive
from hub.readers.text import read_text
from hub.readers.workbooks import read_ods, read_xlsx

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Workbooks of before 2007, and newer ones with a password."""
_NO_TEXT = (*_ZIP, _COMPOUND, b"%PDF", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x89PNG", b"\xff\xd8\xff")
_WEB_PAGE = (b"<!doctype html", b"<html")
_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
_SAVE_AS_CSV = "Save it again as “CSV UTF-8” and import that file."


def read_file(raw: BinaryIO, kind: Kind, how: How) -> Table:
    """The table in an open file that claims to be of this kind.

    Raises `UnreadableFile`, here or while rows are read: what the reader of that kind raises, and reason `empty`,
    `not_csv`, `web_page`, `not_a_workbook`, `old_workbook`, `wrong_extension` (`kind`) or `encrypted`.
    """
    start = raw.read(64)
    if not start:
        raise UnreadableFile("empty", "The file is empty. Export it again with a header row.")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_WEB_PAGE):
        raise UnreadableFile(
            "web_page", "This is a web page, perhaps one that asks to sign in. Download the file again while signed in."
        )
    if kind == "csv":
        if start.startswith(_NO_TEXT):
            raise UnreadableFile("not_csv", f"This is no text file, whatever its name says. {_SAVE_AS_CSV}")
        return read_text(raw, how)
    if start.startswith(_COMPOUND):
        raise _compound(raw)
    if not start.startswith(_ZIP):
        raise not_a_workbook()
    archive = open_archive(raw)
    found = _kind_of(archive)
    if found != kind:
        raise UnreadableFile(
            "wrong_extension", f"This is an .{found} workbook. Rename the file so that its name says so.", kind=found
        )
    return read_xlsx(archive, how) if kind == "xlsx" else read_ods(archive, raw, how)


def old_workbook() -> UnreadableFile:
    return UnreadableFile(
        "old_workbook",
        "Only .xlsx and .ods workbooks are read. Save it as “Excel workbook (.xlsx)” and import that file.",
    )


def not_a_workbook() -> UnreadableFile:
    return UnreadableFile("not_a_workbook", "This is no workbook, whatever its name says. Save it as .xlsx or .csv.")


def _compound(raw: BinaryIO) -> UnreadableFile:
    raw.seek(0)
    return encrypted() if "EncryptedPackage".encode("utf-16-le") in raw.read() else old_workbook()


def _kind_of(archive: ZipFile) -> Kind:
    parts = set(archive.namelist())
    if "mimetype" in parts and archive.open("mimetype").read(64).startswith(_SPREADSHEET):
        return "ods"
    if any(part in parts for part in ("xl/workbook.bin", "xl/vbaProject.bin")):
        raise old_workbook()
    if any(part.startswith("xl/") for part in parts):
        return "xlsx"
    raise broken_workbook() if not parts or "[Content_Types].xml" in parts else not_a_workbook()
