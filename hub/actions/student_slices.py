"""What is stored of some students, as the rules of the student file want to have it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import count
from uuid import UUID

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from hub.rules.addresses import Address, Domains
from hub.rules.identity import student_id
from hub.rules.student_file.columns import EMAIL
from hub.rules.student_file.known import Known, MatchBy, Seen, Student
from hub.rules.student_file.rows import FileRow
from hub.store import domains, freed, institutions
from hub.store import students as store


class Stored:
    """What is stored, as far as a file is concerned with it: one slice after the other, in one `writing` block."""

    def __init__(self, conn: Connection, institution_id: UUID, match_by: MatchBy, freed_since: datetime) -> None:
        self._conn = conn
        self._institution_id = institution_id
        self._match_by = match_by
        self._private_key = institutions.of(conn, institution_id).private_key
        self._ids: dict[str, UUID] = {}
        self._ids_taken: set[UUID] = set()
        self._known = Known(
            domains=Domains(institution_id, domains.owners(conn)),
            seen=Seen(),
            new_id=uuid7,
            student_id=self._new_id,
            freed=freed.since(conn, institution_id, freed_since),
        )

    def known(self, rows: Sequence[FileRow]) -> Known:
        """What bears on these rows. Their students are kept from other writers until the end of the block."""
        conn, institution_id, known = self._conn, self._institution_id, self._known
        known.by_id, known.students = {}, {}
        known.addresses, known.cards, known.auth_identifiers = {}, {}, {}
        usernames = _mentioned(rows, "username")
        self._load(store.named(conn, institution_id, usernames))
        emails = {row.email.key for row in rows if row.email}
        listed = {email.key for row in rows for email in row.more}
        # Mostly everything is the students' own: then there is nothing more to ask.
        known.addresses |= store.address_owners(conn, (emails | listed) - known.addresses.keys())
        cards = _mentioned(rows, "card_id") - known.cards.keys()
        known.cards |= store.card_owners(conn, institution_id, cards)
        identifiers = _mentioned(rows, "auth_identifier") - known.auth_identifiers.keys()
        known.auth_identifiers |= store.auth_identifier_owners(conn, institution_id, identifiers)
        others = {*known.cards.values(), *known.auth_identifiers.values()}
        if self._match_by == EMAIL:
            others |= {owner for key, owner in known.addresses.items() if key in emails}
        self._load(store.with_ids(conn, institution_id, others - known.by_id.keys()))
        self._ids = {each: student_id(self._private_key, each) for each in usernames - known.students.keys()}
        self._ids_taken = store.there(conn, institution_id, self._ids.values())
        return known

    def _load(self, rows: Collection[store.Found]) -> None:
        known, found = self._known, whole(self._conn, self._institution_id, rows)
        known.by_id |= found
        for student in found.values():
            known.students[student.username] = student
            known.addresses |= dict.fromkeys(student.addresses, student.id)
            known.cards |= dict.fromkeys(student.cards, student.id)
            if student.auth_identifier is not None:
                known.auth_identifiers[student.auth_identifier] = student.id

    def _new_id(self, username: str) -> UUID:
        """The first id of this username that is not the id of somebody who was called so and is no longer."""
        first = self._ids.get(username) or student_id(self._private_key, username)
        if first not in self._ids_taken and first not in self._known.by_id:
            return first
        ids = (student_id(self._private_key, username, holders) for holders in count(1))
        return next(each for each in ids if not store.there(self._conn, self._institution_id, [each]))


def whole(conn: Connection, institution_id: UUID, rows: Collection[store.Found]) -> dict[UUID, Student]:
    """Students with their addresses and cards, by id."""
    # In the order of the columns that were read: by name it would take a tenth of an import's time.
    students = {row[0]: Student(*row) for row in rows}
    for owner, *fields in store.addresses_of(conn, institution_id, students):
        address = Address(*fields)
        students[owner].addresses[address.key] = address
    for owner, card_id in store.cards_of(conn, institution_id, students):
        students[owner].cards.add(card_id)
    return students


def _mentioned(rows: Collection[FileRow], column: str) -> set[str]:
    return {row.values[column] for row in rows if column in row.values}
