"""Files as somebody uploads them, read here and now: what the child process does, without the process."""

from collections.abc import Mapping
from io import BytesIO
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from xlsxwriter import Workbook

from hub.errors import UnreadableFile
from hub.readers import Format, How, Kind, Row
from hub.readers.kinds import read_file


class Read(NamedTuple):
    headers: list[str]
    rows: list[Row]
    format: Format

    @property
    def table(self) -> list[list[str]]:
        return [self.headers, *(row.cells for row in self.rows)]


def read(content: bytes, kind: Kind = "csv", how: How = How()) -> Read:  # noqa: B008 - it is frozen
    with TemporaryFile() as raw:
        raw.write(content)
        raw.seek(0)
        table = read_file(raw, kind, how)
        return Read(table.headers, list(table.rows), table.format)


def refusal(content: bytes, kind: Kind = "csv", how: How = How()) -> UnreadableFile:  # noqa: B008 - it is frozen
    with pytest.raises(UnreadableFile) as refused:
        read(content, kind, how)
    return refused.value


def workbook(rows: list[list[str]], *, top: int = 0, left: int = 0) -> bytes:
    """An .xlsx with texts in its cells."""
    out = BytesIO()
    with Workbook(out) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows, top):
            for column, cell in enumerate(row, left):
                sheet.write_string(number, column, cell)
    return out.getvalue()


_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_OFFICE = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATED = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_RELATION = b'<Relationship Id="r1" Type="' + _OFFICE + b'/%s" Target="%s"/></Relationships>'
_MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
PARTS = {
    "[Content_Types].xml": _TYPES,
    "_rels/.rels": _RELATED + _RELATION % (b"officeDocument", b"xl/workbook.xml"),
    "xl/workbook.xml": b"<workbook %s xmlns:r='%s'><sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>"
    % (_MAIN, _OFFICE),
    "xl/_rels/workbook.xml.rels": _RELATED + _RELATION % (b"worksheet", b"worksheets/sheet1.xml"),
}
"""The least an .xlsx needs, but for its sheet."""
SHEET = "xl/worksheets/sheet1.xml"


def sheet_of(data: bytes) -> bytes:
    return b"<worksheet %s><sheetData>%s</sheetData></worksheet>" % (_MAIN, data)


def made_by_hand(
    data: bytes, more: Mapping[str, bytes] = MappingProxyType({}), compression: int = ZIP_DEFLATED
) -> bytes:
    """An .xlsx with this XML for rows."""
    return zipped({**PARTS, SHEET: sheet_of(data), **more}, compression)


def spreadsheet(content: bytes, manifest: bytes = b"<manifest/>") -> bytes:
    """An .ods with this XML for its table."""
    namespaces = b" ".join(
        b'xmlns:%s="urn:oasis:names:tc:opendocument:xmlns:%s:1.0"' % (name, name)
        for name in (b"office", b"table", b"text")
    )
    body = (
        b'<office:document-content %s><office:body><office:spreadsheet><table:table table:name="S">%s'
        b"</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": manifest,
            "content.xml": body % (namespaces, content),
        }
    )


def zipped(parts: dict[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", compression, compresslevel=9) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()
