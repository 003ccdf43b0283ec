"""Nothing that answers at the hub's address moves a mark, and a kiosk that believed everybody would be found out."""

from tests.faults.bad_hubs import BEHAVIOURS, PASS, attempt, bad_hubs, says
from tests.faults.outcome import Effort

A_LITTLE = Effort(seed=1, scale=0.005)


def test_no_misbehaving_hub_takes_a_check_in_away_or_ends_the_postman() -> None:
    outcome = bad_hubs(A_LITTLE)

    assert outcome.well, outcome
    assert outcome.tried["hubs"] == 5


def test_a_mark_that_moves_without_the_hub_is_noticed() -> None:
    # No kiosk can tell this answer from one of its own hub.
    outcome = attempt(A_LITTLE, {PASS: BEHAVIOURS[PASS], "acknowledges and keeps nothing": says()})

    assert outcome.wrong["marks moved"] > 0, outcome
