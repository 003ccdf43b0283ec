"""A scanner types as on one keyboard, and this device reads as from another: what each character turns into is learned
from one printed code, and undone.

The code holds every character that addresses, cards and passes need, each followed by two blanks. A key that is dead
on this device's layout swallows one of them, a key it does not know leaves nothing: both are told apart from a
character that was lost on its way. The three same letters at either end are three same characters on any layout.
"""

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sync.errors import BadPattern, Unreadable
from sync.identifiers import Card, CompiledFormat, Pass, compile_format, read
from sync.messages import CardFormat

NEEDED = string.ascii_lowercase + string.ascii_uppercase + string.digits + "@.-_:;=!%/+?"
"""What addresses, cards and passes are written with."""
_VITAL = string.ascii_letters + string.digits + "@.-_:"
"""Without these neither addresses nor passes come through."""
_MARK = "aaa"
_GAP = "  "
CODE = _GAP.join((_MARK, *NEEDED, _MARK))
"""What the printed code says."""
_BETWEEN_MARKS = re.compile(r"([^ ])\1\1  (.*)\1\1\1", re.DOTALL)
_PICTURES = 0x2400
_ONE = re.compile(r"([^ ])?( {1,2})")

Reason = Literal["nothing", "incomplete", "prefix", "suffix", "lost", "one_case", "same", "caps_lock"]


@dataclass(frozen=True, slots=True)
class ScannerMap:
    """What to make of what comes in: `changes` from the character received to the one that was meant.

    `layout` is `QWERTY`, `AZERTY`, `QWERTZ` or `other`. `lost` are characters that never arrive.
    """

    layout: str
    changes: Mapping[str, str]
    lost: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing could be learned. `detail`: the characters it is about, if any."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Echo:
    """What something that was scanned would be taken for: `pass`, `card`, `address` or `nothing`.

    `number` counts card formats from 1; `reason` is why it is nothing.
    """

    kind: Literal["pass", "card", "address", "nothing"]
    number: int | None = None
    reason: str | None = None


def learn(received: str) -> ScannerMap | Problem:
    """What the scanner's characters turn into here, from what came in when it read `CODE`."""
    text = received.strip("\r\n\t")
    if not text.strip():
        return Problem("nothing")
    marked = _BETWEEN_MARKS.search(text)
    if marked is None:
        return Problem("incomplete")
    before, after = text[: marked.start()], text[marked.end() :]
    if before:
        return Problem("prefix", before)
    if after:
        return Problem("suffix", after)
    arrived = _arrived(marked.group(2))
    if arrived is None:
        return Problem("incomplete")
    return _problem(arrived) or ScannerMap(
        layout=_layout(arrived),
        changes={char: meant for meant, char in arrived.items() if char != meant},
        lost="".join(each for each in NEEDED if each not in arrived),
    )


def corrected(text: str, changes: Mapping[str, str]) -> str:
    """What was meant by what came in."""
    return "".join(changes.get(char, char) for char in text)


def visible(text: str) -> str:
    """The text with a sign for everything in it that would not be seen, or would turn the rest around."""
    return "".join(_sign(char) for char in text)


def echo(text: str, card_formats: Iterable[CardFormat]) -> Echo:
    """What the desk would take it for. Says nothing of whose it is."""
    formats = dict(_usable(card_formats))
    try:
        found = read(text, formats.values())
    except Unreadable as error:
        return Echo("nothing", reason=error.reason)
    if isinstance(found, Pass):
        return Echo("pass")
    if isinstance(found, Card):
        swipe = text.strip("\r\n")
        return Echo("card", next(nth for nth, each in formats.items() if each.card_id(swipe) is not None))
    return Echo("address")


def _sign(char: str) -> str:
    if char <= " ":
        return chr(_PICTURES + ord(char)) if char < " " else "␣"
    return f"<U+{ord(char):04X}>" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp") else char


def _usable(card_formats: Iterable[CardFormat]) -> Iterator[tuple[int, CompiledFormat]]:
    for nth, each in enumerate(card_formats, start=1):
        with suppress(BadPattern):
            yield nth, compile_format(each)


def _arrived(inside: str) -> dict[str, str] | None:
    """What each needed character came in as, without those that are lost. None: more or less came than was sent."""
    arrived = {}
    at = 0
    for meant in NEEDED:
        one = _ONE.match(inside, at)
        if one is None:
            return None
        char, blanks = one.groups()
        if char is None and blanks != _GAP:
            return None
        # A dead key takes the next blank for itself.
        if char is not None and blanks == _GAP:
            arrived[meant] = char
        at = one.end()
    return arrived if at == len(inside) else None


def _problem(arrived: Mapping[str, str]) -> Problem | None:
    lost = "".join(each for each in _VITAL if each not in arrived)
    if lost:
        return Problem("lost", lost)
    letters = string.ascii_lowercase
    if all(arrived[each] == arrived[each.upper()] for each in letters):
        return Problem("one_case")
    heard = list(arrived.values())
    same = "".join(meant for meant, char in arrived.items() if heard.count(char) > 1)
    if same:
        return Problem("same", same)
    # A few letters lie where another layout has signs.
    if sum(arrived[each].isupper() for each in letters) > len(letters) / 2:
        return Problem("caps_lock")
    return None


def _layout(arrived: Mapping[str, str]) -> str:
    moved = {each for each in string.ascii_lowercase if arrived[each] != each}
    if not moved:
        return "QWERTY"
    if {"a", "q"} <= moved and arrived["a"] == "q":
        return "AZERTY"
    return "QWERTZ" if arrived["y"] == "z" and arrived["z"] == "y" else "other"
