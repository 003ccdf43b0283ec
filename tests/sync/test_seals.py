"""A roster can be looked up, but not read."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PublicKey, SealedBox

from sync import seals
from sync.directory import Line, hint, read, write
from sync.identifiers import Card, Identifier, Pass, read_email
from sync.messages import DeskLock
from sync.seals import Opened
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


def test_a_pass_that_reads_like_a_card_is_not_that_card() -> None:
    assert seals.lookup(KEY, Pass("A" * 32)).tag != seals.lookup(KEY, Card("A" * 32)).tag


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
        (read_email(" Dita@School.Example "), Opened("email", "Dita@School.Example")),
        (Card("0012341234"), Opened("card", "0012341234")),
        (Pass("0A" * 16), Opened("pass", "0A" * 16)),
        (None, Opened("nothing", "")),
    ],
    ids=["address", "card", "pass", "nothing"],
)
def test_what_the_roster_does_not_know_opens_at_the_hub_as_it_was_typed(
    identifier: Identifier | None, said: Opened
) -> None:
    private, public = seals.new_hub_key()
    assert seals.open_at_hub(private, seals.seal_to_hub(public, identifier)) == said
    named = seals.seal_to_hub(public, identifier, name="Dita de la Cruz")
    assert seals.open_at_hub(private, named) == said._replace(name="Dita de la Cruz")


@given(names)
def test_no_name_ever_passes_for_an_identifier(name: str) -> None:
    private, public = seals.new_hub_key()
    opened = seals.open_at_hub(private, seals.seal_to_hub(public, ADA, name=f"{name}\0card\0A7"))
    assert opened == Opened("email", ADA.typed, f"{name}cardA7".replace("\0", ""))


@pytest.mark.parametrize(
    ("said", "opened"),
    [
        (b"email\0ada@school.example", Opened("email", "ada@school.example")),
        (b"card\0A7", Opened("card", "A7")),
        (b"email", None),
        (b"parcel\0\0A7", None),
        (b"", None),
        (b"\xff\0\0x", None),
    ],
)
def test_what_the_first_version_sealed_still_opens_and_nonsense_does_not(said: bytes, opened: Opened | None) -> None:
    private, public = seals.new_hub_key()
    assert seals.open_at_hub(private, bytes(SealedBox(PublicKey(public)).encrypt(said))) == opened


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


# --- the directory ---------------------------------------------------------------------------------

CHEAP = 10
lines = st.builds(Line, names, names, names, names)


@given(lines, positions)
def test_a_line_of_the_directory_opens_with_its_key_as_it_was_written(line: Line, position: int) -> None:
    written = write(line)
    sealed = seals.seal_directory_line(KEY, written, EPOCH, position)
    assert seals.open_directory_line(KEY, sealed, EPOCH, position) == written


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.text(st.characters(codec="utf-8"), max_size=20))
def test_names_of_usual_length_are_read_as_they_were_written(name: str, also: str) -> None:
    line = Line(name, also[:20], "Senior", "a…@x.edu")
    read_again = read(write(line))
    assert read_again is not None
    assert read_again == line or len(write(line)) < len(name.encode()) * 6 + 200


@given(st.text(st.characters(codec="utf-8"), min_size=300, max_size=400))
def test_however_long_the_names_are_a_line_stays_short_and_begins_with_the_name(name: str) -> None:
    written = write(Line(name, name, name, name))
    assert len(written) <= 400
    found = read(written)
    assert found is not None
    assert name.startswith(found.name[:-1])
    assert len(found.name) >= 40


def test_what_is_cut_says_so() -> None:
    programme = "Masters of Business Administration"
    found = read(write(Line("Ada Byron", year=programme)))
    assert found == Line("Ada Byron", year="Masters of Business Administr…")
    assert read(write(Line("Ada Byron", year=programme[:30]))) == Line("Ada Byron", year=programme[:30])


def test_a_line_opens_under_no_other_key_and_nowhere_else() -> None:
    sealed = seals.seal_directory_line(KEY, write(Line("Ada Byron")), EPOCH, 7)
    assert seals.open_directory_line(seals.new_key(), sealed, EPOCH, 7) is None
    assert seals.open_directory_line(KEY, sealed, EPOCH, 8) is None
    assert seals.open_directory_line(KEY, sealed, UUID(int=EPOCH.int ^ 1), 7) is None
    assert seals.open_directory_line(KEY, b"", EPOCH, 7) is None
    assert b"Ada" not in sealed


@given(st.binary(max_size=60))
def test_noise_is_no_line(noise: bytes) -> None:
    assert read(noise) is None or noise.lstrip().startswith(b"[")
    assert seals.open_directory_line(KEY, noise, EPOCH, 1) is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("augusta.ada@school.example", "au…da@school.example"),
        ("adab1@school.example", "ad…b1@school.example"),
        ("adab@school.example", "a…@school.example"),
        ("a@school.example", "a…@school.example"),
    ],
)
def test_a_hint_shows_a_part_of_an_address(address: str, shown: str) -> None:
    assert hint(address) == shown


@pytest.mark.parametrize("pin", ["483921", "Open sesame", "é", ""])
def test_the_right_pin_opens_the_lock_and_a_wrong_one_does_not(pin: str) -> None:
    salt, directory_key = seals.new_salt(), seals.new_key()
    wrapped = seals.wrap_key(seals.pin_key(pin, salt, CHEAP), directory_key)
    lock = DeskLock(salt=salt, cost=CHEAP, wrapped_key=wrapped)
    assert seals.unlock(lock, pin) == directory_key
    for wrong in (pin + " ", pin[:-1] + "x", pin.swapcase() + "0", "\ud800"):
        assert seals.unlock(lock, wrong) is None


def test_a_lock_of_another_salt_or_with_a_rotten_key_does_not_open() -> None:
    salt = seals.new_salt()
    wrapped = seals.wrap_key(seals.pin_key("483921", salt, CHEAP), KEY)
    for lock in (
        DeskLock(salt=seals.new_salt(), cost=CHEAP, wrapped_key=wrapped),
        DeskLock(salt=salt, cost=CHEAP + 1, wrapped_key=wrapped),
        DeskLock(salt=salt, cost=CHEAP, wrapped_key=wrapped[:-1]),
        DeskLock(salt=salt, cost=CHEAP, wrapped_key=b""),
    ):
        assert seals.unlock(lock, "483921") is None


def test_the_same_pin_locks_differently_each_time() -> None:
    key = seals.pin_key("483921", bytes(16), CHEAP)
    assert seals.wrap_key(key, KEY) != seals.wrap_key(key, KEY)
    assert seals.new_salt() != seals.new_salt()
