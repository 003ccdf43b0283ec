"""What a chunk of a student file comes to, as rows for the database."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from hub.database import Row
from hub.rules.addresses import Address
from hub.rules.student_file.known import Student
from hub.rules.student_file.plan import Create, Update
from hub.rules.student_file.snapshot import digest, snapshot
from hub.store import freed, import_changes
from hub.store import students as store


class Writes:
    """What one chunk comes to, written with few statements.

    What is released goes first and what is new comes last, so that a row may take over what an earlier row gave up.
    """

    def __init__(self, institution_id: UUID, now: datetime, import_id: UUID | None) -> None:
        """`import_id`: which import may be undone later; None when there will be nothing to undo."""
        self._mine: Row = {"institution_id": institution_id}
        self._now = now
        self._import_id = import_id
        self._outcomes: list[tuple[Create | Update, str]] = []
        self._created: list[Row] = []
        self._updated: list[Row] = []
        self._new_addresses: list[Row] = []
        self._changed_addresses: list[Row] = []
        self._dropped_addresses: list[UUID] = []
        self._freed: list[tuple[str, UUID]] = []
        self._new_cards: list[Row] = []
        self._dropped_cards: list[str] = []

    def add(self, outcome: Create | Update, named: str) -> None:
        """Take note of a row's changes. `named`: what the file calls the student."""
        student, changes = outcome.student, outcome.changes
        self._outcomes.append((outcome, named))
        row = student_row(self._mine["institution_id"], student, self._now)
        if isinstance(outcome, Create):
            self._created.append(row | {"made_at": self._now})
        else:
            self._updated.append(row)
        owner = self._mine | {"student_id": student.id}
        confirmed = {"added_at": self._now, "confirmed_at": self._now}
        for address in changes.new_addresses:
            self._new_addresses.append(owner | address_row(address) | confirmed)
        for address in changes.changed_addresses.values():
            self._changed_addresses.append(self._mine | address_row(address) | {"confirmed_at": self._now})
        self._dropped_addresses += [address.id for address in changes.dropped_addresses]
        self._freed += [(address.key, student.id) for address in changes.dropped_addresses]
        self._new_cards += [owner | {"card_id": card_id} for card_id in changes.new_cards]
        self._dropped_cards += changes.dropped_cards

    def flush(self, conn: Connection) -> None:
        """Write all of it."""
        institution_id = self._mine["institution_id"]
        self._record(conn, institution_id)
        freed.note(conn, institution_id, self._freed, self._now)
        store.drop_addresses(conn, institution_id, self._dropped_addresses)
        store.drop_cards(conn, institution_id, self._dropped_cards)
        store.change(conn, self._updated)
        # No student has two main addresses, not for a moment: first those that no longer are.
        store.change_addresses(conn, sorted(self._changed_addresses, key=lambda row: row["main"]))
        store.add(conn, self._created)
        store.add_addresses(conn, self._new_addresses)
        store.add_cards(conn, self._new_cards)

    def _record(self, conn: Connection, institution_id: UUID) -> None:
        """What undoing the import needs: how everybody was before, and how to tell that they are as they are now."""
        if self._import_id is None:
            return
        moments = store.moments_of(conn, institution_id, self._dropped_addresses)
        mine = self._mine | {"import_id": self._import_id}
        import_changes.add(
            conn,
            [
                mine
                | {
                    "student_id": each.student.id,
                    "before": (named, snapshot(each.before, moments) if isinstance(each, Update) else None),
                    "after": digest(each.student),
                }
                for each, named in self._outcomes
            ],
        )


def student_row(institution_id: UUID, student: Student, now: datetime) -> Row:
    """A student for the table of students."""
    row = {name: getattr(student, name) for name in store.FIELDS}
    return row | {"institution_id": institution_id, "changed_at": now}


def address_row(address: Address) -> Row:
    """An address for the table of addresses."""
    return {name: getattr(address, name) for name in store.ADDRESS_FIELDS}
