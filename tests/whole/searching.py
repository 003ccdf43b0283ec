"""Looks for people in bytes, as whoever has carried a kiosk away would."""

from collections.abc import Iterable
from pathlib import Path

ENCODINGS = (("utf-8", 8), ("utf-16-le", 16))
"""With how many bytes of a secret tell it from what looks like it by accident."""


def spoken_of(secrets: Iterable[str], content: bytes) -> list[str]:
    """Which of the secrets `content` of `folded` holds, whatever its capitals. Each has eight letters or more."""
    return [each for encoding, width in ENCODINGS for each in _spoken_of(secrets, content, encoding, width)]


def everything_in(folder: Path) -> bytes:
    """Every byte of every file in a folder."""
    return b"\0\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def folded(content: bytes) -> bytes:
    """Without capitals: of ASCII, and of Latin letters in UTF-8 and UTF-16."""
    return content.lower().replace("É".encode(), "é".encode()).replace(b"\xc9\x00", b"\xe9\x00")


def _spoken_of(secrets: Iterable[str], content: bytes, encoding: str, width: int) -> list[str]:
    # Looks for their first bytes, which each of them has: thousands of secrets cost no more than one.
    begins: dict[bytes, list[bytes]] = {}
    for secret in secrets:
        spelt = folded(secret.encode(encoding))
        assert len(spelt) >= width, secret
        begins.setdefault(spelt[:width], []).append(spelt)
    return [
        spelt.decode(encoding)
        for at in range(len(content) - width + 1)
        for spelt in begins.get(content[at : at + width], ())
        if content.startswith(spelt, at)
    ]
