"""A token opens its own institution, as long as it is good, and nothing else; and no fact harms anybody else's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub.actions import attendance, kiosks
from hub.store.events import Session
from sync.messages import MAX_FACT_BYTES, CheckIn, Digests, FeedPage, Problem, PushAnswer, encode
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, at, enrolled, student, unzipped


@pytest.fixture
def ada(engine: Engine, institution: Institution) -> UUID:
    return student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])


@pytest.fixture
def stranger(engine: Engine, other_institution: Institution, now: datetime) -> Desk:
    """A kiosk of another institution at the same hub."""
    return enrolled(engine, other_institution.id, now)


def guarded(client: FlaskClient) -> Iterator[tuple[str, str]]:
    """Method and address of everything that wants a kiosk's token, by the API's own description."""
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "put", "delete"}:
            if item[method]["security"]:
                yield method, path.format(stream_id=uuid4(), number=0)


def checked_in(engine: Engine, institution: Institution, session: Session) -> int:
    return attendance.count(engine, institution.id, session.id).count.checked_in


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [(None, 401, "device_unknown"), ("guessed", 401, "device_unknown"), ("revoked", 403, "device_revoked")],
)
def test_without_a_good_token_there_is_not_a_byte_of_the_roster_anywhere(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    desk: Desk,
    ada: UUID,
    now: datetime,
    token: str | None,
    status: int,
    code: str,
) -> None:
    kiosks.revoke(engine, institution.id, desk.kiosk_id, now)
    said = {None: {}, "guessed": {"Authorization": f"Bearer {'0' * 43}"}, "revoked": desk.headers()}[token]
    routes = list(guarded(client))
    assert len(routes) >= 4
    for method, path in routes:
        response = client.open(path, method=method, headers=said, json={})
        problem = msgspec.json.decode(response.data, type=Problem)
        assert (response.status_code, problem.code) == (status, code), path
        # What the answer says is the same for everybody who is refused so.
        assert msgspec.structs.replace(problem, title="", hub_id=None) == Problem(
            type="about:blank", title="", status=status, code=code, hub_id=None
        )


def test_a_kiosk_is_given_nothing_of_another_institution_at_any_address(
    client: FlaskClient, desk: Desk, stranger: Desk, ada: UUID
) -> None:
    def told(of: Desk, path: str) -> bytes:
        response = client.get(f"/api/v1/{path}", headers=of.headers())
        assert response.status_code == 200
        return unzipped(response)

    ours, theirs = (msgspec.json.decode(told(each, "feed/digests"), type=Digests) for each in (desk, stranger))
    filled = [number for number, digest in enumerate(ours.buckets) if digest != theirs.buckets[number]]
    paths = ["feed", *(f"feed/buckets/{number}" for number in filled)]
    assert str(ada) in b"".join(told(desk, path) for path in paths[1:]).decode()
    start = msgspec.json.decode(told(desk, "feed"), type=FeedPage).start
    assert start is not None
    for path in paths:
        assert str(ada).encode() not in told(stranger, path)
        assert msgspec.json.encode(start.roster_key) not in told(stranger, path)


def test_a_stream_of_the_same_name_elsewhere_is_another_stream(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    desk: Desk,
    stranger: Desk,
    ada: UUID,
) -> None:
    desk.check_in(session.id, ada)
    desk.hand_over(client)
    stranger.stream_id = desk.stream_id
    stranger.check_in(session.id, ada)
    assert [each.verdict for each in stranger.hand_over(client).receipts] == ["parked:unknown_session"]
    desk.check_in(session.id, ada)
    assert [each.verdict for each in desk.hand_over(client, 2).receipts] == ["already_present"]
    assert checked_in(engine, institution, session) == 1


def test_another_institution_takes_no_check_in_back(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    desk: Desk,
    stranger: Desk,
    ada: UUID,
) -> None:
    fact = desk.check_in(session.id, ada)
    desk.hand_over(client)
    stranger.undo(session.id, [fact.id])
    stranger.check_out(session.id, None)
    stranger.hand_over(client)
    assert checked_in(engine, institution, session) == 1


@pytest.fixture
def bos_desk(engine: Engine, institution: Institution, session: Session, now: datetime) -> Desk:
    """Another kiosk, where Bo has checked in."""
    desk = enrolled(engine, institution.id, now, "Back door")
    desk.check_in(session.id, student(engine, institution.id, "Bo"))
    return desk


@pytest.mark.parametrize("number", [0, 2**128 - 1, (2**48 - 1) << 80 | 7 << 76 | 2 << 62, 0xADA])
def test_an_id_is_a_name_and_no_time_whatever_it_looks_like(
    client: FlaskClient, session: Session, desk: Desk, bos_desk: Desk, ada: UUID, number: int
) -> None:
    fact_id = UUID(int=number)
    desk.make(CheckIn(id=fact_id, session_id=session.id, method="card", at=at(), roster_position=0, ref=ada))
    assert [each.verdict for each in desk.hand_over(client).receipts] == ["counted"]
    assert [each.verdict for each in bos_desk.hand_over(client).receipts] == ["counted"]


@pytest.mark.parametrize("year", [1, 1969, 2999, 9999])
def test_a_moment_of_another_age_harms_nobody(
    client: FlaskClient, session: Session, desk: Desk, bos_desk: Desk, ada: UUID, year: int
) -> None:
    desk.check_in(session.id, ada, at(datetime(year, 6, 1, tzinfo=UTC), 2**53 - 1, "another run"))
    assert [each.verdict for each in desk.hand_over(client).receipts] == ["counted"]
    assert [each.verdict for each in bos_desk.hand_over(client).receipts] == ["counted"]
    assert client.get("/api/v1/feed", headers=bos_desk.headers()).status_code == 200


def test_a_fact_that_is_too_large_is_kept_aside_and_stops_no_other(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, ada: UUID
) -> None:
    large: dict[str, Any] = msgspec.json.decode(encode(desk.check_in(session.id, uuid4())))
    desk.made[-1] = msgspec.json.encode(large | {"more": "x" * MAX_FACT_BYTES})
    desk.check_in(session.id, ada)
    assert [each.verdict for each in desk.hand_over(client).receipts] == ["set_aside", "counted"]
    assert checked_in(engine, institution, session) == 1


@pytest.mark.parametrize("boot", ["\x00", "a\x00b", "\x1f", "\ufffe", "💥" * 64])
def test_a_strange_name_of_a_run_is_no_reason_to_be_told_to_come_again(
    client: FlaskClient, session: Session, desk: Desk, ada: UUID, boot: str
) -> None:
    """A kiosk that is told so sends the same bytes again, for ever."""
    desk.check_in(session.id, ada, at(boot=boot))
    answer = desk.send(client, desk.push(clock=at(boot=boot)))
    assert answer.status_code == 200
    assert [each.verdict for each in msgspec.json.decode(answer.data, type=PushAnswer).receipts] == ["counted"]
