"""Bringing a student to what a row says, and what that changes beside the student's own row."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from hub.rules.addresses import Address, vouch, vouched
from hub.rules.student_file.columns import CLEAR, COLUMNS, MORE
from hub.rules.student_file.known import Known, Student
from hub.rules.student_file.rows import FileRow
from sync.identifiers import Email


@dataclass(slots=True)
class Changes:
    """What to do to the rows beside the student's own. `on_screen`: kiosks must be told. `recently_freed`: a new
    address was somebody else's until lately.
    """

    new_addresses: list[Address] = field(default_factory=list)
    changed_addresses: dict[UUID, Address] = field(default_factory=dict)
    dropped_addresses: list[Address] = field(default_factory=list)
    new_cards: list[str] = field(default_factory=list)
    dropped_cards: list[str] = field(default_factory=list)
    on_screen: bool = False
    recently_freed: bool = False


def apply(row: FileRow, student: Student, known: Known, changes: Changes) -> bool:
    """Bring the student to what the row says; whether that changed anything."""
    changed = False
    for name, text in row.values.items():
        place = COLUMNS[name].place
        if place == "field":
            changed |= _set_field(student, name, text, known)
        elif place == "attribute":
            changed |= _set_attribute(student, name, text)
        elif place == "card":
            changed |= _set_card(student, text, known, changes)
    changed |= _set_emails(row, student, known, changes)
    return changed


def _set_field(student: Student, name: str, text: str, known: Known) -> bool:
    new = (text.upper() == "TRUE") if name == "disabled" else None if text == CLEAR else text
    old = getattr(student, name)
    if new == old:
        return False
    setattr(student, name, new)
    if name == "auth_identifier":
        known.auth_identifiers.pop(old, None)
        if new is not None:
            known.auth_identifiers[text] = student.id
    return True


def _set_attribute(student: Student, name: str, text: str) -> bool:
    new = None if text == CLEAR else text
    if student.attributes.get(name) == new:
        return False
    if new is None:
        del student.attributes[name]
    else:
        student.attributes[name] = new
    return True


def _set_card(student: Student, text: str, known: Known, changes: Changes) -> bool:
    """The file's card replaces the one an earlier file brought; cards that came otherwise stay."""
    new, old = (None if text == CLEAR else text), student.attributes.get("card_id")
    changed = _set_attribute(student, "card_id", text)
    if changed and old is not None and old in student.cards:
        student.cards.remove(old)
        known.cards.pop(old, None)
        changes.dropped_cards.append(old)
    if new is not None and new not in student.cards:
        student.cards.add(new)
        known.cards[new] = student.id
        changes.new_cards.append(new)
        changed = True
    return changed


def _set_emails(row: FileRow, student: Student, known: Known, changes: Changes) -> bool:
    kept = {email.key for email in row.more}
    if row.values.get(MORE) == CLEAR:
        wanted = {email.key for email in (row.email, row.held) if email is not None}
        for listed in list(student.addresses.values()):
            if vouched(listed) and not listed.main and listed.key not in wanted:
                _let_go(student, listed, known, changes)
    if row.email is not None:
        _set_main(student, row.email, kept, known, changes)
    for email in row.more:
        address = student.addresses.get(email.key)
        if address is None:
            _insert(student, email, False, known, changes)
        elif not vouched(address):
            _change(student, vouch(address), changes)
    return bool(changes.new_addresses or changes.changed_addresses or changes.dropped_addresses)


def _set_main(student: Student, email: Email, kept: set[str], known: Known, changes: Changes) -> None:
    """The file's address is the main one; the one before it is released, unless the row lists it too."""
    old, new = student.main, student.addresses.get(email.key)
    if old is not None and old is not new:
        if old.key in kept:
            _change(student, replace(old, main=False), changes)
        else:
            _let_go(student, old, known, changes)
    if new is None:
        _insert(student, email, True, known, changes)
    elif not (new.main and new.typed == email.typed and vouched(new)):
        _change(student, replace(vouch(new), main=True, typed=email.typed), changes)


def _change(student: Student, address: Address, changes: Changes) -> None:
    student.addresses[address.key] = address
    changes.changed_addresses[address.id] = address


def _insert(student: Student, email: Email, main: bool, known: Known, changes: Changes) -> None:
    address = Address(known.new_id(), email.key, email.typed, "school", main, "confirmed", "imported")
    student.addresses[email.key] = address
    known.addresses[email.key] = student.id
    changes.new_addresses.append(address)
    changes.recently_freed |= known.freed.get(email.key, student.id) != student.id


def _let_go(student: Student, address: Address, known: Known, changes: Changes) -> None:
    """The school no longer stands for an address: one that the student confirmed stays theirs."""
    if address.origin == "added":
        _change(student, replace(address, kind="additional", main=False), changes)
    else:
        _drop(student, address, known, changes)


def _drop(student: Student, address: Address, known: Known, changes: Changes) -> None:
    del student.addresses[address.key]
    known.addresses.pop(address.key, None)
    known.freed[address.key] = student.id
    changes.dropped_addresses.append(address)
    if student.preferred_address_id == address.id:
        student.preferred_address_id = None
