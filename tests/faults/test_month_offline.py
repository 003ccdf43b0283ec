"""A month of check-ins reaches the hub once each, and a hub that drops some of them is found out."""

from tests.faults.month_offline import attempt, month_offline
from tests.faults.outcome import Effort

A_LITTLE = Effort(seed=1, scale=0.01)


def test_a_month_without_a_network_ends_at_the_hub_once_each() -> None:
    outcome = month_offline(A_LITTLE)

    assert outcome.well, outcome
    assert outcome.tried["facts"] >= 600


def test_a_hub_that_drops_facts_is_found_out() -> None:
    outcome = attempt(A_LITTLE, hub_variant="hub_drops_facts")

    assert outcome.wrong["lost"] > 0, outcome
