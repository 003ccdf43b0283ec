"""Take facts from a kiosk: check the chain, judge each, keep all of them and advance the stream, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from hub.database import Row, writing
from hub.rules import chain
from hub.rules.acceptance import Claimed, Judgement, Known, judge
from hub.rules.clock import Quality, Sample, worked_out
from hub.store import clocks, events, facts, freed, institutions, kiosks, merges, roster, streams
from hub.store.facts import Held
from hub.store.institutions import Institution
from hub.store.kiosks import Kiosk
from hub.store.streams import Stream
from sync.chain import START
from sync.errors import ForeignStream, Unreadable
from sync.identifiers import read_email
from sync.messages import (
    FACT,
    MAX_FACT_BYTES,
    VERBATIM,
    Assignment,
    CheckIn,
    CheckOut,
    Fact,
    Push,
    PushAnswer,
    Receipt,
    StreamMark,
    Undo,
)
from sync.seals import open_at_hub

SET_ASIDE = "set_aside"
STOCK_TAKING = (500, 4_000, 32_000)
"""At which lengths of a stream the database looks again at how many facts there are."""
MOST_HELD_BACK = 1_000_000
"""No kiosk holds back more check-ins than this, whatever it says."""
ID_CONFLICT = "parked:id_conflict"
DELIVERED_BEFORE = "delivered_before"
SECOND_TIME = (DELIVERED_BEFORE, ID_CONFLICT)
SURER: tuple[Quality, ...] = ("untrusted", "bounded", "good")


Happened = tuple[datetime, Quality]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One fact as it came: its number, its bytes, its place in the chain, and what it says if it can be read."""

    seq: int
    body: bytes
    hash: bytes
    fact: Fact | None
    claimed_key: str | None


def receive(engine: Engine, hub_id: UUID, kiosk: Kiosk, stream_id: UUID, push: Push, now: datetime) -> PushAnswer:
    """Keep what a kiosk hands over and say what each fact counts for.

    Everything is durable before the answer exists, and the same push again changes nothing.
    Raises `Gap`, `Fork` or `ForeignStream`, and then nothing is kept.
    """
    with writing(engine) as conn:
        institution, stream, receipts = take(conn, kiosk, stream_id, _with_all_bytes(push), now)
        kiosks.heard_from(conn, institution.id, kiosk.id, now)
    return PushAnswer(
        hub_id=hub_id,
        epoch=institution.epoch,
        hub_time=now,
        stream=StreamMark(acked_seq=stream.acked_seq, acked_hash=stream.acked_hash),
        receipts=tuple(receipts),
        assignment=_assignment(kiosk),
    )


def take(
    conn: Connection, kiosk: Kiosk, stream_id: UUID, push: Push, now: datetime
) -> tuple[Institution, Stream, list[Receipt]]:
    """Keep facts, whichever way they came, in a `writing` block: where the stream stands then, and what each counts
    for. Raises as `receive` does.
    """
    institution = institutions.hold_still(conn, kiosk.institution_id)
    stream = streams.lock(conn, institution.id, stream_id, kiosk.id, push.parent, now)
    if stream.kiosk_id != kiosk.id:
        raise ForeignStream()
    held = _held_before(conn, institution.id, stream_id, push, stream.acked_seq)
    arrived = _arrived(institution, stream, push, held)
    receipts = _receipts_of_repeats(conn, push, held)
    receipts += _keep(conn, institution, stream_id, arrived, _moments(conn, kiosk, stream_id, arrived, push, now), now)
    if arrived:
        _take_stock(conn, stream.acked_seq, arrived[-1].seq)
        stream = Stream(stream.kiosk_id, arrived[-1].seq, arrived[-1].hash)
    streams.advance(conn, institution.id, stream_id, stream, _believable(push.head_seq, stream), now)
    return institution, stream, receipts


def _held_before(
    conn: Connection, institution_id: UUID, stream_id: UUID, push: Push, acked_seq: int
) -> dict[int, Held]:
    """By number, what is held of the facts of a push and of the one before; nothing of one that only goes on."""
    if push.from_seq > acked_seq:
        return {}
    last = min(push.from_seq + len(push.facts) - 1, acked_seq)
    return facts.delivered(conn, institution_id, stream_id, push.from_seq - 1, last)


def _with_all_bytes(push: Push) -> Push:
    return msgspec.structs.replace(push, facts=tuple(_bytes(fact) for fact in push.facts))


def _bytes(fact: msgspec.Raw) -> msgspec.Raw:
    """The bytes of a fact, also of one that could not travel as they are."""
    if b'"verbatim"' not in bytes(fact):
        return fact
    try:
        return msgspec.Raw(VERBATIM.decode(fact).bytes)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return fact


def _moments(
    conn: Connection, kiosk: Kiosk, stream_id: UUID, arrived: Sequence[Delivered], push: Push, now: datetime
) -> dict[int, Happened]:
    """By number, when each of these facts happened; the clocks are compared for those to come as well."""
    if push.clock.boot:
        heard = clocks.Heard(push.clock.boot, push.clock.since_boot_ms, now)
        clocks.keep(conn, kiosk.institution_id, kiosk.id, heard)
    understood = {each.seq: each.fact.at for each in arrived if each.fact is not None}
    boots = {at.boot for at in understood.values()}
    samples = {
        each.boot: Sample(each.since_boot_ms, each.hub_time)
        for each in (clocks.of(conn, kiosk.institution_id, kiosk.id, boots) if boots else ())
    }
    # Asked for only where it is needed: with a sample for every run, the order says nothing new.
    since = None if boots <= set(samples) else facts.last_sure_moment(conn, kiosk.institution_id, stream_id)
    return dict(zip(understood, worked_out(list(understood.values()), samples, since, now), strict=True))


def _assignment(kiosk: Kiosk) -> Assignment | None:
    if kiosk.session_id is None:
        return None
    return Assignment(session_id=kiosk.session_id, number=kiosk.assignment)


def _believable(head_seq: int, stream: Stream) -> int:
    # Only shown, but added up: one kiosk that says nonsense must not spoil everybody's page.
    return max(stream.acked_seq, min(head_seq, stream.acked_seq + MOST_HELD_BACK))


def _take_stock(conn: Connection, before: int, after: int) -> None:
    if any(before < mark <= after for mark in STOCK_TAKING):
        facts.take_stock(conn)


def _arrived(institution: Institution, stream: Stream, push: Push, held: Mapping[int, Held]) -> list[Delivered]:
    def held_hash(seq: int) -> bytes | None:
        if seq == 0:
            return START
        if seq == stream.acked_seq:
            return stream.acked_hash
        return held[seq].hash if seq in held else None

    hashes = chain.new_hashes(push, stream.acked_seq, stream.acked_hash, held_hash)
    return [
        read_fact(seq, bytes(body), digest, institution.private_key)
        for seq, (body, digest) in enumerate(zip(push.facts, hashes, strict=True), push.from_seq)
        if seq > stream.acked_seq
    ]


def read_fact(seq: int, body: bytes, digest: bytes, private_key: bytes) -> Delivered:
    """A fact with what it says and whom it claims, as far as that can be read."""
    try:
        fact = FACT.decode(body) if len(body) <= MAX_FACT_BYTES else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fact = None
    claimed_key = None
    if isinstance(fact, CheckIn | CheckOut) and fact.ref is None and fact.sealed_identifier is not None:
        claimed_key = _claimed_key(private_key, fact.sealed_identifier)
    return Delivered(seq, body, digest, fact, claimed_key)


def _claimed_key(private_key: bytes, sealed: bytes) -> str | None:
    said = open_at_hub(private_key, sealed)
    if said is None or said.kind != "email":
        return None
    try:
        return read_email(said.text).key
    except Unreadable:
        return None


def _receipts_of_repeats(conn: Connection, push: Push, held: Mapping[int, Held]) -> list[Receipt]:
    repeats = {seq: fact for seq, fact in sorted(held.items()) if seq >= push.from_seq}
    # A fact that came a second time is kept without its id, which the first one has.
    again = {seq: FACT.decode(fact.body).id for seq, fact in repeats.items() if fact.verdict in SECOND_TIME}
    first = facts.held(conn, list(again.values())) if again else {}
    return [
        Receipt(
            seq=seq,
            id=again.get(seq, fact.id),
            verdict=first[again[seq]].verdict if fact.verdict == DELIVERED_BEFORE else fact.verdict,
        )
        for seq, fact in repeats.items()
    ]


def _keep(
    conn: Connection,
    institution: Institution,
    stream_id: UUID,
    arrived: Sequence[Delivered],
    moments: Mapping[int, Happened],
    now: datetime,
) -> list[Receipt]:
    when = {each.fact.id: moments[each.seq][0] for each in arrived if each.fact is not None}
    known = what_is_known(conn, institution.id, arrived, when)
    held = facts.held(conn, [each.fact.id for each in arrived if each.fact is not None])
    bodies = {
        fact_id: (fact.body if fact.institution_id == institution.id else None, fact.verdict)
        for fact_id, fact in held.items()
    }
    rows, undone, receipts = [], [], []
    for each in arrived:
        row: Row = {
            "institution_id": institution.id,
            "stream_id": stream_id,
            "seq": each.seq,
            "hash": each.hash,
            "body": each.body,
            "received_at": now,
            "verdict": SET_ASIDE,
            **dict.fromkeys(_MEANING),
        }
        if each.fact is None:
            receipts.append(Receipt(seq=each.seq, id=None, verdict=SET_ASIDE))
        elif each.fact.id in bodies:
            body, verdict = bodies[each.fact.id]
            same = body == each.body
            if same and _is_better(moments[each.seq], held.get(each.fact.id)):
                facts.date(conn, institution.id, each.fact.id, *moments[each.seq])
            row["verdict"] = DELIVERED_BEFORE if same else ID_CONFLICT
            receipts.append(Receipt(seq=each.seq, id=each.fact.id, verdict=verdict if same else ID_CONFLICT))
        else:
            judgement = judge(each.fact, known)
            row |= _meaning(each.fact, claim(each, judgement), judgement, moments[each.seq])
            bodies[each.fact.id] = (each.body, judgement.verdict)
            receipts.append(Receipt(seq=each.seq, id=each.fact.id, verdict=judgement.verdict))
            if isinstance(each.fact, Undo):
                undone += [_undone_row(institution.id, each.fact, check_in) for check_in in each.fact.undoes]
            elif judgement.verdict == "counted" and judgement.student_id is not None:
                known.present.add((each.fact.session_id, judgement.student_id))
        rows.append(row)
    facts.add(conn, rows)
    facts.undo(conn, undone)
    return receipts


def _is_better(happened: Happened, held: Held | None) -> bool:
    """Whether a fact that comes again can be dated more surely: it had come on a stick, or before any exchange."""
    return (
        held is not None and held.clock_quality in SURER and SURER.index(happened[1]) > SURER.index(held.clock_quality)
    )


_MEANING = (
    "id",
    "kind",
    "session_id",
    "student_id",
    "method",
    "claimed_key",
    "occurred_at",
    "clock_quality",
)


def claim(delivered: Delivered, judgement: Judgement) -> str | None:
    """What of a fact may tell later whose it is."""
    fact = delivered.fact
    if isinstance(fact, CheckIn | CheckOut) and fact.ref is not None and judgement.student_id is None:
        return facts.claim_of(fact.ref)
    return delivered.claimed_key


def _meaning(fact: Fact, claimed_key: str | None, judgement: Judgement, happened: Happened) -> Row:
    occurred_at, quality = happened
    return {
        "id": fact.id,
        "kind": fact.__struct_config__.tag,
        "session_id": fact.session_id,
        "student_id": judgement.student_id,
        "method": fact.method if isinstance(fact, CheckIn | CheckOut) else None,
        "claimed_key": claimed_key,
        "occurred_at": occurred_at,
        "clock_quality": quality,
        "verdict": judgement.verdict,
    }


def _undone_row(institution_id: UUID, undo: Undo, check_in_id: UUID) -> Row:
    return {"institution_id": institution_id, "check_in_id": check_in_id, "undo_id": undo.id}


def what_is_known(
    conn: Connection, institution_id: UUID, arrived: Sequence[Delivered], when: Mapping[UUID, datetime]
) -> Known:
    """All that bears on the judgement of these facts, in a `writing` block. `when`: by id, when each happened."""
    about_people = [each.fact for each in arrived if isinstance(each.fact, CheckIn | CheckOut)]
    keys = {each.claimed_key for each in arrived if each.claimed_key is not None}
    claims = roster.claims(conn, institution_id, list(keys)) if keys else {}
    owners = {key: claim.student_id for key, claim in claims.items()}
    freed_at = freed.from_others(conn, institution_id, owners) if owners else {}
    claimed = {
        each.fact.id: Claimed(claims[each.claimed_key].student_id, claims[each.claimed_key].confirmed)
        for each in arrived
        if each.fact is not None and each.claimed_key in claims
        # What happened while the address was another student's is left to staff.
        if each.claimed_key not in freed_at or when[each.fact.id] >= freed_at[each.claimed_key]
    }
    refs = {fact.ref for fact in about_people if fact.ref is not None}
    merged = merges.of(conn, institution_id, refs) if refs else {}
    students = {merged.get(ref, ref) for ref in refs}
    students |= {each.student_id for each in claimed.values() if each.student_id is not None}
    session_ids = {fact.session_id for fact in about_people}
    return Known(
        sessions={session.id for session in events.some(conn, institution_id, list(session_ids))},
        disabled=roster.standing(conn, institution_id, list(students)) if students else {},
        claimed=claimed,
        present={
            (session_id, student_id)
            for session_id in session_ids
            for student_id in facts.present(conn, institution_id, session_id, list(students))
        },
        merged=merged,
    )
