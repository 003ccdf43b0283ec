"""Random schedules hold every promise, and the broken product is caught by them. `make faults` tries many more."""

import pytest

from tests.faults.outcome import Effort
from tests.faults.schedules import live, schedules
from tests.faults.variants import BROKEN, first_caught

SEED = 4


def test_a_few_random_schedules_lose_double_diverge_and_leave_stuck_nothing() -> None:
    outcome = schedules(Effort(seed=SEED, scale=0.003))
    assert outcome.well, outcome.told


def test_the_same_seed_is_the_same_schedule() -> None:
    (_, first), (_, second) = live(SEED), live(SEED)
    # Facts have ids of their own each time.
    assert [line[:30] for line in first] == [line[:30] for line in second]
    assert len(first) > 20


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_variant_is_caught(name: str) -> None:
    number, _ = first_caught(name, SEED * 1_000_000, 150)
    assert number is not None
