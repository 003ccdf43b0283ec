"""Staff paste a list of people, and each line of it is a check-in of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from kiosk.actions.arrivals import Arrival, Somebody, Stand, Stores, occasion_of, record_on, somebody, standing_at
from kiosk.rules.pasting import Line, Refused, lines_of
from kiosk.rules.verdicts import NotRecognised, NotRecorded, SeeStaff, Verdict
from kiosk.store import sqlite
from kiosk.store.roster_rows import Found, Recognised
from sync.errors import Unreadable
from sync.identifiers import BLANKS, Card
from sync.messages import MAX_SEALED

CHUNK = 50
"""Lines in one transaction: ten waits for the disk instead of five hundred, and nobody at the desk waits for more than
these."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a line. `found`: who that is, if the roster knows them. `same_as`: the number of an earlier line
    with the same person."""

    line: Line
    verdict: Verdict
    found: Found | None = None
    same_as: int | None = None


def paste(
    stores: Stores, session_id: UUID | None, text: str, new_arrival: Callable[[str], Arrival], leaving: bool = False
) -> list[Result] | Refused | SeeStaff:
    """Check in, or out, whoever the lines name, one after the other; what is wrong with one says nothing of others.

    A list that cannot be used is refused, and nothing of it is recorded. `new_arrival` makes an arrival of a text.
    """
    lines = lines_of(text)
    if isinstance(lines, Refused):
        return lines
    stand = standing_at(stores, session_id, leaving)
    if isinstance(stand, SeeStaff):
        return stand
    first: dict[str, Result] = {}
    return [
        result
        for start in range(0, len(lines), CHUNK)
        for result in _recorded(stores, stand, lines[start : start + CHUNK], new_arrival, first)
    ]


def _recorded(
    stores: Stores, stand: Stand, lines: Sequence[Line], new_arrival: Callable[[str], Arrival], first: dict[str, Result]
) -> list[Result]:
    """What came of these lines, all of it on the disk; or none of it is, and they say why."""
    read = [(line, _read(stores, stand, line.text)) for line in lines]
    occasion = occasion_of(stores.roster, stand, replace(new_arrival(""), by_hand=True))
    results: list[Result] = []
    seen = dict(first)
    try:
        with stores.journal.writing() as page:
            for line, who in read:
                if isinstance(who, NotRecognised):
                    results.append(Result(line, who))
                    continue
                earlier = seen.get(who.subject)
                if earlier is not None and stand.leaving:
                    # Nobody leaves twice.
                    results.append(replace(earlier, line=line, same_as=earlier.line.number))
                    continue
                verdict = record_on(page, occasion, who, new_arrival(line.text), stand.leaving)
                result = Result(line, verdict, who.found, earlier.line.number if earlier else None)
                seen.setdefault(who.subject, result)
                results.append(result)
    except sqlite.NotRecorded as error:
        return [Result(line, NotRecorded(error.reason)) for line in lines]
    first.update(seen)
    return results


def _read(stores: Stores, stand: Stand, text: str) -> Somebody | NotRecognised:
    try:
        who = somebody(stand, _recognised(stores, text), by_hand=True)
    except Unreadable as error:
        return NotRecognised(error.reason)
    return NotRecognised("too_long") if len(who.sealed) > MAX_SEALED else who


def _recognised(stores: Stores, text: str) -> Recognised:
    try:
        return stores.roster.recognise(text)
    except Unreadable as error:
        if error.reason != "not_an_address" or "@" in text:
            raise
    # No format reads it, and it is no address: the bare id of a card (RULE-54).
    return stores.roster.look_up(Card(text.strip(BLANKS)))
