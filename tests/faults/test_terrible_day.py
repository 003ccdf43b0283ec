"""A day on which everything goes wrong ends with an exact count, and a program that breaks a promise is found out."""

import pytest

from tests.faults import terrible_day
from tests.faults.outcome import Effort

ONE_DAY = Effort(seed=1, scale=0.01)


def test_the_count_is_exact_at_the_end_of_a_terrible_day() -> None:
    outcome = terrible_day.terrible_day(ONE_DAY)

    assert outcome.well, outcome


@pytest.mark.parametrize(
    ("kiosk", "hub", "symptom"),
    [
        ("kiosk_answers_first", "", "wrong screens"),
        ("", "hub_drops_facts", "stuck"),
    ],
)
def test_a_program_that_breaks_a_promise_does_not_get_through_the_day(
    kiosk: str, hub: str, symptom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terrible_day, "PATIENCE_S", 5)

    outcome = terrible_day.attempt(ONE_DAY, kiosk_variant=kiosk, hub_variant=hub)

    assert outcome.wrong[symptom] > 0, outcome
