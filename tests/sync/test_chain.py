"""The hash chain: every change of what was said before changes every hash after it."""

from hashlib import blake2b

from hypothesis import assume, given
from hypothesis import strategies as st

from sync import chain

facts = st.lists(st.binary(max_size=40), max_size=12)


def test_the_chain_begins_with_thirty_two_zero_bytes() -> None:
    assert bytes(32) == chain.START


def test_a_hash_is_blake2b_256_of_the_hash_before_it_and_the_bytes_of_the_fact() -> None:
    said = blake2b(bytes(32) + b'{"kind":"check_in"}', digest_size=32).digest()
    assert chain.advance(chain.START, b'{"kind":"check_in"}') == said


@given(facts)
def test_there_is_one_hash_for_each_fact(batch: list[bytes]) -> None:
    assert len(chain.hashes(chain.START, batch)) == len(batch)


@given(facts, st.integers(min_value=0, max_value=12))
def test_batches_of_any_size_make_the_same_chain(batch: list[bytes], cut: int) -> None:
    first = chain.hashes(chain.START, batch[:cut])
    rest = chain.hashes([chain.START, *first][-1], batch[cut:])
    assert first + rest == chain.hashes(chain.START, batch)


@given(facts, st.data())
def test_one_changed_fact_changes_its_own_hash_and_all_that_follow(batch: list[bytes], data: st.DataObject) -> None:
    assume(batch)
    where = data.draw(st.integers(min_value=0, max_value=len(batch) - 1))
    changed = [*batch[:where], batch[where] + b"!", *batch[where + 1 :]]
    before = chain.hashes(chain.START, batch)
    after = chain.hashes(chain.START, changed)
    assert before[:where] == after[:where]
    assert all(one != other for one, other in zip(before[where:], after[where:], strict=True))


def test_two_facts_in_the_other_order_are_another_history() -> None:
    one, other = b"Ada came", b"Bo came"
    assert chain.hashes(chain.START, [one, other])[-1] != chain.hashes(chain.START, [other, one])[-1]
