"""The desk PIN: never stored, hard to get wrong, and every change of it gives every kiosk a fresh list."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.actions import desk_pin, kiosks
from hub.actions.desk_pin import WeakPin
from hub.database import reading
from hub.rules.desk_pin import weakness
from hub.schema import institutions
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, enrolled, student
from tests.hub.roster_view import view

PIN, OTHER = "483921", "731846"
CHEAP = 10


@pytest.mark.parametrize("pin", ["483921", "Open sesame 7", "a-b-c-1", "9" * 31 + "8" * 32 + "1", "192837"])
def test_a_pin_of_some_variety_is_taken(pin: str) -> None:
    assert weakness(pin) is None


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("", "characters"),
        ("48392", "5 characters"),
        ("4839" * 17, "68 characters"),
        ("000000", "different"),
        ("121212", "different"),
        ("aAbBaA", "different"),
        ("123456", "row of"),
        ("987654", "row of"),
        ("890123", "row of"),
        ("QWERTY", "row of"),
        ("azerty", "row of"),
        ("fedcba", "row of"),
        (" 483921", "keyboard"),
        ("48392é", "keyboard"),
        ("4839\t21", "keyboard"),
        ("48392\ud800", "keyboard"),
    ],
)
def test_a_pin_that_anybody_would_try_or_that_not_everybody_can_type_is_refused(pin: str, why: str) -> None:
    assert why in (weakness(pin) or "")


def test_a_refused_pin_changes_nothing(engine: Engine, institution: Institution, desk: Desk) -> None:
    before = view(engine, institution.id)
    with pytest.raises(WeakPin, match="Nothing was changed"):
        desk_pin.choose(engine, institution.id, "123456", CHEAP)
    assert view(engine, institution.id) == before


def test_setting_changing_and_removing_a_pin_gives_every_kiosk_a_fresh_list_under_fresh_keys(
    engine: Engine, institution: Institution, desk: Desk
) -> None:
    views = [view(engine, institution.id)]
    for pin in (PIN, OTHER):
        assert desk_pin.choose(engine, institution.id, pin, CHEAP)
        views.append(view(engine, institution.id, pin))
    assert desk_pin.remove(engine, institution.id)
    views.append(view(engine, institution.id, OTHER))
    assert len({each.epoch for each in views}) == len({each.roster_key for each in views}) == 4
    keys = [each.directory_key for each in views]
    assert keys[0] is keys[3] is None
    assert keys[1] != keys[2]


def test_the_same_pin_again_and_removing_none_change_nothing(
    engine: Engine, institution: Institution, desk: Desk
) -> None:
    assert not desk_pin.remove(engine, institution.id)
    desk_pin.choose(engine, institution.id, PIN, CHEAP)
    before = view(engine, institution.id, PIN)
    assert not desk_pin.choose(engine, institution.id, PIN, CHEAP)
    again = view(engine, institution.id, PIN)
    assert (again.epoch, again.directory_key) == (before.epoch, before.directory_key)


def test_cutting_a_kiosk_off_gives_the_others_another_directory_under_the_same_pin(
    engine: Engine, institution: Institution, desk: Desk, now: datetime
) -> None:
    student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])
    desk_pin.choose(engine, institution.id, PIN, CHEAP)
    before = view(engine, institution.id, PIN)
    lost = enrolled(engine, institution.id, now, "Lost")
    kiosks.revoke(engine, institution.id, lost.kiosk_id, now)
    after = view(engine, institution.id, PIN)
    assert None not in (before.directory_key, after.directory_key)
    assert after.directory_key != before.directory_key
    assert (after.epoch, after.roster_key) != (before.epoch, before.roster_key)
    assert after.people == before.people


def test_one_institutions_pin_is_none_of_anothers(
    engine: Engine, institution: Institution, other_institution: Institution, now: datetime
) -> None:
    enrolled(engine, other_institution.id, now)
    desk_pin.choose(engine, institution.id, PIN, CHEAP)
    assert view(engine, other_institution.id).lock is None


def test_the_pin_is_nowhere_in_the_database(engine: Engine, institution: Institution) -> None:
    desk_pin.choose(engine, institution.id, PIN, CHEAP)
    with reading(engine) as conn:
        row = conn.execute(institutions.select()).one()
    assert not [
        column for column in row if PIN in str(column) or (isinstance(column, bytes) and PIN.encode() in column)
    ]


def test_the_command_asks_twice_and_never_shows_what_was_typed(
    engine: Engine, institution: Institution, desk: Desk, command: Command
) -> None:
    result = command.run("desk-pin", typed=f"{PIN}\n{OTHER}\n{PIN}\n{PIN}\n")
    assert result.exit_code == 0, result.output
    assert PIN not in result.output
    assert OTHER not in result.output
    assert "fetches its whole list anew" in result.stderr
    assert view(engine, institution.id, PIN).directory_key is not None


def test_the_command_takes_the_pin_from_a_file_and_away_again(
    engine: Engine, institution: Institution, desk: Desk, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "pin"
    file.write_text(f"{PIN}\n")
    asked = [command.ask("desk-pin", "--pin-file", file), command.ask("desk-pin", "--pin-file", file)]
    assert asked == [{"desk_pin": True, "changed": True}, {"desk_pin": True, "changed": False}]
    assert view(engine, institution.id, PIN).directory_key is not None
    asked = [command.ask("desk-pin", "--none"), command.ask("desk-pin", "--none")]
    assert asked == [{"desk_pin": False, "changed": True}, {"desk_pin": False, "changed": False}]
    assert view(engine, institution.id).lock is None


def test_a_trivial_pin_is_refused_with_the_reason_and_without_repeating_it(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text("000000\n")
    result = command.run("desk-pin", "--pin-file", file)
    assert (result.exit_code, "different characters" in result.stderr, "000000" in result.output) == (1, True, False)


def test_a_file_and_none_exclude_each_other_and_a_file_must_be_readable(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_bytes(b"\xff\xfe")
    assert command.run("desk-pin", "--none", "--pin-file", file).exit_code == 2
    assert command.run("desk-pin", "--pin-file", file).exit_code == 2
    assert command.run("desk-pin", "--pin-file", tmp_path / "nowhere").exit_code == 2
