"""What an address may be to a student, and on whose domain it lies. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from sync.identifiers import MAX_EMAIL, Email

Kind = Literal["school", "additional"]
State = Literal["confirmed", "pending"]
Origin = Literal["imported", "added"]

TAKEN = "has already been taken"

UNREADABLE = {
    "empty": "can't be blank",
    "too_long": f"is too long (maximum is {MAX_EMAIL} characters)",
    "control_characters": "contains control characters",
    "not_an_address": "is not an email address",
}
"""What to tell people, by the reason of `sync.errors.Unreadable`."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a student. `typed` is for people, `key` for comparison."""

    id: UUID
    key: str
    typed: str
    kind: Kind
    main: bool
    state: State
    origin: Origin


@dataclass(frozen=True, slots=True)
class Domains:
    """The mail domains of all institutions, seen from one of them."""

    institution_id: UUID
    owners: Mapping[str, UUID]

    def own(self, email: Email) -> bool:
        """Whether an address lies on a domain of this institution, or below one and no other lists it (RULE-11)."""
        listed = self._listed(email.domain)
        return listed is not None and self.owners[listed] == self.institution_id

    def foreign(self, email: Email) -> str | None:
        """The domain by which an address belongs to another institution (RULE-20, RULE-97).

        None for an own domain and for one nobody lists, such as a personal mailbox's.
        """
        listed = self._listed(email.domain)
        return None if listed is None or self.owners[listed] == self.institution_id else listed

    def _listed(self, domain: str) -> str | None:
        # The longest listed one decides: an institution may own a part of another's domain.
        while domain and domain not in self.owners:
            domain = domain.partition(".")[2]
        return domain or None


def vouched(address: Address) -> bool:
    """Whether the school stands for this address: one of its own, confirmed without a mail (RULE-15)."""
    return address.kind == "school" and address.state == "confirmed"


def vouch(address: Address) -> Address:
    """The address as one of the school's own, confirmed at once (RULE-15).

    One that the student added and confirmed is still that, for when the school lets go of it. Of one that is pending
    nobody but the school says that it is theirs.
    """
    origin: Origin = "imported" if address.state == "pending" else address.origin
    return replace(address, kind="school", state="confirmed", origin=origin)
