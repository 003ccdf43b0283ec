"""What goes over the wire, and nothing else. Frozen structs, read and written by msgspec. Pure.

No field can hold a clear address or a person's name: people appear as `ref` (a random-looking id that means
something at the hub only), as `tag` (a keyed hash) or sealed. Bytes travel as base64, moments as RFC 3339 in UTC,
ids as UUID text. `wire.md` explains the protocol these messages make.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec

MAX_FACTS = 200
"""Facts in one push."""
MAX_PUSH_BYTES = 256 * 1024
"""Bytes of one push after decompression."""
MAX_FACT_BYTES = 2 * 1024
"""Bytes of one fact; the kiosk never makes a larger one."""
PAGE = 1_000
"""Entries in one feed page."""
HUB_HEADER = "Kiosk-Hub"
"""Names the hub on every answer of its API, those without a body included."""

Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its zone; one without is refused."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""A number that every JSON reader holds exactly."""
Hash: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
ShortText: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
EventKind = Literal["event", "career_fair", "appointment", "survey"]
Method = Literal["email", "card", "pass", "staff"]


class Moment(msgspec.Struct, frozen=True):
    """When something happened, as one device saw it.

    `wall` is the device's clock (UTC); `boot` names the run of its kernel and `since_boot_ms` counts in it without
    ever jumping, so that the hub can work out the true time from a later exchange in the same run.
    """

    wall: Instant
    boot: Annotated[str, msgspec.Meta(max_length=64)]
    since_boot_ms: Count


# --- facts ---------------------------------------------------------------------------------------------------------


class CheckIn(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="check_in",
    omit_defaults=True,
):
    """One person, seen once, at one desk. Made by the kiosk, never changed after.

    Who: `ref` when the roster knew the person, else `tag` with `sealed_identifier` (sealed to the hub's public key).
    `roster_position` is the feed position the kiosk stood at when it decided.
    """

    id: UUID
    session_id: UUID
    method: Method
    at: Moment
    roster_position: Count
    ref: UUID | None = None
    tag: bytes | None = None
    sealed_identifier: Annotated[bytes, msgspec.Meta(max_length=1_200)] | None = None


class Undo(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="undo",
    omit_defaults=True,
):
    """Takes back the check-ins it names, and only those: one it had not seen stays."""

    id: UUID
    session_id: UUID
    at: Moment
    undoes: Annotated[tuple[UUID, ...], msgspec.Meta(min_length=1, max_length=30)]


Fact = CheckIn | Undo

# --- push ----------------------------------------------------------------------------------------------------------


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """Facts `from_seq`, `from_seq + 1`, … of one stream, as the bytes first written. None of them: a heartbeat.

    `prev_hash` is the chain's hash before the first of them; `head_seq` is how many facts the kiosk has made.
    """

    proto: int
    from_seq: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    prev_hash: Hash
    head_seq: Count
    clock: Moment
    facts: tuple[msgspec.Raw, ...] = ()


class StreamMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far the hub holds a stream, durably."""

    acked_seq: Count
    acked_hash: Hash


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub made of one fact.

    `verdict` is `counted`, `already_present`, `applied`, `parked:<reason>` or `set_aside` (stored as bytes, not
    understood; `id` is then null). A newer hub may say more.
    """

    seq: Count
    id: UUID | None
    verdict: str


class PushAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Processed: the marks in here, and nothing else, tell the kiosk what the hub holds."""

    hub_id: UUID
    epoch: UUID
    hub_time: Instant
    stream: StreamMark
    receipts: tuple[Receipt, ...]


# --- feed ----------------------------------------------------------------------------------------------------------


class Key(msgspec.Struct, frozen=True, array_like=True):
    """One identifier of a person: `tag` finds it, `greeting` opens only with that identifier."""

    tag: bytes
    greeting: bytes


class Person(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="person"):
    """A student with every confirmed address and card; `state` `disabled` means: send to staff (RULE-35)."""

    position: Count
    ref: UUID
    state: Literal["active", "disabled"]
    keys: tuple[Key, ...]


class Session(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="session"):
    """A session of an event; every check-in belongs to one."""

    position: Count
    id: UUID
    event_id: UUID
    event: str
    event_kind: EventKind
    name: str
    starts: Instant
    ends: Instant


class CardFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How this institution's cards read: a whole-input pattern, and one that picks the id out (RULE-24..27)."""

    whole: str
    extract: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="settings"):
    """What holds for the whole institution."""

    position: Count
    institution: str
    card_formats: tuple[CardFormat, ...] = ()


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="gone"):
    """A person or a session that is no longer there. Leaving is an entry too."""

    position: Count
    what: Literal["person", "session"]
    key: UUID


Entry = Person | Session | Settings | Gone


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a kiosk needs to read a feed from its beginning."""

    roster_key: bytes


class FeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in position order, ending at `to`. With `start`: forget what you have, this is the first page."""

    hub_id: UUID
    epoch: UUID
    to: Count
    more: bool
    entries: tuple[Entry, ...]
    start: Start | None = None


# --- enrolment and problems ----------------------------------------------------------------------------------------


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A kiosk presenting its one-time code."""

    code: ShortText
    app: ShortText


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """The kiosk's standing: its bearer token is said here once and never again."""

    kiosk_id: UUID
    token: str
    hub_id: UUID
    hub_key: bytes
    institution: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused (RFC 9457, `application/problem+json`); `code` is stable, `title` is for people."""

    type: str
    title: str
    status: int
    code: str
    hub_id: UUID | None = None
    detail: str | None = None
    stream: StreamMark | None = None
    at_seq: Count | None = None


class _UnreadPage(FeedPage, frozen=True, kw_only=True):
    entries: tuple[msgspec.Raw, ...]  # type: ignore[assignment]


class _Kind(msgspec.Struct, frozen=True):
    kind: str


def read_page(body: bytes) -> FeedPage:
    """A feed page from its JSON. Entries of a kind this version does not know are left out: a newer hub may have some.

    Raises `msgspec.DecodeError` for what is no page, or has an entry of a known kind that cannot be read.
    """
    page = msgspec.json.decode(body, type=_UnreadPage)
    entries = tuple(entry for entry in map(_entry, page.entries) if entry is not None)
    return FeedPage(hub_id=page.hub_id, epoch=page.epoch, to=page.to, more=page.more, entries=entries, start=page.start)


def _entry(raw: msgspec.Raw) -> Entry | None:
    try:
        return _ENTRY.decode(raw)
    except msgspec.ValidationError:
        if msgspec.json.decode(raw, type=_Kind).kind in _KINDS:
            raise
        return None


_ENTRY: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
_KINDS = {each.__struct_config__.tag for each in (Person, Session, Settings, Gone)}
FACT: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)
ENCODER = msgspec.json.Encoder(uuid_format="canonical")


def encode(message: msgspec.Struct) -> bytes:
    """The message as JSON bytes."""
    return ENCODER.encode(message)
