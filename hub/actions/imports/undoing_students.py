"""Put students back to what they were before an import.

Only who is still exactly as the import left them: whatever somebody did since stays. What two students exchanged has to
be let go of before either can have it back, so it takes three walks through what the import changed.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from hub.actions.imports import MOST_SHOWN, Kept, Undone
from hub.actions.imports.running import CHUNK, chunks, seldom_collecting
from hub.actions.student_slices import whole
from hub.actions.student_writes import address_row, student_row
from hub.database import Row
from hub.rules.student_file.known import Student
from hub.rules.student_file.snapshot import Moments, Snapshot, digest, moments_in, restored
from hub.store import facts, feed, freed, import_changes, imports
from hub.store import students as store
from hub.store.import_changes import Change


def undo_students(conn: Connection, institution_id: UUID, import_id: UUID, now: datetime) -> Undone:
    """Put back what an import changed, in a `writing` block; again: there is nothing left to do.

    Kept, with one of `codes.KEPT`: who is not as the import left them; who is new and has been seen, registered or
    given a pass since; and whose old address, card, username or SSO id somebody else has now. A check-in that counted
    by an address that goes waits for it again. On PostgreSQL it waits until no other file is imported or checked.
    """
    imports.take_turns(conn, institution_id)
    with seldom_collecting():
        came: set[UUID] = set()
        while True:
            try:
                with conn.begin_nested():
                    return _Undoing(conn, institution_id, import_id, now, came).run()
            except _CameMeanwhile as error:
                came |= error.students


class _CameMeanwhile(Exception):
    """Kiosks saw these students while they were about to go: then they stay, with all that they had."""

    def __init__(self, students: set[UUID]) -> None:
        self.students = students


@dataclass(frozen=True, slots=True)
class _Identifiers:
    """What may be one student's only."""

    username: str
    auth_identifier: str | None
    addresses: frozenset[str]
    cards: frozenset[str]

    @classmethod
    def of(cls, student: Student) -> "_Identifiers":
        cards = frozenset(student.cards)
        return cls(student.username, student.auth_identifier, frozenset(student.addresses), cards)


@dataclass(slots=True)
class _Undoing:
    """`back`: who is put back. `moving`: those of them who get or lose an identifier; `old`: what they had before, and
    `named`: what the file calls them. `taken`: addresses, by key, that are these students' no more; `unconfirmed`: that
    are theirs still, but not confirmed any more. `came`: who is in use, also if that
    shows only later.
    """

    conn: Connection
    institution_id: UUID
    import_id: UUID
    now: datetime
    came: set[UUID]
    back: set[UUID] = field(default_factory=set)
    moving: set[UUID] = field(default_factory=set)
    old: dict[UUID, _Identifiers] = field(default_factory=dict)
    named: dict[UUID, str] = field(default_factory=dict)
    kept: int = 0
    told: list[Kept] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)
    taken: dict[str, UUID] = field(default_factory=dict)
    unconfirmed: dict[str, UUID] = field(default_factory=dict)

    def run(self) -> Undone:
        for changes in self._changes():
            self._decide(changes)
        self._leave_what_others_have()
        for changes in self._changes():
            self._release([each for each in changes if each.student_id in self.moving])
        for changes in self._changes():
            self._restore([each for each in changes if each.student_id in self.back])
        # Last, because from here on other writers of the institution wait for this transaction.
        for ids in chunks(iter(self.gone)):
            feed.touch(self.conn, self.institution_id, "person", ids, gone=True)
        for ids in chunks(each for each in self.changed if each in self.back):
            feed.touch(self.conn, self.institution_id, "person", ids)
        self._settle_facts()
        return Undone(undone=len(self.back), kept=self.kept, told=tuple(self.told))

    def _settle_facts(self) -> None:
        """What came while the addresses were others' as well: pushes wait from here on."""
        conn, institution_id = self.conn, self.institution_id
        for owners, pending in ((self.taken, False), (self.unconfirmed, True)):
            for some in chunks(iter(owners.items())):
                facts.wait_again(conn, institution_id, dict(some), pending=pending)
        if came := store.in_use(conn, institution_id, self.gone):
            raise _CameMeanwhile(came)
        facts.settle_claims(conn, institution_id, store.claims_found(conn, institution_id))

    def _changes(self) -> Iterator[list[Change]]:
        return import_changes.of(self.conn, self.institution_id, self.import_id, CHUNK)

    def _students(self, ids: Collection[UUID]) -> dict[UUID, Student]:
        return whole(self.conn, self.institution_id, store.with_ids(self.conn, self.institution_id, ids))

    def _keep(self, who: str, why: str) -> None:
        self.kept += 1
        if len(self.told) < MOST_SHOWN:
            self.told.append(Kept(who, why))

    def _decide(self, changes: list[Change]) -> None:
        """Who is as the import left them, and what they have to get back for that."""
        students = self._students([each.student_id for each in changes])
        made = [each.student_id for each in changes if each.before is None]
        in_use = self.came | store.in_use(self.conn, self.institution_id, made)
        for each in changes:
            student, before = students.get(each.student_id), _before(each)
            if student is None:
                self._keep(each.named, "gone")
            elif digest(student) != each.after:
                self._keep(each.named, "changed_since")
            elif student.id in in_use:
                self._keep(each.named, "in_use")
            else:
                self.back.add(student.id)
                if before is not None and before[0].on_screen() != student.on_screen():
                    self.changed.append(student.id)
                if before is None:
                    self.moving.add(student.id)
                elif _Identifiers.of(before[0]) != _Identifiers.of(student):
                    self.moving.add(student.id)
                    self.old[student.id] = _Identifiers.of(before[0])
                    self.named[student.id] = each.named

    def _leave_what_others_have(self) -> None:
        """Who would get what somebody has who is not put back, stays as they are; and so on, until nobody does."""
        owners = self._owners()
        while True:
            blocked = [
                student_id
                for student_id in self.old
                if any(owner not in self.back and owner != student_id for owner in owners[student_id])
            ]
            if not blocked:
                return
            for student_id in blocked:
                self._keep(self.named[student_id], "identifier_taken")
                self.back.discard(student_id)
                self.moving.discard(student_id)
                del self.old[student_id]

    def _owners(self) -> dict[UUID, set[UUID]]:
        """Who has now what these students had."""
        wanted = self.old.values()
        by_address = store.address_owners(self.conn, {key for each in wanted for key in each.addresses})
        by_card = store.card_owners(self.conn, self.institution_id, {card for each in wanted for card in each.cards})
        by_sso = store.auth_identifier_owners(
            self.conn, self.institution_id, {each.auth_identifier for each in wanted if each.auth_identifier}
        )
        by_name = store.by_username(self.conn, self.institution_id, {each.username for each in wanted})
        return {
            student_id: {
                *(by_address[key] for key in old.addresses if key in by_address),
                *(by_card[card] for card in old.cards if card in by_card),
                *([by_sso[old.auth_identifier]] if old.auth_identifier in by_sso else []),
                *([by_name[old.username].id] if old.username in by_name else []),
            }
            for student_id, old in self.old.items()
        }

    def _release(self, changes: list[Change]) -> None:
        """Let go of what these students did not have before, and of those who were not there."""
        conn, institution_id = self.conn, self.institution_id
        students = self._students([each.student_id for each in changes])
        befores = {each.student_id: _before(each) for each in changes}
        left = {
            student_id: [each for key, each in student.addresses.items() if not _had(befores[student_id], key)]
            for student_id, student in students.items()
        }
        # None of them is noted as freed: they had them of this import alone.
        self.taken |= {each.key: owner for owner, some in left.items() for each in some}
        store.drop_addresses(conn, institution_id, [each.id for some in left.values() for each in some])
        cards = [card for owner, student in students.items() for card in student.cards - _cards(befores[owner])]
        store.drop_cards(conn, institution_id, cards)
        self.gone += [student_id for student_id, before in befores.items() if before is None]
        store.drop(conn, institution_id, *(student_id for student_id, before in befores.items() if before is None))
        mine: Row = {"institution_id": institution_id, "auth_identifier": None}
        # Nobody else can want a name like this meanwhile.
        nameless = [mine | {"id": owner, "username": str(owner)} for owner, before in befores.items() if before]
        store.change(conn, nameless)

    def _restore(self, changes: list[Change]) -> None:
        """Give these students back what they had."""
        conn, institution_id = self.conn, self.institution_id
        import_changes.forget(conn, institution_id, self.import_id, [each.student_id for each in changes])
        befores = {each.student_id: there for each in changes if (there := _before(each)) is not None}
        students = self._students(befores)
        rows, changed, pending, added, cards = [], [], [], [], []
        for owner, (before, moments) in befores.items():
            now_theirs = students[owner].addresses
            mine: Row = {"institution_id": institution_id}
            rows.append(student_row(institution_id, before, self.now))
            for key, address in before.addresses.items():
                if key not in now_theirs:
                    added_at, confirmed_at = moments[address.id]
                    times = {"student_id": owner, "added_at": added_at, "confirmed_at": confirmed_at}
                    added.append(mine | address_row(address) | times)
                elif address != now_theirs[key]:
                    changed.append(mine | address_row(address))
                    if address.state == "pending":
                        pending.append(address.id)
                        self.unconfirmed[key] = owner
            cards += [mine | {"student_id": owner, "card_id": card} for card in before.cards - students[owner].cards]
        store.change(conn, rows)
        # No student has two main addresses, not for a moment: first those that no longer are.
        store.change_addresses(conn, sorted(changed, key=lambda row: row["main"]))
        store.unconfirm(conn, institution_id, pending)
        store.add_addresses(conn, added)
        freed.forget(conn, institution_id, [row["key"] for row in added])
        store.add_cards(conn, cards)


Before = tuple[Student, Moments]


def _before(change: Change) -> Before | None:
    """What was there, with the moments of addresses that the import dropped."""
    if change.before is None:
        return None
    kept = msgspec.convert(change.before, Snapshot)
    return restored(kept), moments_in(kept)


def _had(before: Before | None, key: str) -> bool:
    return before is not None and key in before[0].addresses


def _cards(before: Before | None) -> set[str]:
    return set() if before is None else before[0].cards
