"""Both programs as real processes: a hub is backed up while it works, put back, and hears by stick what it missed."""

from pathlib import Path

import pytest

from tests.whole.conftest import ADA, CEM, DITA, Place
from tests.whole.programs import Failed, Kiosk

pytestmark = pytest.mark.timeout(400)


def check_in(kiosk: Kiosk, place: Place, *identifiers: str) -> None:
    with kiosk.desk() as desk:
        for each in identifiers:
            assert desk.check_in(place.session, each)["verdict"] == "welcome"


def test_a_hub_that_is_put_back_hears_from_its_kiosks_what_it_lacks(place: Place, kiosk: Kiosk, tmp_path: Path) -> None:
    file = tmp_path / "hub.sqlite"
    check_in(kiosk, place, ADA.school_emails[0])
    assert kiosk.post()["problem"] is None
    assert place.hub.ask("backup", str(file))["verified"]
    check_in(kiosk, place, CEM.school_emails[0])
    assert kiosk.post()["problem"] is None
    assert place.count() == (2, 0)

    with pytest.raises(Failed, match="Stop every `hub serve`"):
        place.hub.ask("restore", str(file), "--yes")
    place.hub.stop()
    kept = Path(place.hub.ask("restore", str(file), "--yes")["kept"])
    assert place.count() == (1, 0)
    place.hub.serve()

    told = kiosk.post()
    assert (told["problem"], told["waiting"]) == (None, 0)
    assert place.count() == (2, 0)
    assert told["received"] >= len(place.office.people), "every kiosk loads its list afresh"
    kept.unlink()


def test_what_never_found_a_network_comes_by_stick_and_counts_once(place: Place, kiosk: Kiosk, tmp_path: Path) -> None:
    stick = tmp_path / "front.facts"
    place.hub.stop()
    check_in(kiosk, place, ADA.school_emails[0], CEM.school_emails[0], DITA.school_emails[0])
    assert kiosk.post()["problem"] == "hub_unreachable"
    assert kiosk.ask("export", str(stick))["facts"] == 3

    told = place.hub.ask("import", "facts", str(stick))

    assert (told["facts"], told["new"]) == (3, 3)
    assert place.count() == (3, 0)
    place.hub.serve()
    assert kiosk.post()["waiting"] == 0
    assert place.count() == (3, 0)
    assert place.hub.ask("import", "facts", str(stick))["known"] == 3
