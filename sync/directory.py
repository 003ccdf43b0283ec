"""A person's line of the staff directory: what a desk shows to find somebody by name. Travels sealed. Pure."""

import msgspec


class Line(msgspec.Struct, frozen=True, array_like=True):
    """`name` as the person uses it, `also` other names they are known by, and what tells two people of one name apart:
    the school year and a part of the main address."""

    name: str
    also: str = ""
    year: str = ""
    hint: str = ""


LONGEST = 400
"""Bytes of a line."""


def write(line: Line) -> bytes:
    """The line as bytes. What would make it too long is shortened, and ends in an ellipsis."""
    cut = Line(_cut(line.name, 80), _cut(line.also, 80), _cut(line.year, 30), _cut(line.hint, 40))
    body = msgspec.json.encode(cut)
    return body if len(body) <= LONGEST else msgspec.json.encode(Line(_cut(line.name, 40), "", "", _cut(line.hint, 10)))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def read(body: bytes) -> Line | None:
    """The line, or None when these bytes are none."""
    try:
        return msgspec.json.decode(body, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def hint(address: str) -> str:
    """So much of an address as tells two people apart: `ad…e2@example.edu`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:2]}…{local[-2:]}@{domain}" if len(local) > 4 else f"{local[:1]}…@{domain}"
