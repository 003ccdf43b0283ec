"""A roster can be looked up, but not read."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import seals
from sync.identifiers import Card, Identifier, read_email
from tests.sync.fakes import EPOCH

KEY = bytes(range(32))
ADA = read_email("ada@school.example")
BO = read_email("bo@school.example")
names = st.text(st.characters(codec="utf-8"), max_size=80)
positions = st.integers(min_value=0, max_value=2**63 - 1)


def test_the_tag_is_eight_bytes_and_the_box_key_thirty_two() -> None:
    found = seals.lookup(KEY, ADA)
    assert (len(found.tag), len(found.box_key)) == (8, 32)


def test_the_same_address_typed_another_way_finds_the_same_row() -> None:
    assert seals.lookup(KEY, read_email("  ADA@School.Example ")) == seals.lookup(KEY, ADA)


def test_another_person_or_another_key_finds_another_row() -> None:
    assert seals.lookup(KEY, BO).tag != seals.lookup(KEY, ADA).tag
    assert seals.lookup(seals.new_key(), ADA).tag != seals.lookup(KEY, ADA).tag


def test_a_card_that_reads_like_an_address_is_not_that_address() -> None:
    assert seals.lookup(KEY, Card(ADA.key)).tag != seals.lookup(KEY, ADA).tag


def test_a_tag_says_nothing_of_its_box_key() -> None:
    found = seals.lookup(KEY, ADA)
    assert found.tag not in found.box_key


@given(names, positions)
def test_a_greeting_opens_with_the_identifier_it_was_sealed_under(name: str, position: int) -> None:
    box_key = seals.lookup(KEY, ADA).box_key
    opened = seals.open_greeting(box_key, seals.seal_greeting(box_key, name, EPOCH, position), EPOCH, position)
    assert opened is not None
    assert name.startswith(opened)
    assert opened == name or len(name.encode()) > seals.LONGEST_GREETING


def test_a_greeting_does_not_open_for_anybody_or_anywhere_else() -> None:
    box_key = seals.lookup(KEY, ADA).box_key
    sealed = seals.seal_greeting(box_key, "Ada", EPOCH, 7)
    other_epoch = UUID(int=EPOCH.int ^ 1)

    assert seals.open_greeting(box_key, sealed, EPOCH, 7) == "Ada"
    assert seals.open_greeting(seals.lookup(KEY, BO).box_key, sealed, EPOCH, 7) is None
    rotated = seals.lookup(seals.new_key(), ADA).box_key
    assert seals.open_greeting(rotated, sealed, EPOCH, 7) is None
    assert seals.open_greeting(box_key, sealed, other_epoch, 7) is None
    assert seals.open_greeting(box_key, sealed, EPOCH, 8) is None


@given(st.integers(min_value=0, max_value=seals.PAD + 15), st.integers(min_value=1, max_value=255))
def test_a_greeting_in_which_one_byte_rotted_does_not_open(where: int, change: int) -> None:
    box_key = seals.lookup(KEY, ADA).box_key
    sealed = bytearray(seals.seal_greeting(box_key, "Ada", EPOCH, 7))
    sealed[where] ^= change
    assert seals.open_greeting(box_key, bytes(sealed), EPOCH, 7) is None


@given(st.binary(max_size=100))
def test_noise_of_any_length_opens_nothing_and_breaks_nothing(noise: bytes) -> None:
    private, _ = seals.new_hub_key()
    assert seals.open_greeting(seals.lookup(KEY, ADA).box_key, noise, EPOCH, 7) is None
    assert seals.open_at_hub(private, noise) is None


def test_the_length_of_a_sealed_greeting_hardly_depends_on_the_name() -> None:
    box_key = seals.lookup(KEY, ADA).box_key

    def length(name: str) -> int:
        return len(seals.seal_greeting(box_key, name, EPOCH, 7))

    assert {length("x" * count) for count in range(seals.PAD)} == {40}
    assert {length("x" * count) for count in range(seals.PAD, 2 * seals.PAD)} == {64}


def test_a_long_name_is_cut_between_two_letters() -> None:
    box_key = seals.lookup(KEY, ADA).box_key
    sealed = seals.seal_greeting(box_key, "é" * 60, EPOCH, 7)
    assert seals.open_greeting(box_key, sealed, EPOCH, 7) == "é" * 31


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        (read_email(" Dita@School.Example "), ("email", "Dita@School.Example")),
        (Card("0012341234"), ("card", "0012341234")),
    ],
    ids=["address", "card"],
)
def test_what_the_roster_does_not_know_opens_at_the_hub_as_it_was_typed(
    identifier: Identifier, said: tuple[str, str]
) -> None:
    private, public = seals.new_hub_key()
    assert seals.open_at_hub(private, seals.seal_to_hub(public, identifier)) == said


def test_what_was_sealed_to_one_hub_does_not_open_at_another_nor_with_the_public_half() -> None:
    _, public = seals.new_hub_key()
    other, _ = seals.new_hub_key()
    sealed = seals.seal_to_hub(public, ADA)
    assert seals.open_at_hub(other, sealed) is None
    assert seals.open_at_hub(public, sealed) is None


def test_an_address_sealed_twice_looks_different_each_time() -> None:
    _, public = seals.new_hub_key()
    assert seals.seal_to_hub(public, ADA) != seals.seal_to_hub(public, ADA)


def test_neither_a_tag_nor_a_sealed_thing_shows_the_address_or_the_name() -> None:
    _, public = seals.new_hub_key()
    found = seals.lookup(KEY, ADA)
    shown = found.tag + seals.seal_greeting(found.box_key, "Ada", EPOCH, 7) + seals.seal_to_hub(public, ADA)
    assert b"Ada" not in shown
    assert b"ada@" not in shown
