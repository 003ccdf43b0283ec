"""When to try again."""

from hypothesis import given
from hypothesis import strategies as st

from sync import pace

failures = st.integers(min_value=1, max_value=10**9)
chances = st.floats(min_value=0, max_value=1, exclude_max=True)
asked = st.none() | st.floats(min_value=0, max_value=1e9)


def test_a_kiosk_whose_last_exchange_went_well_keeps_its_steady_pace() -> None:
    assert pace.delay(0, chance=0.9) == pace.STEADY_S


@given(failures, chances, asked)
def test_no_wait_is_negative_or_longer_than_the_cap(failed: int, chance: float, retry_after: float | None) -> None:
    assert 0 <= pace.delay(failed, chance, retry_after) <= pace.CAP_S


@given(failures, chances)
def test_without_a_word_from_the_hub_the_wait_is_a_share_of_the_bound(failed: int, chance: float) -> None:
    bound = min(pace.CAP_S, pace.FIRST_S * 2.0 ** min(failed, 10))
    assert pace.delay(failed, chance) == bound * chance


@given(failures, chances, chances)
def test_a_higher_draw_never_waits_less(failed: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert pace.delay(failed, low) <= pace.delay(failed, high)


@given(failures, chances)
def test_one_more_failure_never_shortens_the_wait(failed: int, chance: float) -> None:
    assert pace.delay(failed, chance) <= pace.delay(failed + 1, chance)


@given(failures, chances, st.floats(min_value=0, max_value=pace.CAP_S))
def test_what_the_hub_asked_for_is_the_least_we_wait(failed: int, chance: float, retry_after: float) -> None:
    assert pace.delay(failed, chance, retry_after) >= retry_after


def test_a_hub_that_asks_for_an_hour_gets_a_minute() -> None:
    assert pace.delay(1, chance=0.0, retry_after=3600.0) == pace.CAP_S


def test_two_hundred_kiosks_that_lost_the_network_together_come_back_apart() -> None:
    waits = [pace.delay(6, chance=number / 200) for number in range(200)]
    assert len(set(waits)) == 200
    assert max(waits) - min(waits) > pace.CAP_S * 0.9
