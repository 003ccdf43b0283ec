"""Lists: text files in UTF-8 with one thing a line."""

from pathlib import Path

from hub.errors import UnreadableFile

MAX_BYTES = 5_000_000
"""Room for 100,000 addresses."""


def read_lines(path: Path) -> list[str]:
    """The lines of a file, empty ones included, so that their numbers are those an editor shows.

    Raises `UnreadableFile` with reason `cannot_read`, `too_large` or `not_utf8`.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFile("cannot_read", f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise UnreadableFile("too_large", f"{path} is larger than 5 MB. Split it.")
    try:
        return raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UnreadableFile("not_utf8", f"{path} is not UTF-8 text. One username or address a line.") from error
