"""What a kiosk that knows everybody's identifiers and the desk PIN can read of the feed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from hub.actions import kiosks, readiness, serve_roster
from hub.database import reading
from hub.schema import addresses, cards, passes
from sync import directory
from sync.directory import Line
from sync.identifiers import Card, Identifier, Pass, read_email
from sync.messages import DeskLock, Entry, Person, Session, Settings
from sync.seals import lookup, open_directory_line, open_greeting, unlock


@dataclass(frozen=True)
class Seen:
    """A person as their entry reads: the greeting for every identifier on the hub that opens one."""

    state: str
    greetings: dict[Identifier, str]
    line: Line | None
    registered: tuple[UUID, ...]


@dataclass(frozen=True)
class View:
    entries: dict[UUID, Entry]
    people: dict[UUID, Seen]
    epoch: UUID
    roster_key: bytes
    lock: DeskLock | None
    directory_key: bytes | None

    def session(self, session_id: UUID) -> Session:
        found = self.entries[session_id]
        assert isinstance(found, Session)
        return found


def view(engine: Engine, institution_id: UUID, pin: str = "") -> View:
    """The whole feed, read with whatever this PIN opens."""
    kiosk = kiosks.everyone(engine, institution_id)[0]
    page = serve_roster.page_after(engine, readiness.hub_id(engine), kiosk, None, 0)
    assert page is not None
    assert page.start is not None
    settings = next(entry for entry in page.entries if isinstance(entry, Settings))
    directory_key = unlock(settings.desk_lock, pin) if settings.desk_lock and pin else None
    keys = {lookup(page.start.roster_key, each): each for each in _identifiers(engine)}
    people = {}
    for entry in page.entries:
        if isinstance(entry, Person):
            greetings: dict[Any, str] = {}
            for (tag, box_key), identifier in keys.items():
                for key in entry.keys:
                    if key.tag == tag:
                        greeting = open_greeting(box_key, key.greeting, page.epoch, entry.position)
                        assert greeting is not None
                        greetings[identifier] = greeting
            assert len(greetings) == len(entry.keys)
            people[entry.ref] = Seen(entry.state, greetings, _line(directory_key, entry, page.epoch), entry.registered)
    entries = {_key(entry): entry for entry in page.entries}
    return View(entries, people, page.epoch, page.start.roster_key, settings.desk_lock, directory_key)


def _line(directory_key: bytes | None, person: Person, epoch: UUID) -> Line | None:
    if person.directory is None or directory_key is None:
        return None
    opened = open_directory_line(directory_key, person.directory, epoch, person.position)
    assert opened is not None
    return directory.read(opened)


def _key(entry: Entry) -> UUID:
    match entry:
        case Person():
            return entry.ref
        case Session():
            return entry.id
    return UUID(int=entry.position)


def _identifiers(engine: Engine) -> list[Identifier]:
    with reading(engine) as conn:
        found: list[Identifier] = [read_email(row.key) for row in conn.execute(addresses.select())]
        found += [Card(row.card_id) for row in conn.execute(cards.select())]
        return found + [Pass(row.id) for row in conn.execute(passes.select())]
