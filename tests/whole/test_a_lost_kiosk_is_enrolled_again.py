"""A kiosk that its hub does not know any more, or has withdrawn, becomes a member again and hands over what it has."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import update
from uuid_utils.compat import uuid7

from hub.database import connect, writing
from hub.schema import kiosks
from kiosk import postman
from tests.whole.conftest import ADA, CEM, Place
from tests.whole.programs import Failed, Kiosk


@pytest.fixture
def lone_kiosk(place: Place) -> Iterator[Kiosk]:
    """A kiosk that nobody else uses, with Ada at the hub and Cem waiting to be sent."""
    kiosk = place.office.new_kiosk(f"lone-{place.session}")
    with kiosk.desk() as desk:
        assert desk.check_in(place.session, ADA.school_emails[0])["verdict"] == "welcome"
        assert kiosk.post()["waiting"] == 0
        assert desk.check_in(place.session, CEM.school_emails[0])["verdict"] == "welcome"
    yield kiosk
    kiosk.kill()


def test_a_withdrawn_kiosk_that_is_enrolled_again_hands_over_everything_once(place: Place, lone_kiosk: Kiosk) -> None:
    place.hub.ask("kiosks", "revoke", lone_kiosk.status()["kiosk_id"])
    assert (lone_kiosk.post()["problem"], lone_kiosk.status()["waiting"]) == ("device_revoked", 1)
    enrolled_again(place, lone_kiosk)


def test_a_kiosk_that_the_hub_does_not_know_hands_over_everything_once(place: Place, lone_kiosk: Kiosk) -> None:
    engine = connect(place.hub.told["HUB_DATABASE_URL"])
    with writing(engine) as conn:
        of_it = kiosks.c.id == UUID(lone_kiosk.status()["kiosk_id"])
        conn.execute(update(kiosks).where(of_it).values(token_hash=uuid7().bytes))
    engine.dispose()
    assert (lone_kiosk.post()["problem"], lone_kiosk.status()["waiting"]) == ("device_unknown", 1)
    enrolled_again(place, lone_kiosk)


def enrolled_again(place: Place, kiosk: Kiosk) -> None:
    code = place.hub.ask("kiosks", "invite")["code"]
    with postman.only_one(kiosk.folder), pytest.raises(Failed, match="another_postman"):
        kiosk.ask("enrol", place.hub.url, code)
    kiosk.ask("enrol", place.hub.url, code)
    told = kiosk.post()
    assert (told["problem"], told["waiting"]) == (None, 0)
    assert place.count() == (2, 0)
    with kiosk.desk() as desk:
        assert desk.check_in(place.session, ADA.school_emails[0])["verdict"] == "already_in"
