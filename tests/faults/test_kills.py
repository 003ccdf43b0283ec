"""What was answered at a desk outlives any death of any program, and a program that breaks a promise is found out."""

import pytest

from tests.faults.kills import attempt, kills
from tests.faults.outcome import Effort

A_LITTLE = Effort(seed=1, scale=0.005)


def test_nothing_is_lost_doubled_or_shown_wrongly_when_programs_are_killed() -> None:
    outcome = kills(A_LITTLE)

    assert outcome.well, outcome


@pytest.mark.parametrize(
    ("kiosk", "hub", "symptom"),
    [
        ("kiosk_forgets_intents", "", "wrong screens"),
        ("kiosk_answers_first", "", "acknowledged lost"),
        ("", "hub_drops_facts", "acknowledged lost"),
    ],
)
def test_a_program_that_breaks_a_promise_is_found_out(kiosk: str, hub: str, symptom: str) -> None:
    outcome = attempt(Effort(seed=1, scale=0.002), kiosk_variant=kiosk, hub_variant=hub)

    assert outcome.wrong[symptom] > 0, outcome
