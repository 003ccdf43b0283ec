"""Staff find people by name, check them in by hand, and take in those whom nobody knows."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from kiosk.actions.arrivals import Arrival, Somebody, Stand, Stores, record, session_for, somebody, standing_at
from kiosk.rules.names import Index
from kiosk.rules.verdicts import NotRecognised, NotRecorded, SeeStaff, Verdict
from kiosk.store import sqlite
from kiosk.store.directory import Listing, Reading
from kiosk.store.roster_rows import Found
from sync import seals
from sync.errors import Unreadable
from sync.messages import MAX_SEALED, Session

LONGEST_NAME = 80
"""Characters of a walk-in's name."""


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody a query has found. `since`: when they came in; None: they are not in. `registered` None: nobody needs to
    be registered for this session."""

    listing: Listing
    since: datetime | None
    registered: bool | None

    @property
    def is_disabled(self) -> bool:
        """Whether the office has to see them first (RULE-35)."""
        return self.listing.state == "disabled"


@dataclass(frozen=True, slots=True)
class Matches:
    """Whom a query has found, the best first, and how many more there are; of `total` people `read` are open."""

    found: list[Match]
    more: int
    read: int
    total: int
    whole: bool


def search(stores: Stores, reading: Reading[Index], query: str) -> Matches:
    """Whoever has these words, or their beginnings, in their names. Nobody for an empty query."""
    hits = reading.index.find(query)
    here = stores.journal.remembered()
    session = session_for(here, stores.roster, here.session.id) if here.session else None
    found = [match(stores, session, reading.listings[place]) for place in hits.places]
    return Matches(found, hits.more, len(reading.listings), reading.total, reading.whole)


def match(stores: Stores, session: Session | None, listing: Listing) -> Match:
    """How somebody stands to a session, as far as this desk knows."""
    if session is None:
        return Match(listing, None, None)
    ref = str(listing.ref)
    with stores.journal.looking() as page:
        seen = page.present(session.id, ref, ref)
    registered = session.id in listing.registered if session.listed else None
    return Match(listing, None if seen is None else seen.since, registered)


def by_hand(
    stores: Stores, listing: Listing, position: int, session_id: UUID | None, arrival: Arrival, leaving: bool = False
) -> Verdict:
    """Check somebody in whom staff have found by name (RULE-52), or out where people are leaving."""
    stand = standing_at(stores, session_id, leaving)
    if isinstance(stand, SeeStaff):
        return stand
    known = Found(listing.ref, listing.state, listing.line.name, listing.registered)
    who = Somebody(None, known, position, tag=b"", sealed=b"", method="staff")
    return kept(stores, stand, who, arrival)


@dataclass(frozen=True, slots=True)
class WalkIn:
    """What came of a walk-in. `found`: it was somebody on the list, and they were checked in as such."""

    verdict: Verdict
    found: Found | None = None


def walk_in(stores: Stores, session_id: UUID | None, name: str, arrival: Arrival) -> WalkIn:
    """Take somebody in by the address of the arrival, or by a name alone, which makes them a person of their own.

    What is kept of either can be read at the hub only (RULE-38).
    """
    stand = standing_at(stores, session_id, leaving=False)
    if isinstance(stand, SeeStaff):
        return WalkIn(stand)
    name = tidy(name)
    if len(name) > LONGEST_NAME:
        return WalkIn(NotRecognised("too_long"))
    if not arrival.text.strip():
        who = _known_by_name(stores, stand, name, arrival)
        return WalkIn(kept(stores, stand, who, arrival) if name else NotRecognised("empty"))
    try:
        recognised = stores.roster.recognise(arrival.text)
    except Unreadable as error:
        return WalkIn(NotRecognised(error.reason))
    who = somebody(stand, recognised, by_hand=True, name=name)
    if len(who.sealed) > MAX_SEALED:
        return WalkIn(NotRecognised("too_long"))
    return WalkIn(kept(stores, stand, who, arrival), recognised.found)


def kept(stores: Stores, stand: Stand, who: Somebody, arrival: Arrival) -> Verdict:
    """What is recorded of them, or why nothing was."""
    try:
        return record(stores, stand, who, replace(arrival, by_hand=True))
    except sqlite.NotRecorded as error:
        return NotRecorded(error.reason)


def tidy(name: str) -> str:
    """The name on one line."""
    return " ".join("".join(char if char.isprintable() or char in _JOINERS else " " for char in name).split())


# Not printable by themselves, yet part of how some names are written.
_JOINERS = "\u200c\u200d"


def _known_by_name(stores: Stores, stand: Stand, name: str, arrival: Arrival) -> Somebody:
    # The same form twice is the same person; another form is another, even of that name.
    tag = (arrival.intent_id or arrival.new_id).bytes[-seals.TAG_SIZE :]
    sealed = seals.seal_to_hub(stand.standing.enrolled.hub_key, None, name)
    state = stores.roster.state()
    return Somebody(None, None, state[1] if state else 0, tag, sealed, "staff")
