"""Which encoding a text file is in, and that all of it can be read so.

A byte order mark is believed, then UTF-8 that is right to the last byte, then the zeros of UTF-16. What remains is
Windows-1252 or Mac Roman, told apart by how the letters they make fit the words around them: a general detector takes
short French files for Czech or Greek.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from hub.errors import UnreadableFile
from hub.readers import ENCODINGS

_BLOCK = 1 << 20
_SAMPLE = 200_000
_SAVE_AS = "Save it again as “CSV UTF-8” and import that file."
_NAMES = {"utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252", "mac_roman": "Mac Roman"}
_HIGH = re.compile(rb"[\x80-\xff]+(?:[\x00-\x7f]{1,2}[\x80-\xff]+)*")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_AROUND_WORDS = frozenset("’‘“”«»–—…€°ºª§ \u00a0")
"""What may stand beside letters in Western text without being one."""
_RARE = frozenset("ŽžŠšƒˆ¯ıﬁﬂ")
"""Letters that in such a file are a French or German one, misread."""


class Encoding(NamedTuple):
    """`name`: one of `ENCODINGS`. `codec`: what Python decodes it with, byte order mark included."""

    name: str
    codec: str
    marked: bool = False
    guessed: bool = False


def encoding_of(raw: BinaryIO, asked: str | None) -> Encoding:
    """The encoding of a file, once it is sure that all of it can be read so. `asked`: what somebody said it is.

    Raises `UnreadableFile` with reason `unknown_encoding`, `not_utf8` (RULE-83), `not_in_encoding`, `nul` or `empty`.
    """
    raw.seek(0)
    start = raw.read(4096)
    if asked is not None:
        encoding = _asked(start, asked)
        _check(raw, encoding)
        return encoding
    if (known := _announced(start)) is not None:
        _check(raw, known)
        return known
    utf8 = Encoding("utf-8", "utf-8")
    try:
        _check(raw, utf8)
    except UnreadableFile as refused:
        if refused.reason != "not_utf8":
            raise
        sample = _sample(raw)
        if _mostly_utf8(sample):
            raise
        guess = guessed(sample)
        _check(raw, guess)
        return guess
    return utf8


def guessed(sample: bytes) -> Encoding:
    """The likelier of the encodings that nothing in a file tells apart."""
    candidates = [Encoding(name, name, guessed=True) for name in ("cp1252", "mac_roman")]
    return max(candidates, key=lambda each: _likelihood(sample, each.codec))


def _asked(start: bytes, asked: str) -> Encoding:
    if asked not in ENCODINGS:
        raise UnreadableFile(
            "unknown_encoding",
            f"{asked} is not an encoding that is read. Choose one of {', '.join(ENCODINGS)}.",
            encoding=asked,
        )
    announced = _announced(start)
    if announced is not None and announced.name == asked:
        return announced
    if asked == "utf-16":
        first, second = _zeros(start)
        return Encoding(asked, "utf-16-be" if first > second else "utf-16-le")
    return Encoding(asked, asked)


def _announced(start: bytes) -> Encoding | None:
    if start.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8", "utf-8-sig", marked=True)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "utf-16", marked=True)
    # Without a mark: one of the two bytes of nearly every character of a header row is zero.
    first, second = _zeros(start)
    most = len(start) // 2 * 7 // 10
    if most and second >= most and first * 10 < second:
        return Encoding("utf-16", "utf-16-le", guessed=True)
    if most and first >= most and second * 10 < first:
        return Encoding("utf-16", "utf-16-be", guessed=True)
    return None


def _zeros(start: bytes) -> tuple[int, int]:
    """How many pairs of bytes have a zero first, and how many second."""
    return start[::2].count(0), start[1::2].count(0)


def _check(raw: BinaryIO, encoding: Encoding) -> None:
    """Raises `UnreadableFile` with the line where it stops being text in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    line, written = 1, False
    for block in _blocks(raw):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = bytes(error.object[: error.start]).decode(error.encoding, errors="replace")
            raise _not_in(encoding, line + _line_ends(before)) from error
        if "\0" in text:
            at = line + _line_ends(text[: text.index("\0")])
            raise UnreadableFile("nul", f"Line {at} holds a NUL byte: this is not a text file. {_SAVE_AS}", line=at)
        written = written or bool(text.strip("\ufeff \t\r\n"))
        line += _line_ends(text)
    if not written:
        raise UnreadableFile("empty", "There is nothing in the file. Export it again with a header row.")


def _not_in(encoding: Encoding, line: int) -> UnreadableFile:
    if encoding.name == "utf-8":
        return UnreadableFile("not_utf8", f"Line {line} is not UTF-8 text. {_SAVE_AS}", line=line)
    name = _NAMES[encoding.name]
    return UnreadableFile("not_in_encoding", f"Line {line} is not {name} text. {_SAVE_AS}", line=line, encoding=name)


def _blocks(raw: BinaryIO) -> Iterator[bytes]:
    """The file in blocks, with an empty one at the end."""
    raw.seek(0)
    while block := raw.read(_BLOCK):
        yield block
    yield b""


def _line_ends(text: str) -> int:
    # A file uses one or the other; a carriage return before a line feed ends no line of its own.
    return text.count("\n") or text.count("\r")


def _sample(raw: BinaryIO) -> bytes:
    """What there is to go by in the whole file, each with its neighbours: the first accent may come late."""
    found, size = [], 0
    for block in _blocks(raw):
        for high in _HIGH.finditer(block):
            found.append(block[max(high.start() - 2, 0) : high.end() + 2])
            size += len(found[-1])
            if size >= _SAMPLE:
                return b"\n".join(found)
    return b"\n".join(found)


def _mostly_utf8(sample: bytes) -> bool:
    """Whether this is UTF-8 with a few stray bytes: read as anything else, every accent would come out wrong."""
    found = _NON_ASCII.findall(sample.decode("utf-8", errors="surrogateescape"))
    stray = sum(1 for char in found if "\ud800" <= char <= "\udfff")
    return 2 * stray <= len(found)


def _likelihood(sample: bytes, codec: str) -> float:
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return -float("inf")
    return sum(_fits(text, found.start()) for found in _NON_ASCII.finditer(text))


def _fits(text: str, at: int) -> int:
    """How well a character goes with its neighbours: misread letters are symbols, or capitals inside a word."""
    char, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if char in _RARE:
        return -1
    if not char.isalpha():
        inside = before.isalpha() and after.isalpha() and char != "’"
        return 0 if char in _AROUND_WORDS and not inside else -2
    if char.isupper():
        return -2 if before.islower() or (before.isupper() and after.islower()) else 1
    return -2 if after.isupper() or (before.isupper() and text[at - 2 : at - 1].isupper()) else 1
