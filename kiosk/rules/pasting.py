"""A pasted list: its lines, or why it is not one. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

MOST_LINES = 500
MOST_BYTES = 64 * 1024

_LINE_ENDS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on a line of the list; lines are counted from 1, empty ones too."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing of it can be used; `line` where there is a place to name, `count` where there is too much."""

    reason: Literal["empty", "not_text", "too_many_lines", "too_large", "several_columns"]
    line: int | None = None
    count: int | None = None


def lines_of(text: str) -> list[Line] | Refused:
    """The lines that are not blank, one address, card or pass each (RULE-54).

    What has several columns is refused: nobody can tell from which of them people are to be checked in.
    """
    every = [Line(number, line) for number, line in enumerate(_LINE_ENDS.split(text), 1)]
    binary = next((line.number for line in every if "\0" in line.text), None)
    if binary is not None:
        return Refused("not_text", line=binary)
    filled = [line for line in every if line.text.strip()]
    if not filled:
        return Refused("empty")
    if len(filled) > MOST_LINES:
        return Refused("too_many_lines", line=filled[MOST_LINES].number, count=len(filled))
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        return Refused("too_large", count=size)
    several = next((line.number for line in filled if _has_columns(line.text.strip())), None)
    return filled if several is None else Refused("several_columns", line=several)


def _has_columns(text: str) -> bool:
    return "\t" in text or ("@" in text and (";" in text or "," in text))
