"""A kiosk whose journal was damaged: what can be read of it reaches the hub, and counts once."""

import pytest

from tests.kiosk import damage
from tests.kiosk.damage import Spoil
from tests.whole.conftest import ADA, CEM, DITA, Place
from tests.whole.programs import Kiosk

pytestmark = pytest.mark.timeout(400)


def come(kiosk: Kiosk, place: Place, *identifiers: str) -> list[str]:
    """What the desk answers them."""
    with kiosk.desk() as desk:
        return [desk.check_in(place.session, each)["verdict"] for each in identifiers]


@pytest.mark.parametrize("spoil", [damage.first_page, damage.one_bit])
def test_what_was_sent_and_what_was_not_is_at_the_hub_once(place: Place, spoil: Spoil) -> None:
    kiosk = place.office.new_kiosk(f"damaged-{spoil.__name__}")
    assert come(kiosk, place, ADA.school_emails[0], "guest@nowhere.example") == ["welcome", "noted"]
    assert kiosk.post()["waiting"] == 0
    assert come(kiosk, place, CEM.school_emails[0]) == ["welcome"]
    kiosk.kill()
    spoil(kiosk.folder / "journal.sqlite")

    kiosk.serve()
    told = kiosk.status()["salvaged"]
    assert (told["carried"], told["missing"]) == (3, 0)
    assert come(kiosk, place, ADA.school_emails[1], DITA.school_emails[0]) == ["already_in", "welcome"]
    assert place.count() == (1, 1)
    assert kiosk.post()["waiting"] == 0
    assert place.count() == (3, 1)
    kiosk.kill()
