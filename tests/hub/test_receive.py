"""A push: the chain is checked, every fact kept and judged, and nothing ever counts twice."""

import gzip
import random
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from uuid_utils.compat import uuid7

from hub.actions import attendance, kiosks
from hub.database import reading, writing
from hub.schema import addresses, streams
from hub.schema import facts as facts_table
from hub.store import attendance as attendance_store
from hub.store import facts, feed
from hub.store.events import Session
from sync.messages import MAX_FACT_BYTES, MAX_FACTS, MAX_PUSH_BYTES, PushAnswer, Verbatim, encode
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, at, enrolled, student


def checked_in(engine: Engine, institution: Institution, session: Session) -> int:
    return attendance.count(engine, institution.id, session.id).count.checked_in


def parked(engine: Engine, institution: Institution, session: Session) -> int:
    return attendance.count(engine, institution.id, session.id).count.parked


def code(response: object) -> str:
    return str(msgspec.json.decode(response.data)["code"])  # type: ignore[attr-defined]


def test_a_check_in_is_counted_and_acknowledged_with_its_hash(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    ada = student(engine, institution.id, "Ada")
    fact = desk.check_in(session.id, ada)
    answer = desk.hand_over(client)
    assert [(r.id, r.verdict) for r in answer.receipts] == [(fact.id, "counted")]
    assert answer.stream.acked_seq == 1
    assert answer.stream.acked_hash == desk.push(2).prev_hash
    assert checked_in(engine, institution, session) == 1


def test_a_push_sent_again_after_a_lost_answer_changes_nothing(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    for name in ("Ada", "Bo", "Cem"):
        desk.check_in(session.id, student(engine, institution.id, name))
    first, again = desk.hand_over(client), desk.hand_over(client)
    assert first.receipts == again.receipts
    assert first.stream == again.stream
    assert checked_in(engine, institution, session) == 3


def test_a_push_that_overlaps_what_the_hub_holds_adds_only_the_rest(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    for name in ("Ada", "Bo", "Cem", "Dita"):
        desk.check_in(session.id, student(engine, institution.id, name))
    desk.hand_over(client, 1, 3)
    answer = desk.hand_over(client, 2, 4)
    assert [receipt.seq for receipt in answer.receipts] == [2, 3, 4]
    assert answer.stream.acked_seq == 4
    assert checked_in(engine, institution, session) == 4


def test_one_student_at_two_desks_counts_once(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    bo = student(engine, institution.id, "Bo")
    other = enrolled(engine, institution.id, now, "Back door")
    desk.check_in(session.id, bo)
    other.check_in(session.id, bo)
    assert desk.hand_over(client).receipts[0].verdict == "counted"
    assert other.hand_over(client).receipts[0].verdict == "already_present"
    assert checked_in(engine, institution, session) == 1


def test_an_empty_push_is_a_heartbeat_that_says_how_much_waits(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    for _ in range(3):
        desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.send(client, desk.push(1, 0))
    assert [kiosk.waiting for kiosk in attendance.count(engine, institution.id, session.id).kiosks] == [3]
    desk.hand_over(client)
    assert [kiosk.waiting for kiosk in attendance.count(engine, institution.id, session.id).kiosks] == [0]


def test_a_gap_is_answered_with_what_the_hub_holds_and_keeps_nothing(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    for name in ("Ada", "Bo", "Cem"):
        desk.check_in(session.id, student(engine, institution.id, name))
    desk.hand_over(client, 1, 1)
    response = desk.send(client, desk.push(3, 3))
    problem = msgspec.json.decode(response.data)
    assert (response.status_code, problem["code"], problem["stream"]["acked_seq"]) == (409, "gap", 1)
    assert checked_in(engine, institution, session) == 1


@pytest.mark.parametrize("first", [1, 2])
def test_another_history_of_a_stream_is_a_fork_and_keeps_nothing(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, first: int
) -> None:
    ada, bo = (student(engine, institution.id, name) for name in ("Ada", "Bo"))
    desk.check_in(session.id, ada)
    desk.hand_over(client)
    clone = Desk(desk.kiosk_id, desk.token, desk.hub_key, desk.stream_id)
    clone.check_in(session.id, bo)
    clone.check_in(session.id, bo)
    response = clone.send(client, clone.push(first))
    assert (response.status_code, code(response)) == (409, "fork")
    assert checked_in(engine, institution, session) == 1


def test_a_kiosk_whose_disk_went_back_in_time_is_a_fork(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    for name in ("Ada", "Bo"):
        desk.check_in(session.id, student(engine, institution.id, name))
    desk.hand_over(client)
    desk.made.pop()
    response = desk.send(client, desk.push(2))
    assert (response.status_code, code(response)) == (409, "fork")


def test_a_wrong_hash_is_refused_and_keeps_nothing(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    push = msgspec.structs.replace(desk.push(), prev_hash=b"x" * 32)
    response = desk.send(client, push)
    assert (response.status_code, code(response)) == (409, "fork")
    assert checked_in(engine, institution, session) == 0


def test_another_kiosks_stream_is_refused(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.hand_over(client)
    thief = enrolled(engine, institution.id, now, "Thief")
    thief.stream_id = desk.stream_id
    response = thief.send(client, desk.push(2))
    assert (response.status_code, code(response)) == (403, "foreign_stream")


def test_one_poison_fact_does_not_stop_the_good_ones_around_it(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.made.append(b'{"kind":"check_in","id":"not an id"}')
    desk.made.append(b'{"kind":"from_the_future","id":"019ab1c2-0000-7000-8000-000000000000"}')
    desk.made.append(b"[1,2,3]")
    desk.made.append(b'"' + b"x" * MAX_FACT_BYTES + b'"')
    desk.check_in(session.id, student(engine, institution.id, "Bo"))
    answer = desk.hand_over(client)
    assert [receipt.verdict for receipt in answer.receipts] == [
        "counted",
        "set_aside",
        "set_aside",
        "set_aside",
        "set_aside",
        "counted",
    ]
    assert answer.stream.acked_seq == 6
    assert checked_in(engine, institution, session) == 2
    with reading(engine) as conn:
        kept = conn.execute(select(facts_table.c.body).where(facts_table.c.seq == 2)).scalar_one()
    assert bytes(kept) == desk.made[1]


def test_a_check_in_to_an_unknown_session_is_parked_not_lost(
    engine: Engine, client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    desk.check_in(uuid7(), student(engine, institution.id, "Ada"))
    assert desk.hand_over(client).receipts[0].verdict == "parked:unknown_session"


def test_a_session_of_another_institution_is_an_unknown_session(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    other_institution: Institution,
    session: Session,
    now: datetime,
) -> None:
    stranger = enrolled(engine, other_institution.id, now)
    stranger.check_in(session.id, student(engine, institution.id, "Ada"))
    assert stranger.hand_over(client).receipts[0].verdict == "parked:unknown_session"
    assert checked_in(engine, institution, session) == 0


def test_a_student_archived_since_the_roster_was_pulled_is_parked(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Cem", disabled=True))
    assert desk.hand_over(client).receipts[0].verdict == "parked:disabled"
    assert (checked_in(engine, institution, session), parked(engine, institution, session)) == (0, 1)


def test_a_noted_address_that_the_hub_knows_as_confirmed_counts(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    dita = student(engine, institution.id, "Dita", confirmed=["dita@gmail.com"])
    desk.note(session.id, " Dita@GMAIL.com ")
    desk.check_in(session.id, dita)
    assert [receipt.verdict for receipt in desk.hand_over(client).receipts] == ["counted", "already_present"]
    assert checked_in(engine, institution, session) == 1


def test_rule_6_a_pending_address_is_parked_and_counts_once_it_is_confirmed(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    dita = student(engine, institution.id, "Dita", pending=["dita@gmail.com"])
    desk.note(session.id, "dita@gmail.com")
    assert desk.hand_over(client).receipts[0].verdict == "parked:unconfirmed_address"
    assert checked_in(engine, institution, session) == 0
    with writing(engine) as conn:
        facts.settle_claims(conn, institution.id, {"dita@gmail.com": dita})
    assert (checked_in(engine, institution, session), parked(engine, institution, session)) == (1, 0)


def test_an_unknown_address_is_parked_and_another_kiosks_seal_cannot_be_read(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.note(session.id, "nobody@example.edu")
    fact = desk.note(session.id, "dita@gmail.com")
    desk.made[-1] = encode(msgspec.structs.replace(fact, sealed_identifier=b"not sealed to us"))
    assert {r.verdict for r in desk.hand_over(client).receipts} == {"parked:unknown_address"}
    assert parked(engine, institution, session) == 2


def test_rule_53_an_undo_takes_back_what_it_names_whichever_arrives_first(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    ada, bo = (student(engine, institution.id, name) for name in ("Ada", "Bo"))
    one = desk.check_in(session.id, ada)
    two = desk.check_in(session.id, bo)
    other = enrolled(engine, institution.id, now, "Back door")
    other.undo(session.id, [one.id, two.id])
    assert other.hand_over(client).receipts[0].verdict == "applied"
    desk.hand_over(client)
    assert checked_in(engine, institution, session) == 0
    desk.check_in(session.id, ada)
    desk.hand_over(client, 3)
    assert checked_in(engine, institution, session) == 1


def test_the_same_fact_in_a_second_stream_counts_once_and_another_content_is_a_conflict(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    fact = desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.hand_over(client)
    again = Desk(desk.kiosk_id, desk.token, desk.hub_key)
    again.made = [desk.made[0], encode(msgspec.structs.replace(fact, method="card"))]
    answer = again.hand_over(client)
    assert [receipt.verdict for receipt in answer.receipts] == ["counted", "parked:id_conflict"]
    assert answer.stream.acked_seq == 2
    assert checked_in(engine, institution, session) == 1


def happened(engine: Engine) -> list[tuple[datetime, str]]:
    """When each fact happened, as the hub has worked it out, and how sure that is."""
    columns = select(facts_table.c.occurred_at, facts_table.c.clock_quality).order_by(facts_table.c.seq)
    with reading(engine) as conn:
        return [(row.occurred_at, row.clock_quality) for row in conn.execute(columns)]


def test_a_clock_twenty_years_off_changes_no_verdict_and_the_true_time_is_worked_out(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    long_ago = datetime(2006, 1, 1, tzinfo=UTC)
    desk.check_in(session.id, student(engine, institution.id, "Ada"), at(long_ago, since_boot_ms=3_000_000))
    desk.check_in(session.id, student(engine, institution.id, "Bo"), at(long_ago, boot="another run"))
    answer = desk.hand_over(client)
    assert {receipt.verdict for receipt in answer.receipts} == {"counted"}
    ada, bo = happened(engine)
    ten_minutes_ago = answer.hub_time - timedelta(minutes=10)
    assert ada == (ten_minutes_ago, "good")
    assert bo == (ten_minutes_ago, "bounded"), "after Ada, whatever the clock says"


def test_a_run_in_which_nothing_is_known_leaves_only_the_kiosks_own_clock(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    long_ago, far_off = datetime(2006, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
    desk.check_in(session.id, student(engine, institution.id, "Ada"), at(long_ago, boot="another run"))
    desk.check_in(session.id, student(engine, institution.id, "Bo"), at(far_off, boot="another run"))
    answer = desk.hand_over(client)
    assert happened(engine) == [(long_ago, "untrusted"), (answer.hub_time, "untrusted")]


def test_an_exchange_in_an_earlier_run_of_the_kiosk_tells_when_its_later_facts_happened(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    first = desk.send(client, desk.push(clock=at(boot="morning", since_boot_ms=1_000)))
    heard = msgspec.json.decode(first.data, type=PushAnswer).hub_time
    desk.check_in(session.id, student(engine, institution.id, "Ada"), at(boot="morning", since_boot_ms=800))
    assert desk.send(client, desk.push(clock=at(boot="evening", since_boot_ms=5_000))).status_code == 200
    assert happened(engine) == [(heard - timedelta(milliseconds=200), "good")]


def test_a_fact_whose_moment_becomes_known_when_it_comes_again_is_dated_anew(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    long_ago = datetime(2006, 1, 1, tzinfo=UTC)
    desk.check_in(session.id, student(engine, institution.id, "Ada"), at(long_ago, boot="morning", since_boot_ms=500))
    unknown = desk.send(client, desk.push(clock=at(boot="", since_boot_ms=0)))
    assert unknown.status_code == 200
    assert happened(engine) == [(long_ago, "untrusted")]
    desk.stream_id = uuid7()
    known = desk.send(client, desk.push(clock=at(boot="morning", since_boot_ms=1_500)))
    heard = msgspec.json.decode(known.data, type=PushAnswer).hub_time
    assert happened(engine)[0] == (heard - timedelta(seconds=1), "good")
    desk.stream_id = uuid7()
    assert desk.send(client, desk.push(clock=at(boot="", since_boot_ms=0))).status_code == 200
    assert happened(engine)[0] == (heard - timedelta(seconds=1), "good"), "never for the worse"


def test_an_unreadable_fact_that_comes_under_another_name_as_well_is_one_to_look_at(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.made.append(b'{"kind":"from_the_future"}')
    for _ in range(2):
        desk.hand_over(client)
        desk.stream_id = uuid7()
    with reading(engine) as conn:
        assert attendance_store.out_of_place(conn, institution.id) == 1


def waiting(engine: Engine, institution: Institution) -> int:
    return sum(each.waiting for each in kiosks.everyone(engine, institution.id))


def test_a_stream_that_goes_on_under_another_name_counts_nothing_twice(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.check_in(session.id, student(engine, institution.id, "Bo"))
    desk.hand_over(client, last=1)
    assert waiting(engine, institution) == 1
    parent, desk.stream_id = desk.stream_id, uuid7()
    response = desk.send(client, msgspec.structs.replace(desk.push(), parent=parent))
    answer = msgspec.json.decode(response.data, type=PushAnswer)
    assert [receipt.verdict for receipt in answer.receipts] == ["counted", "counted"]
    assert checked_in(engine, institution, session) == 2
    with reading(engine) as conn:
        assert conn.execute(select(streams.c.parent_id).where(streams.c.id == desk.stream_id)).scalar() == parent
    assert waiting(engine, institution) == 0, "the old name has nothing to hand over any more"


@pytest.mark.parametrize("poison", [b"no JSON", b"\xff\xfe", b"[" * 1_500, b""], ids=["text", "bytes", "deep", "empty"])
def test_a_fact_that_is_no_json_is_set_aside_with_its_bytes_and_stops_no_other(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, poison: bytes
) -> None:
    desk.made.append(poison)
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    push = desk.push()
    spelled = (msgspec.Raw(encode(Verbatim(bytes=poison))), push.facts[1])
    response = desk.send(client, msgspec.structs.replace(push, facts=spelled))
    answer = msgspec.json.decode(response.data, type=PushAnswer)
    assert [receipt.verdict for receipt in answer.receipts] == ["set_aside", "counted"]
    with reading(engine) as conn:
        assert conn.execute(select(facts_table.c.body).order_by(facts_table.c.seq)).scalars().first() == poison


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_moment_no_clock_can_show_costs_neither_the_fact_nor_the_next_one(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, moment: str
) -> None:
    fact = desk.check_in(session.id, student(engine, institution.id, "Ada"), at(boot="another run"))
    desk.made[-1] = encode(fact).replace(b"2026-11-21T12:00:00Z", moment.encode())
    desk.check_in(session.id, student(engine, institution.id, "Bo"))
    assert [receipt.verdict for receipt in desk.hand_over(client).receipts] == ["counted", "counted"]
    assert checked_in(engine, institution, session) == 2


def test_a_kiosk_that_claims_to_hold_back_nonsense_spoils_nobodys_page_and_can_be_cut_off(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    for _ in range(3):
        desk.stream_id = uuid7()
        assert desk.send(client, msgspec.structs.replace(desk.push(), head_seq=2**53 - 1)).status_code == 200
    assert attendance.count(engine, institution.id, session.id).kiosks[0].waiting == 3_000_000
    assert kiosks.revoke(engine, institution.id, desk.kiosk_id, now).revoked_at == now


def test_an_address_confirmed_while_its_check_in_arrives_is_counted(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    dita = student(engine, institution.id, "Dita", pending=["dita@gmail.com"])
    desk.note(session.id, "dita@gmail.com")
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as conn:
            feed.touch(conn, institution.id, "person", [dita])
            arriving = pool.submit(desk.hand_over, client)
            wait_until_blocked(engine, arriving)
            conn.execute(addresses.update().where(addresses.c.student_id == dita).values(state="confirmed"))
        verdicts = [receipt.verdict for receipt in arriving.result().receipts]
    assert verdicts == ["counted"]


def wait_until_blocked(engine: Engine, task: Future[Any]) -> None:
    """On PostgreSQL, until the task waits for a lock, or is over and nothing held it. SQLite has one writer anyway."""
    if engine.dialect.name == "postgresql":
        waiting = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
        with engine.connect() as conn:
            while not task.done() and not conn.execute(waiting).scalar_one():
                conn.rollback()


def test_more_facts_than_a_push_may_hold_are_too_many(
    client: FlaskClient, institution: Institution, desk: Desk
) -> None:
    desk.made = [b"{}"] * (MAX_FACTS + 1)
    response = desk.send(client, desk.push())
    assert (response.status_code, code(response)) == (413, "too_large")


def test_a_fact_delivered_twice_gets_the_same_receipt_however_often_it_is_sent(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk
) -> None:
    fact = desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.made += [desk.made[0], encode(msgspec.structs.replace(fact, method="card"))]
    first, again = desk.hand_over(client), desk.hand_over(client)
    assert first.receipts == again.receipts
    assert [(receipt.id, receipt.verdict) for receipt in first.receipts] == [
        (fact.id, "counted"),
        (fact.id, "counted"),
        (fact.id, "parked:id_conflict"),
    ]


def test_an_id_of_another_institution_is_a_conflict_and_says_nothing_of_it(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    other_institution: Institution,
    session: Session,
    desk: Desk,
    now: datetime,
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    desk.hand_over(client)
    stranger = enrolled(engine, other_institution.id, now)
    stranger.made = desk.made
    assert [receipt.verdict for receipt in stranger.hand_over(client).receipts] == ["parked:id_conflict"]


@pytest.mark.parametrize("depth", [100, 900, 943, 944, 1_000])
def test_a_deeply_nested_fact_never_breaks_the_hub(
    client: FlaskClient, institution: Institution, desk: Desk, depth: int
) -> None:
    desk.made.append(b'{"kind":"check_in","x":' + b"[" * depth + b"]" * depth + b"}")
    assert desk.send(client, desk.push()).status_code in (200, 400)


def test_gzip_is_read_and_bounded(
    client: FlaskClient, engine: Engine, institution: Institution, session: Session, desk: Desk
) -> None:
    desk.check_in(session.id, student(engine, institution.id, "Ada"))
    zipped = gzip.compress(encode(desk.push()))
    assert desk.send(client, zipped, **{"Content-Encoding": "gzip"}).status_code == 200
    bomb = gzip.compress(b" " * 50_000_000)
    assert desk.send(client, bomb, **{"Content-Encoding": "gzip"}).status_code == 413
    assert desk.send(client, zipped[:-5], **{"Content-Encoding": "gzip"}).status_code == 400
    assert desk.send(client, b"no gzip", **{"Content-Encoding": "gzip"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not_json"),
        (b"no json", 400, "not_json"),
        (b'{"proto":1', 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[]", 422, "wrong_shape"),
        (b"{}", 422, "wrong_shape"),
        (b'{"proto":1,"x":' + b"[" * 100_000, 400, "not_json"),
        (b" " * (MAX_PUSH_BYTES + 1), 413, "too_large"),
    ],
)
def test_a_push_that_cannot_be_read_is_refused_with_its_reason(
    client: FlaskClient, desk: Desk, body: bytes, status: int, said: str
) -> None:
    response = desk.send(client, body)
    assert (response.status_code, code(response)) == (status, said)
    assert response.mimetype == "application/problem+json"


def test_another_version_of_the_protocol_is_told_to_update(client: FlaskClient, desk: Desk) -> None:
    response = desk.send(client, msgspec.structs.replace(desk.push(), proto=0))
    assert (response.status_code, code(response)) == (426, "proto_too_old")


def test_a_push_with_another_media_type_is_refused(client: FlaskClient, desk: Desk) -> None:
    assert desk.send(client, desk.push(), **{"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("seed", range(5))
def test_order_batching_and_repetition_never_change_the_count(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, now: datetime, seed: int
) -> None:
    rng = random.Random(seed)
    people = [student(engine, institution.id, "Bo") for _ in range(6)]
    desks = [enrolled(engine, institution.id, now, f"Desk {number}") for number in range(3)]
    expected: set[UUID] = set()
    for _ in range(30):
        ref = rng.choice(people)
        rng.choice(desks).check_in(session.id, ref)
        expected.add(ref)
    held = {desk.stream_id: 0 for desk in desks}
    while any(held[desk.stream_id] < len(desk.made) for desk in desks):
        desk = rng.choice(desks)
        first = rng.randint(1, held[desk.stream_id] + 1)
        last = min(len(desk.made), first + rng.randint(0, 5))
        if last >= first:
            held[desk.stream_id] = desk.hand_over(client, first, last).stream.acked_seq
    assert checked_in(engine, institution, session) == len(expected)
