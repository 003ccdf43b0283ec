"""A student at one moment: what undoing an import puts back, and how it tells that nobody has changed them. Pure.

Whatever is not of the student file's making is left out: passes, registrations, whether syncs leave the student alone.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec

from hub.rules.addresses import Address
from hub.rules.student_file.known import Student


class KeptAddress(msgspec.Struct, frozen=True, array_like=True):
    """An address; `moments`, of one that is gone, are when it was added and confirmed."""

    address: Address
    moments: tuple[datetime, datetime | None] | None = None


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A student with everything a file may change."""

    id: UUID
    username: str
    auth_identifier: str | None
    names: tuple[str, str | None, str | None, str | None]
    school_year_name: str | None
    disabled: bool
    preferred_address_id: UUID | None
    attributes: dict[str, str]
    addresses: tuple[KeptAddress, ...]
    cards: tuple[str, ...]


Moments = Mapping[UUID, tuple[datetime, datetime | None]]


def snapshot(student: Student, moments: Moments) -> Snapshot:
    """The student as they are now. `moments`, by address, of those that are about to go."""
    return Snapshot(
        id=student.id,
        username=student.username,
        auth_identifier=student.auth_identifier,
        names=(student.first_name, student.last_name, student.middle_name, student.preferred_name),
        school_year_name=student.school_year_name,
        disabled=student.disabled,
        preferred_address_id=student.preferred_address_id,
        attributes=student.attributes,
        addresses=tuple(
            KeptAddress(each, moments.get(each.id)) for each in sorted(student.addresses.values(), key=_by_id)
        ),
        cards=tuple(sorted(student.cards)),
    )


def digest(student: Student) -> bytes:
    """16 bytes that are the same exactly while nobody changes what a file may change."""
    return blake2b(_DIGESTED.encode(snapshot(student, {})), digest_size=16).digest()


def restored(kept: Snapshot) -> Student:
    """The student that a snapshot was made of."""
    first_name, last_name, middle_name, preferred_name = kept.names
    return Student(
        id=kept.id,
        username=kept.username,
        auth_identifier=kept.auth_identifier,
        first_name=first_name,
        last_name=last_name,
        middle_name=middle_name,
        preferred_name=preferred_name,
        school_year_name=kept.school_year_name,
        disabled=kept.disabled,
        preferred_address_id=kept.preferred_address_id,
        attributes=dict(kept.attributes),
        addresses={each.address.key: each.address for each in kept.addresses},
        cards=set(kept.cards),
    )


def moments_in(kept: Snapshot) -> Moments:
    """When addresses that are gone were added and confirmed, by their ids."""
    return {each.address.id: each.moments for each in kept.addresses if each.moments is not None}


def _by_id(address: Address) -> bytes:
    return address.id.bytes


_DIGESTED = msgspec.json.Encoder(order="sorted")
