"""What a chunk of a student file comes to, as rows for the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from hub.database import Row
from hub.rules.addresses import Address
from hub.rules.student_file.plan import Create, Update
from hub.store import students as store


class Writes:
    """What one chunk comes to, written with few statements.

    What is released goes first and what is new comes last, so that a row may take over what an earlier row gave up.
    """

    def __init__(self, institution_id: UUID, now: datetime) -> None:
        self._mine: Row = {"institution_id": institution_id}
        self._now = now
        self._created: list[Row] = []
        self._updated: list[Row] = []
        self._new_addresses: list[Row] = []
        self._changed_addresses: list[Row] = []
        self._dropped_addresses: list[UUID] = []
        self._new_cards: list[Row] = []
        self._dropped_cards: list[str] = []

    def add(self, outcome: Create | Update) -> None:
        """Take note of a row's changes."""
        student, changes = outcome.student, outcome.changes
        row = self._mine | {name: getattr(student, name) for name in store.FIELDS} | {"changed_at": self._now}
        if isinstance(outcome, Create):
            self._created.append(row | {"made_at": self._now})
        else:
            self._updated.append(row)
        owner = self._mine | {"student_id": student.id}
        for address in changes.new_addresses:
            self._new_addresses.append(owner | _address(address) | {"added_at": self._now, "confirmed_at": self._now})
        for address in changes.changed_addresses.values():
            self._changed_addresses.append(self._mine | _address(address) | {"confirmed_at": self._now})
        self._dropped_addresses += changes.dropped_addresses
        self._new_cards += [owner | {"card_id": card_id} for card_id in changes.new_cards]
        self._dropped_cards += changes.dropped_cards

    def flush(self, conn: Connection) -> None:
        """Write all of it."""
        institution_id = self._mine["institution_id"]
        store.drop_addresses(conn, institution_id, self._dropped_addresses)
        store.drop_cards(conn, institution_id, self._dropped_cards)
        store.change(conn, self._updated)
        # No student has two main addresses, not for a moment: first those that no longer are.
        store.change_addresses(conn, sorted(self._changed_addresses, key=lambda row: row["main"]))
        store.add(conn, self._created)
        store.add_addresses(conn, self._new_addresses)
        store.add_cards(conn, self._new_cards)


def _address(address: Address) -> Row:
    return {name: getattr(address, name) for name in store.ADDRESS_FIELDS}
