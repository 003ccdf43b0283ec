"""What there is to say about any file: how its headers were understood, and how its text was read."""

from collections.abc import Collection, Iterator, Mapping

from hub.actions.imports import Warned
from hub.readers import Format
from hub.rules.headers import Understood, resembled


def of_headers(found: Understood, known: Collection[str], aliases: Mapping[str, str]) -> Iterator[Warned]:
    """Headers that were taken for a column, and those that are left out (RULE-84)."""
    for header, column in found.taken_for.items():
        yield Warned(code="header_taken_for", header=header, did_you_mean=column)
    for header in found.unknown:
        yield Warned(code="unknown_header", header=header, did_you_mean=resembled(header, known, aliases))


def of_format(format: Format) -> Iterator[Warned]:
    """An encoding that nothing in the file confirms."""
    if format.guessed:
        yield Warned(code="encoding_guessed", encoding=format.encoding)
