"""What scanners send: learned once from a printed code, and looked at without recording anything."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.actions.arrivals import Stores
from kiosk.rules import scanner
from kiosk.rules.scanner import Echo, Problem
from kiosk.store.journal import Journal
from kiosk.store.remembered import Scanner

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in: as it came, as it was meant, what the desk would take it for, and how the page saw it arrive.

    Blanks and the like are made visible; `length` counts what came in. `suffix` is `enter`, `tab`, `none` or not known;
    `took_ms`, how long the burst took, if it was one.
    """

    received: str
    meant: str
    length: int
    echo: Echo
    took_ms: int | None
    suffix: str | None


def learn(journal: Journal, received: str, at: datetime) -> Scanner | Problem:
    """What the desk's scanners type, from now on; nothing changes when there is a problem."""
    found = scanner.learn(received)
    if isinstance(found, Problem):
        return found
    learned = Scanner(found.layout, dict(found.changes), found.lost, at)
    journal.learn_scanner(learned)
    return learned


def hear(stores: Stores, received: str, took_ms: str | None, suffix: str | None) -> Heard:
    """What the desk would make of it. Nothing is looked up, nothing is recorded."""
    learned, settings = stores.journal.remembered().scanner, stores.roster.settings()
    meant = scanner.corrected(received, learned.changes) if learned else received
    return Heard(
        received=scanner.visible(received[:_SHOWN]),
        meant=scanner.visible(meant[:_SHOWN]),
        length=len(received),
        echo=scanner.echo(meant, settings.card_formats if settings else ()),
        took_ms=int(took_ms) if took_ms and took_ms.isascii() and took_ms.isdigit() and len(took_ms) < 7 else None,
        suffix=suffix if suffix in ("enter", "tab", "none") else None,
    )
