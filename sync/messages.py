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
MAX_SEALED = 1_200
"""Bytes of an identifier that is sealed to the hub."""
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
    `roster_position` is the feed position the kiosk stood at when it decided. `method` `staff`: by hand (RULE-52).
    """

    id: UUID
    session_id: UUID
    method: Method
    at: Moment
    roster_position: Count
    ref: UUID | None = None
    tag: bytes | None = None
    sealed_identifier: Annotated[bytes, msgspec.Meta(max_length=MAX_SEALED)] | None = None


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


class CheckOut(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="check_out",
    omit_defaults=True,
):
    """One person leaves a session, named as in a check-in; or `everyone` who is in it at that moment."""

    id: UUID
    session_id: UUID
    method: Method
    at: Moment
    roster_position: Count
    ref: UUID | None = None
    tag: bytes | None = None
    sealed_identifier: Annotated[bytes, msgspec.Meta(max_length=MAX_SEALED)] | None = None
    everyone: bool = False


class Rehearsal(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag="rehearsal",
    omit_defaults=True,
):
    """A check-in of nobody, to try the whole road before the doors open. Counts for nothing, anywhere."""

    id: UUID
    session_id: UUID
    at: Moment


Fact = CheckIn | Undo | CheckOut | Rehearsal


class Verbatim(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="verbatim"):
    """Stands in a push for a fact whose bytes cannot: they are no JSON, or the hub could not read a push with them."""

    bytes: bytes


# --- push ----------------------------------------------------------------------------------------------------------


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """Facts `from_seq`, `from_seq + 1`, … of one stream, as the bytes first written. None of them: a heartbeat.

    `prev_hash` is the chain's hash before the first of them; `head_seq` is how many facts the kiosk has made. `parent`
    is the stream that this one goes on from, under a new name and from the first fact again.
    """

    proto: int
    from_seq: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    prev_hash: Hash
    head_seq: Count
    clock: Moment
    facts: tuple[msgspec.Raw, ...] = ()
    parent: UUID | None = None


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


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The session the office wants this kiosk to stand at. `number` grows with each assignment of a kiosk, so that
    a desk which was switched by hand since then is left alone."""

    session_id: UUID
    number: Count


class PushAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Processed: the marks in here, and nothing else, tell the kiosk what the hub holds."""

    hub_id: UUID
    epoch: UUID
    hub_time: Instant
    stream: StreamMark
    receipts: tuple[Receipt, ...]
    assignment: Assignment | None = None


# --- feed ----------------------------------------------------------------------------------------------------------


class Key(msgspec.Struct, frozen=True, array_like=True):
    """One identifier of a person: `tag` finds it, `greeting` opens only with that identifier."""

    tag: bytes
    greeting: bytes


class Person(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="person", omit_defaults=True):
    """A student with every confirmed address, card and pass; `state` `disabled` means: send to staff (RULE-35).

    `directory` is a line of `sync.directory`, sealed under the directory key: there when the desk has a PIN.
    `registered` names the sessions they are registered for.
    """

    position: Count
    ref: UUID
    state: Literal["active", "disabled"]
    keys: tuple[Key, ...]
    directory: bytes | None = None
    registered: tuple[UUID, ...] = ()


class Session(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="session", omit_defaults=True):
    """A session of an event; every check-in belongs to one.

    `next_step`: by language, what a person who has checked in does next. `listed`: only for who is registered.
    `check_out`: people check out when they leave. Desks check in from `opens` until `closes`; None: at any time.
    """

    position: Count
    id: UUID
    event_id: UUID
    event: str
    event_kind: EventKind
    name: str
    starts: Instant
    ends: Instant
    next_step: dict[str, str] = {}
    listed: bool = False
    check_out: bool = False
    opens: Instant | None = None
    closes: Instant | None = None


class CardFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How this institution's cards read: a whole-input pattern, and one that picks the id out (RULE-24..27)."""

    whole: str
    extract: str | None = None


class DeskLock(msgspec.Struct, frozen=True, kw_only=True):
    """The directory key, wrapped under the desk PIN by scrypt with 2**`cost` rounds: only the right PIN opens it."""

    salt: bytes
    cost: Annotated[int, msgspec.Meta(ge=10, le=20)]
    wrapped_key: bytes


class Settings(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="settings", omit_defaults=True):
    """What holds for the whole institution. `domains`: the mail domains of its students, to help with typing."""

    position: Count
    institution: str
    card_formats: tuple[CardFormat, ...] = ()
    domains: tuple[str, ...] = ()
    desk_lock: DeskLock | None = None


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
    """Entries in position order, ending at `to`. With `start`: forget what you have, this is the first page.

    `mark` names the change that gave `to` out: a hub that went back in time gives the position out again, under another
    mark. None: nothing has changed yet.
    """

    hub_id: UUID
    epoch: UUID
    to: Count
    more: bool
    entries: tuple[Entry, ...]
    start: Start | None = None
    mark: UUID | None = None


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """What a roster at `position` is made of, bucket by bucket (`sync.digests`)."""

    hub_id: UUID
    epoch: UUID
    position: Count
    buckets: tuple[bytes, ...]


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is in one bucket of a roster at `position`, and nothing else is."""

    hub_id: UUID
    epoch: UUID
    position: Count
    number: Annotated[int, msgspec.Meta(ge=0, le=255)]
    entries: tuple[Entry, ...]


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


class _UnreadBucket(Bucket, frozen=True, kw_only=True):
    entries: tuple[msgspec.Raw, ...]  # type: ignore[assignment]


class _Kind(msgspec.Struct, frozen=True):
    kind: str


def read_page(body: bytes) -> FeedPage:
    """A feed page from its JSON. Entries of a kind this version does not know are left out: a newer hub may have some.

    Raises `msgspec.DecodeError` for what is no page, or has an entry of a known kind that cannot be read.
    """
    page = msgspec.json.decode(body, type=_UnreadPage)
    return FeedPage(**{name: getattr(page, name) for name in FeedPage.__struct_fields__} | {"entries": _known(page)})


def read_bucket(body: bytes) -> Bucket:
    """A bucket from its JSON, as `read_page` reads a page. Raises `msgspec.DecodeError`."""
    bucket = msgspec.json.decode(body, type=_UnreadBucket)
    return Bucket(**{name: getattr(bucket, name) for name in Bucket.__struct_fields__} | {"entries": _known(bucket)})


def _known(unread: _UnreadPage | _UnreadBucket) -> tuple[Entry, ...]:
    return tuple(entry for entry in map(_entry, unread.entries) if entry is not None)


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
VERBATIM = msgspec.json.Decoder(Verbatim)
ENCODER = msgspec.json.Encoder(uuid_format="canonical")


def encode(message: msgspec.Struct) -> bytes:
    """The message as JSON bytes."""
    return ENCODER.encode(message)
