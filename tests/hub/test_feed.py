"""What kiosks read: everybody once, changes as they come, nothing readable without the identifier."""

from datetime import datetime
from uuid import UUID

import msgspec
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from uuid_utils.compat import uuid4

from hub.actions import events, serve_roster
from hub.actions.events import NewEvent
from hub.database import next_positions, reading, writing
from hub.schema import addresses, feed_marks, institutions, students
from hub.schema import feed as feed_table
from hub.store import feed
from hub.store.events import Session
from sync.digests import Line, bucket_of, digests
from sync.errors import BadPattern
from sync.hub_client import MAX_ANSWER_BYTES
from sync.identifiers import read_email
from sync.messages import Bucket, CardFormat, Digests, Entry, FeedPage, Gone, Person, Settings, encode
from sync.messages import Session as SessionEntry
from sync.seals import lookup, open_greeting
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, student, unzipped


def pull(
    client: FlaskClient, desk: Desk, epoch: UUID | None = None, after: int = 0, mark: UUID | None = None
) -> FeedPage | None:
    where = {"epoch": str(epoch or ""), "after": after, "mark": str(mark or "")}
    response = client.get("/api/v1/feed", query_string=where, headers=desk.headers())
    if response.status_code == 304:
        return None
    assert response.status_code == 200, response.text
    return msgspec.json.decode(unzipped(response), type=FeedPage)


def greeting(page: FeedPage, address: str) -> str | None:
    """What a kiosk shows for an address, going by this page alone."""
    assert page.start is not None
    tag, box_key = lookup(page.start.roster_key, read_email(address))
    for entry in page.entries:
        if isinstance(entry, Person):
            for key in entry.keys:
                if key.tag == tag:
                    return open_greeting(box_key, key.greeting, page.epoch, entry.position)
    return None


def test_a_kiosk_finds_a_person_by_every_confirmed_address_and_by_no_pending_one(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    student(engine, institution.id, "Zoé", confirmed=["zoe@example.edu", "zoe@gmail.com"], pending=["zoe@pending.org"])
    page = pull(client, desk)
    assert page is not None
    assert greeting(page, "ZOE@example.EDU") == greeting(page, "zoe@gmail.com") == "Zoé"
    assert greeting(page, "zoe@pending.org") is None


def test_the_first_page_brings_the_key_the_settings_and_the_sessions(
    client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    page = pull(client, desk)
    assert page is not None
    assert page.start is not None
    told = [(entry.institution, entry.domains) for entry in page.entries if isinstance(entry, Settings)]
    assert told == [(institution.name, tuple(institution.domains))]
    assert [entry.id for entry in page.entries if isinstance(entry, SessionEntry)] == [session.id]


def test_nothing_new_is_a_304_that_names_the_hub(client: FlaskClient, institution: Institution, desk: Desk) -> None:
    page = pull(client, desk)
    assert page is not None
    response = client.get(f"/api/v1/feed?epoch={page.epoch}&after={page.to}", headers=desk.headers())
    assert (response.status_code, response.headers["Kiosk-Hub"]) == (304, str(page.hub_id))


def test_a_change_arrives_as_one_entry_and_leaving_is_an_entry_too(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    bo = student(engine, institution.id, "Bo", confirmed=["bo@example.edu"])
    page = pull(client, desk)
    assert page is not None
    with writing(engine) as conn:
        conn.execute(students.update().where(students.c.id == ada).values(disabled=True))
        feed.touch(conn, institution.id, "person", [ada])
        conn.execute(addresses.delete().where(addresses.c.student_id == bo))
        conn.execute(students.delete().where(students.c.id == bo))
        feed.touch(conn, institution.id, "person", [bo], gone=True)
    delta = pull(client, desk, page.epoch, page.to)
    assert delta is not None
    assert delta.start is None
    assert [type(entry) for entry in delta.entries] == [Person, Gone]
    assert isinstance(delta.entries[0], Person)
    assert delta.entries[0].state == "disabled"


@pytest.mark.parametrize(
    ("size", "length"), [(1, 10**6), (2, 10**6), (7, 10**6), (1000, 10**6), (1000, 1), (1000, 900)]
)
def test_pages_of_any_size_add_up_to_everybody_exactly_once(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    desk: Desk,
    size: int,
    length: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve_roster, "PAGE", size)
    monkeypatch.setattr(serve_roster, "PAGE_BYTES", length)
    refs = {student(engine, institution.id, "Ada") for _ in range(10)}
    found: list[UUID] = []
    page = pull(client, desk)
    while page is not None:
        found += [entry.ref for entry in page.entries if isinstance(entry, Person)]
        assert len(page.entries) == 1 or sum(len(encode(entry)) for entry in page.entries) <= length
        page = pull(client, desk, page.epoch, page.to)
    assert len(found) == 10
    assert set(found) == refs


def test_a_kiosk_reads_more_of_an_answer_than_a_page_and_its_envelope_come_to() -> None:
    assert serve_roster.PAGE_BYTES + 2**20 < MAX_ANSWER_BYTES


@pytest.mark.parametrize("ahead", [0, 5])
def test_a_kiosk_of_another_epoch_or_ahead_of_the_hub_starts_afresh(
    client: FlaskClient, institution: Institution, desk: Desk, ahead: int
) -> None:
    page = pull(client, desk)
    assert page is not None
    epoch = page.epoch if ahead else uuid4()
    again = pull(client, desk, epoch, page.to + ahead)
    assert again is not None
    assert again.start is not None


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=1.5", "epoch=nonsense", "after=²", "after=" + "9" * 30]
)
def test_a_cursor_that_is_none_is_refused(
    client: FlaskClient, institution: Institution, desk: Desk, query: str
) -> None:
    response = client.get(f"/api/v1/feed?{query}", headers=desk.headers())
    assert (response.status_code, msgspec.json.decode(response.data)["code"]) == (422, "not_a_cursor")


def test_a_kiosk_sees_nobody_of_another_institution(
    engine: Engine, client: FlaskClient, institution: Institution, other_institution: Institution, desk: Desk
) -> None:
    student(engine, other_institution.id, "Bo", confirmed=["bo@elsewhere.edu"])
    page = pull(client, desk)
    assert page is not None
    assert not [entry for entry in page.entries if isinstance(entry, Person)]


def test_positions_are_consecutive_and_given_out_once(engine: Engine, institution: Institution) -> None:
    with writing(engine) as conn:
        before = feed.position(conn, institution.id)
        assert next_positions(conn, institution.id, 3) == before + 1
        assert next_positions(conn, institution.id, 1) == before + 4


def test_card_formats_reach_the_kiosk_and_a_bad_one_changes_nothing(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    good = CardFormat(whole=r"^;\d{12};:$", extract=r"^;\d{2}(\d{7})")
    events.set_card_formats(engine, institution.id, (good,))
    with pytest.raises(BadPattern):
        events.set_card_formats(engine, institution.id, (good, CardFormat(whole="(")))
    page = pull(client, desk)
    assert page is not None
    assert [entry.card_formats for entry in page.entries if isinstance(entry, Settings)] == [(good,)]


def test_the_several_sessions_of_a_fair_share_its_time_and_reach_the_kiosk(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk, now: datetime
) -> None:
    fair = NewEvent("career_fair", "Autumn fair", now, now.replace(hour=16), sessions=2, external_id="fair-1")
    made = events.create(engine, institution.id, fair, now)
    again = events.create(engine, institution.id, fair, now)
    assert again == made
    page = pull(client, desk)
    assert page is not None
    entries = [entry for entry in page.entries if isinstance(entry, SessionEntry)]
    assert [(entry.event_id, entry.event_kind) for entry in entries] == [(made.event_id, "career_fair")] * 2
    assert entries[0].ends == entries[1].starts == now.replace(hour=13)


def go_back(engine: Engine, institution_id: UUID, position: int) -> None:
    """What the feed is after its hub was set back to a backup."""
    with writing(engine) as conn:
        for table in (feed_table, feed_marks):
            conn.execute(table.delete().where(table.c.institution_id == institution_id, table.c.position > position))
        row = institutions.c.id == institution_id
        conn.execute(institutions.update().where(row).values(feed_position=position))


@pytest.mark.parametrize("newer", [1, 2, 3], ids=["fewer changes", "as many", "more"])
def test_a_hub_that_went_back_and_gave_the_same_positions_out_again_starts_its_kiosks_afresh(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk, newer: int
) -> None:
    backup = pull(client, desk)
    assert backup is not None
    student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    student(engine, institution.id, "Bo", confirmed=["bo@example.edu"])
    page = pull(client, desk, backup.epoch, backup.to, backup.mark)
    assert page is not None
    assert pull(client, desk, page.epoch, page.to, page.mark) is None

    go_back(engine, institution.id, backup.to)
    for number in range(newer):
        student(engine, institution.id, "Cem", confirmed=[f"cem{number}@example.edu"])
    again = pull(client, desk, page.epoch, page.to, page.mark)
    assert again is not None
    assert again.start is not None
    assert len([entry for entry in again.entries if isinstance(entry, Person)]) == newer


def test_a_kiosk_in_the_middle_of_a_change_notices_that_the_hub_went_back(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    backup = pull(client, desk)
    assert backup is not None
    with writing(engine) as conn:
        feed.touch(conn, institution.id, "person", [uuid4() for _ in range(3_000)])
    middle = pull(client, desk, backup.epoch, backup.to, backup.mark)
    assert middle is not None
    assert middle.more

    go_back(engine, institution.id, backup.to)
    with writing(engine) as conn:
        feed.touch(conn, institution.id, "person", [uuid4() for _ in range(3_000)])
    again = pull(client, desk, middle.epoch, middle.to, middle.mark)
    assert again is not None
    assert again.start is not None


def test_a_kiosk_from_before_there_were_marks_is_taken_at_its_word(
    client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    page = pull(client, desk)
    assert page is not None
    assert pull(client, desk, page.epoch, page.to) is None


def test_the_digests_are_those_of_what_a_kiosk_is_given_and_a_bucket_brings_its_part_of_it(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    for name in ("Ada", "Bo", "Cem"):
        student(engine, institution.id, name, confirmed=[f"{name}@example.edu"])
    page = pull(client, desk)
    assert page is not None
    assert page.start is not None
    response = client.get("/api/v1/feed/digests", headers=desk.headers())
    told = msgspec.json.decode(unzipped(response), type=Digests)
    assert (told.epoch, told.position) == (page.epoch, page.to)
    lines = [_line(entry) for entry in page.entries if isinstance(entry, Person | SessionEntry)]
    assert told.buckets == digests(lines, page.start.roster_key)

    fetched: list[Entry] = []
    for number in {bucket_of(key) for _, key, _ in lines}:
        response = client.get(f"/api/v1/feed/buckets/{number}", headers=desk.headers())
        fetched += msgspec.json.decode(unzipped(response), type=Bucket).entries
    assert {_line(entry) for entry in fetched if isinstance(entry, Person | SessionEntry)} == set(lines)


def test_the_buckets_add_up_to_everybody_and_each_holds_its_own(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    refs = {student(engine, institution.id, "Ada") for _ in range(5)} | {session.id}
    with reading(engine) as conn:
        buckets = [feed.in_bucket(conn, institution.id, number) for number in range(256)]
    assert [
        (number, line) for number, lines in enumerate(buckets) for line in lines if bucket_of(line.key) != number
    ] == []
    assert sorted(line.key for lines in buckets for line in lines) == sorted(refs)


def test_the_digests_follow_every_change_and_a_hub_that_went_back(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    def told() -> Digests:
        response = client.get("/api/v1/feed/digests", headers=desk.headers())
        return msgspec.json.decode(unzipped(response), type=Digests)

    student(engine, institution.id, "Ada")
    first = told()
    assert told() == first
    bo = student(engine, institution.id, "Bo")
    second = told()
    assert second.buckets != first.buckets
    with writing(engine) as conn:
        conn.execute(feed_table.delete().where(feed_table.c.key == bo))
    go_back(engine, institution.id, first.position)
    assert told() == first
    student(engine, institution.id, "Cem")
    third = told()
    assert third.position == second.position
    assert third.buckets != second.buckets


def test_a_bucket_that_is_none_is_refused(client: FlaskClient, desk: Desk) -> None:
    assert client.get("/api/v1/feed/buckets/256", headers=desk.headers()).status_code == 422


def _line(entry: Person | SessionEntry) -> Line:
    if isinstance(entry, Person):
        return "person", entry.ref, entry.position
    return "session", entry.id, entry.position
