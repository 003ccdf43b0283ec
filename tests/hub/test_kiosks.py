"""Inviting, enrolling, recognising and cutting off kiosks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from hub.actions import kiosks, readiness
from hub.errors import UnknownKiosk
from hub.store.events import Session
from sync.errors import CodeRefused
from sync.messages import Enrolled, Enrolment, FeedPage
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, student, unzipped


def enrol(client: FlaskClient, code: str) -> TestResponse:
    return client.post("/api/v1/enrolments", json={"code": code, "app": "test"})


def feed(client: FlaskClient, desk: Desk) -> TestResponse:
    return client.get("/api/v1/feed", headers=desk.headers())


def test_a_code_gives_a_kiosk_its_standing_once(
    engine: Engine, client: FlaskClient, institution: Institution, now: datetime
) -> None:
    code = kiosks.invite(engine, institution.id, "Front door", datetime.now(now.tzinfo)).code
    first, second = enrol(client, code), enrol(client, code)
    standing = msgspec.json.decode(first.data, type=Enrolled)
    assert (first.status_code, standing.institution) == (201, "Example University")
    assert len(standing.hub_key) == 32
    assert (second.status_code, msgspec.json.decode(second.data)["code"]) == (403, "code_refused")


def test_of_many_kiosks_racing_for_one_code_exactly_one_wins(
    engine: Engine, institution: Institution, now: datetime
) -> None:
    code = kiosks.invite(engine, institution.id, "Front door", now).code
    hub_id = readiness.hub_id(engine)

    def race(_: int) -> bool:
        try:
            kiosks.enrol(engine, hub_id, Enrolment(code=code, app="test"), now)
        except CodeRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(16))) == 1
    assert len(kiosks.everyone(engine, institution.id)) == 1


def test_a_code_is_no_good_after_ten_minutes(engine: Engine, institution: Institution, now: datetime) -> None:
    code = kiosks.invite(engine, institution.id, "Front door", now).code
    hub_id = readiness.hub_id(engine)
    with pytest.raises(CodeRefused):
        kiosks.enrol(engine, hub_id, Enrolment(code=code, app="test"), now + timedelta(minutes=10))


def test_without_a_known_token_there_is_nothing_to_see(client: FlaskClient, desk: Desk) -> None:
    for header in ("", "Bearer", "Bearer wrong", f"Basic {desk.token}"):
        response = client.get("/api/v1/feed", headers={"Authorization": header})
        assert (response.status_code, msgspec.json.decode(response.data)["code"]) == (401, "device_unknown")
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_kiosk_reads_nothing_and_pushes_nothing_and_the_others_get_a_new_key(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    before = msgspec.json.decode(unzipped(feed(client, desk)), type=FeedPage)
    lost = kiosks.invite(engine, institution.id, "Lost", now).code
    standing = kiosks.enrol(engine, readiness.hub_id(engine), Enrolment(code=lost, app="test"), now)
    thief = Desk(standing.kiosk_id, standing.token, standing.hub_key)

    kiosks.revoke(engine, institution.id, thief.kiosk_id, now)

    for response in (feed(client, thief), thief.send(client, thief.push())):
        assert (response.status_code, msgspec.json.decode(response.data)["code"]) == (403, "device_revoked")
    response = client.get(f"/api/v1/feed?epoch={before.epoch}&after={before.to}", headers=desk.headers())
    after = msgspec.json.decode(unzipped(response), type=FeedPage)
    assert after.start is not None
    assert before.start is not None
    assert after.start.roster_key != before.start.roster_key
    assert after.epoch != before.epoch


def test_revoking_twice_changes_nothing_and_an_unknown_kiosk_is_refused(
    engine: Engine, institution: Institution, desk: Desk, now: datetime
) -> None:
    first = kiosks.revoke(engine, institution.id, desk.kiosk_id, now)
    again = kiosks.revoke(engine, institution.id, desk.kiosk_id, now + timedelta(hours=1))
    assert first.revoked_at == again.revoked_at == now
    with pytest.raises(UnknownKiosk):
        kiosks.revoke(engine, institution.id, uuid7(), now)


def test_an_institution_cannot_cut_off_anothers_kiosk(
    engine: Engine, institution: Institution, other_institution: Institution, desk: Desk, now: datetime
) -> None:
    with pytest.raises(UnknownKiosk):
        kiosks.revoke(engine, other_institution.id, desk.kiosk_id, now)
    assert kiosks.recognise(engine, desk.token).revoked_at is None
