"""The doctor of a real kiosk beside a real hub: the rehearsal goes the whole road, and nobody is counted for it."""

import json
from typing import Any
from uuid import UUID

import pytest

from kiosk.actions import setting_up
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from tests.whole.conftest import Place
from tests.whole.programs import Failed, Kiosk

pytestmark = pytest.mark.timeout(400)

# This office gave its desks no PIN, and its fair is on a day of its own.
ELSEWHERE = {"pin", "session"}


@pytest.fixture
def stands(place: Place, kiosk: Kiosk) -> Kiosk:
    """A kiosk at a session nobody has checked in to."""
    journal, roster = Journal(kiosk.folder / "journal.sqlite"), Roster(kiosk.folder, "none")
    assert setting_up.choose_session(journal, roster, UUID(place.session)) is not None
    journal.close()
    roster.close()
    return kiosk


def doctor(kiosk: Kiosk) -> dict[str, dict[str, Any]]:
    """What it found, by name of the check."""
    try:
        found = kiosk.ask("doctor")
    except Failed as failed:
        found = json.loads(failed.out)
    return {each["name"]: each for each in found["checks"]}


def not_well(checks: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name, check in checks.items() if not check["ok"]}


def test_a_rehearsal_reaches_the_hub_and_counts_for_nobody(place: Place, stands: Kiosk) -> None:
    checks = doctor(stands)
    assert not_well(checks) <= ELSEWHERE, checks
    assert checks["rehearsal"]["code"] == "at_hub"
    assert place.count() == (0, 0)
    assert stands.status()["waiting"] == 0


def test_beside_a_postman_at_work_the_doctor_sees_it_hand_the_rehearsal_over(place: Place, stands: Kiosk) -> None:
    postman = stands.start("post")
    try:
        checks = doctor(stands)
        # On a slow machine the postman may set out after the doctor's patience has run out: then that is what it says.
        assert checks["rehearsal"]["code"] in ("at_hub", "on_disk")
        assert not_well(checks) <= ELSEWHERE | {"rehearsal"}, checks
    finally:
        postman.terminate()
    assert place.count() == (0, 0)
