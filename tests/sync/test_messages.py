"""What may go over the wire, and what has no place in it to stand."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import messages as m
from sync.identifiers import MAX_EMAIL, read_email
from sync.seals import new_hub_key, seal_to_hub
from tests.sync.fakes import ADA, NOON, SESSION

STRUCTS: list[type[msgspec.Struct]] = [
    found
    for name, found in inspect.getmembers(m, inspect.isclass)
    if issubclass(found, msgspec.Struct) and found.__module__ == m.__name__ and not name.startswith("_")
]

counts = st.integers(min_value=0, max_value=2**53 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
blobs = st.binary(max_size=64)
hashes = st.binary(min_size=32, max_size=32)
tags = st.binary(min_size=8, max_size=8)
zones = st.integers(min_value=-23 * 60, max_value=23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30), timezones=zones)
ids = st.uuids()
moments = st.builds(m.Moment, wall=instants, boot=texts, since_boot_ms=counts)
check_ins = st.builds(
    m.CheckIn,
    id=ids,
    session_id=ids,
    method=st.sampled_from(get_args(m.Method)),
    at=moments,
    roster_position=counts,
    ref=st.none() | ids,
    tag=st.none() | tags,
    sealed_identifier=st.none() | blobs,
)
undos = st.builds(m.Undo, id=ids, session_id=ids, at=moments, undoes=st.lists(ids, min_size=1, max_size=4).map(tuple))
check_outs = st.builds(
    m.CheckOut,
    id=ids,
    session_id=ids,
    method=st.sampled_from(get_args(m.Method)),
    at=moments,
    roster_position=counts,
    ref=st.none() | ids,
    tag=st.none() | tags,
    sealed_identifier=st.none() | blobs,
    everyone=st.booleans(),
)
rehearsals = st.builds(m.Rehearsal, id=ids, session_id=ids, at=moments)
facts = check_ins | undos | check_outs | rehearsals
marks = st.builds(m.StreamMark, acked_seq=counts, acked_hash=hashes)
receipts = st.builds(m.Receipt, seq=counts, id=st.none() | ids, verdict=texts)
people = st.builds(
    m.Person,
    position=counts,
    ref=ids,
    state=st.sampled_from(["active", "disabled"]),
    keys=st.lists(st.builds(m.Key, tag=tags, greeting=blobs), max_size=3).map(tuple),
    directory=st.none() | blobs,
    registered=st.lists(ids, max_size=3).map(tuple),
)
sessions = st.builds(
    m.Session,
    position=counts,
    id=ids,
    event_id=ids,
    event=texts,
    event_kind=st.sampled_from(["event", "career_fair", "appointment", "survey"]),
    name=texts,
    starts=instants,
    ends=instants,
    next_step=st.dictionaries(st.sampled_from(["en", "fr"]), texts),
    listed=st.booleans(),
    check_out=st.booleans(),
    opens=st.none() | instants,
    closes=st.none() | instants,
)
card_formats = st.builds(m.CardFormat, whole=texts, extract=st.none() | texts)
desk_locks = st.builds(m.DeskLock, salt=blobs, cost=st.integers(min_value=10, max_value=20), wrapped_key=blobs)
settings_ = st.builds(
    m.Settings,
    position=counts,
    institution=texts,
    card_formats=st.lists(card_formats, max_size=2).map(tuple),
    domains=st.lists(texts, max_size=2).map(tuple),
    desk_lock=st.none() | desk_locks,
)
gone = st.builds(m.Gone, position=counts, what=st.sampled_from(["person", "session"]), key=ids)
entries = people | sessions | settings_ | gone
starts = st.builds(m.Start, roster_key=hashes)
pushes = st.builds(
    m.Push,
    proto=counts,
    from_seq=st.integers(min_value=1, max_value=2**53 - 1),
    prev_hash=hashes,
    head_seq=counts,
    clock=moments,
    facts=st.lists(facts.map(m.encode).map(msgspec.Raw), max_size=3).map(tuple),
    parent=st.none() | ids,
)
verbatim = st.builds(m.Verbatim, bytes=blobs)
assignments = st.builds(m.Assignment, session_id=ids, number=counts)
answers = st.builds(
    m.PushAnswer,
    hub_id=ids,
    epoch=ids,
    hub_time=instants,
    stream=marks,
    receipts=st.lists(receipts, max_size=3).map(tuple),
    assignment=st.none() | assignments,
)
pages = st.builds(
    m.FeedPage,
    hub_id=ids,
    epoch=ids,
    to=counts,
    more=st.booleans(),
    entries=st.lists(entries, max_size=3).map(tuple),
    start=st.none() | starts,
    mark=st.none() | ids,
)
digests = st.builds(m.Digests, hub_id=ids, epoch=ids, position=counts, buckets=st.lists(blobs, max_size=3).map(tuple))
buckets = st.builds(
    m.Bucket,
    hub_id=ids,
    epoch=ids,
    position=counts,
    number=st.integers(min_value=0, max_value=255),
    entries=st.lists(entries, max_size=3).map(tuple),
)
enrolments = st.builds(m.Enrolment, code=texts, app=texts)
enrolled = st.builds(m.Enrolled, kiosk_id=ids, token=texts, hub_id=ids, hub_key=hashes, institution=texts)
problems = st.builds(
    m.Problem,
    type=texts,
    title=texts,
    status=st.integers(min_value=400, max_value=599),
    code=texts,
    hub_id=st.none() | ids,
    detail=st.none() | texts,
    stream=st.none() | marks,
    at_seq=st.none() | counts,
)
keys = st.builds(m.Key, tag=tags, greeting=blobs)
EVERY: dict[type[msgspec.Struct], st.SearchStrategy[Any]] = {
    m.Moment: moments,
    m.CheckIn: check_ins,
    m.Undo: undos,
    m.CheckOut: check_outs,
    m.Rehearsal: rehearsals,
    m.Push: pushes,
    m.StreamMark: marks,
    m.Receipt: receipts,
    m.Assignment: assignments,
    m.PushAnswer: answers,
    m.Key: keys,
    m.Person: people,
    m.Session: sessions,
    m.CardFormat: card_formats,
    m.DeskLock: desk_locks,
    m.Settings: settings_,
    m.Gone: gone,
    m.Start: starts,
    m.FeedPage: pages,
    m.Verbatim: verbatim,
    m.Digests: digests,
    m.Bucket: buckets,
    m.Enrolment: enrolments,
    m.Enrolled: enrolled,
    m.Problem: problems,
}


def test_no_message_is_left_out_of_these_tests() -> None:
    assert set(EVERY) == set(STRUCTS)


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_message_survives_json(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    message = data.draw(EVERY[kind])
    sent = m.encode(message)
    received = msgspec.json.decode(sent, type=kind)
    assert received == message
    assert m.encode(received) == sent


@given(facts)
def test_a_fact_says_itself_which_kind_it_is(fact: m.Fact) -> None:
    assert m.FACT.decode(m.encode(fact)) == fact


@given(entries)
def test_a_feed_entry_says_itself_which_kind_it_is(entry: m.Entry) -> None:
    kind: Any = m.Entry
    assert msgspec.json.decode(m.encode(entry), type=kind) == entry


@given(pushes)
def test_facts_travel_as_the_very_bytes_that_were_first_written(push: m.Push) -> None:
    received = msgspec.json.decode(m.encode(push), type=m.Push)
    assert [bytes(fact) for fact in received.facts] == [bytes(fact) for fact in push.facts]


@pytest.mark.parametrize("kind", [kind for kind in STRUCTS if kind is not m.Key], ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_a_newer_version_adds_is_ignored(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    message = data.draw(EVERY[kind])
    newer = m.encode(message)[:-1] + b',"since_version_9":{"a":[1]}}'
    newer = newer.replace(b"{,", b"{")
    assert msgspec.json.decode(newer, type=kind) == message


# --- privacy ---------------------------------------------------------------------------------------


def every_field() -> Iterator[tuple[str, str, Any]]:
    for struct in STRUCTS:
        for field in msgspec.structs.fields(struct):
            yield struct.__name__, field.name, field.type


def test_no_message_has_a_place_for_an_address_or_a_persons_name() -> None:
    forbidden = ("email", "mail", "address", "username", "phone", "birth")
    names_of_things = {("Session", "name")}
    for struct, field, _ in every_field():
        assert not any(word in field for word in forbidden), f"{struct}.{field}"
        if "name" in field:
            assert (struct, field) in names_of_things, f"{struct}.{field}"


@pytest.mark.parametrize("kind", [m.Person, m.CheckIn, m.Undo, m.CheckOut, m.Rehearsal, m.Key, m.Gone])
def test_what_is_said_about_people_has_no_field_for_free_text(kind: type[msgspec.Struct]) -> None:
    schema = msgspec.json.schema_components([kind])[1]
    properties = schema[kind.__name__].get("properties", {})
    free = {
        name
        for name, said in properties.items()
        if said.get("type") == "string" and not {"enum", "format", "contentEncoding"} & set(said)
    }
    assert free == set()


def test_a_person_says_in_words_only_whether_the_account_is_active() -> None:
    words = {
        field.name: get_args(field.type)
        for field in msgspec.structs.fields(m.Person)
        if all(isinstance(each, str) for each in get_args(field.type)) and get_args(field.type)
    }
    assert words == {"state": ("active", "disabled")}


# --- bounds ----------------------------------------------------------------------------------------


def longest_check_in(sealed: bytes) -> m.CheckIn:
    return m.CheckIn(
        id=UUID(int=2**128 - 1),
        session_id=UUID(int=2**128 - 1),
        method="email",
        at=m.Moment(NOON.replace(microsecond=123456), "5b0e1f3a-9a33-4bd2-93a6-6a4f1c4e1d11", 2**53 - 1),
        roster_position=2**53 - 1,
        tag=bytes(8),
        sealed_identifier=sealed,
    )


# An address is as long as its UTF-8 says: 254 bytes, whatever the letters.
LONGEST = {
    "plain": "a" * (MAX_EMAIL - len("@school.example")) + "@school.example",
    "accented": "é" * 119 + "@school.example",
    "fanciful": "ada@" + ".".join(["\U0001d41a" * 20] * 3) + ".example",
}


@pytest.mark.parametrize("typed", LONGEST.values(), ids=LONGEST)
def test_the_longest_address_there_is_fits_in_a_fact(typed: str) -> None:
    _, public = new_hub_key()
    fact = m.encode(longest_check_in(seal_to_hub(public, read_email(typed))))
    assert len(fact) <= m.MAX_FACT_BYTES
    assert isinstance(m.FACT.decode(fact), m.CheckIn)


@pytest.mark.parametrize("typed", LONGEST.values(), ids=LONGEST)
def test_the_longest_address_with_a_name_beside_it_fits_in_a_fact(typed: str) -> None:
    _, public = new_hub_key()
    sealed = seal_to_hub(public, read_email(typed), name="\U0001d41a" * 80)
    assert isinstance(m.FACT.decode(m.encode(longest_check_in(sealed))), m.CheckIn)
    assert len(m.encode(longest_check_in(sealed))) <= m.MAX_FACT_BYTES


def test_what_the_first_version_sent_is_read_with_nothing_special_in_it() -> None:
    person = b'{"kind":"person","position":1,"ref":"01900000-0000-7000-8000-00000000ada0","state":"active","keys":[]}'
    read = msgspec.json.decode(person, type=m.Person)
    assert (read.directory, read.registered) == (None, ())
    assert m.encode(read) == person


@pytest.mark.parametrize("cost", [9, 21, -1])
def test_a_lock_that_costs_nothing_or_a_minute_is_refused(cost: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(f'{{"salt":"","cost":{cost},"wrapped_key":""}}', type=m.DeskLock)


def test_an_undo_of_thirty_check_ins_fits_in_a_fact() -> None:
    undo = m.Undo(
        id=ADA,
        session_id=SESSION,
        at=m.Moment(NOON, "5b0e1f3a-9a33-4bd2-93a6-6a4f1c4e1d11", 2**53 - 1),
        undoes=(ADA,) * 30,
    )
    assert len(m.encode(undo)) <= m.MAX_FACT_BYTES


@pytest.mark.parametrize("number", ["-1", "9007199254740992", "1e400", "1.5", '"7"'])
def test_a_number_that_not_every_reader_holds_exactly_is_refused(number: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(f'{{"acked_seq":{number},"acked_hash":""}}', type=m.StreamMark)


def test_a_moment_without_its_zone_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"wall":"2026-03-04T12:00:00","boot":"b","since_boot_ms":1}', type=m.Moment)


def test_moments_are_the_same_moment_in_any_zone() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=9)))
    sent = m.encode(m.Moment(there, "b", 1))
    assert msgspec.json.decode(sent, type=m.Moment).wall == NOON
    assert msgspec.json.decode(sent, type=m.Moment).wall.astimezone(UTC).tzinfo is UTC


def test_an_unknown_kind_of_fact_is_recognised_as_not_understood() -> None:
    with pytest.raises(msgspec.ValidationError):
        m.FACT.decode(b'{"kind":"from_the_future","id":"01900000-0000-7000-8000-00000000ada0"}')


def test_the_messages_describe_themselves_for_the_openapi_document() -> None:
    _, components = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    assert {kind.__name__ for kind in STRUCTS} <= set(components)
