"""One student at a time: addresses added and removed by staff."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from hub.actions import students
from hub.actions.students import (
    AddressTaken,
    MainAddress,
    Removed,
    ShownStudent,
    UnknownAddress,
    UnreadableAddress,
)
from hub.errors import UnknownStudent
from tests.hub.files import import_file
from tests.hub.students.desk import ADA, BO, Office, on_postgresql
from tests.hub.test_receive import wait_until_blocked


def add(office: Office, username: str, address: str, confirmed: bool = False) -> ShownStudent:
    return students.add_email(office.engine, office.institution_id, username, address, confirmed, office.now)


def remove(office: Office, username: str, address: str) -> Removed:
    return students.remove_email(office.engine, office.institution_id, username, address, office.now)


@pytest.fixture(autouse=True)
def ada_and_bo(office: Office) -> None:
    office.rows({**ADA, "additional_email_addresses": "a@students.example.edu"}, BO)


def test_a_student_is_shown_in_the_shape_of_the_contract(office: Office) -> None:
    assert msgspec.json.decode(msgspec.json.encode(add(office, "bo", "bo@gmail.com"))) == {
        "username": "bo",
        "disabled": False,
        "excluded_from_sync": False,
        "preferred_email": "bo@example.edu",
        "emails": [
            {"address": "bo@example.edu", "kind": "school", "state": "confirmed", "main": True},
            {"address": "bo@gmail.com", "kind": "additional", "state": "pending", "main": False},
        ],
    }


def test_rule_3_a_student_may_have_any_number_of_additional_addresses(office: Office) -> None:
    for number in range(12):
        add(office, "ada", f"ada{number}@gmail.com")
    assert len(office.show("ada").emails) == 14


def test_rule_4_an_added_address_is_pending_and_kiosks_are_not_told(office: Office) -> None:
    before = office.position()
    add(office, "ada", "ada@gmail.com")
    assert ("ada@gmail.com", "additional", "pending", False) in office.addresses("ada")
    assert office.position() == before


def test_a_confirmed_address_reaches_the_kiosks(office: Office) -> None:
    before = office.position()
    add(office, "ada", "ada@gmail.com", confirmed=True)
    assert ("ada@gmail.com", "additional", "confirmed", False) in office.addresses("ada")
    assert office.position() == before + 1


def test_adding_again_changes_nothing_but_confirms_when_asked_to(office: Office) -> None:
    first = add(office, "ada", "ada@gmail.com")
    assert add(office, "ada", " ADA@gmail.com") == first
    before = office.position()
    confirmed = add(office, "ada", "ada@gmail.com", confirmed=True)
    assert [each.state for each in confirmed.emails] == ["confirmed"] * 3
    assert add(office, "ada", "ada@gmail.com", confirmed=True) == confirmed
    assert add(office, "ada", "ada@gmail.com") == confirmed
    assert office.position() == before + 1


@pytest.mark.parametrize("address", ["bo@example.edu", "BO@EXAMPLE.EDU", "bo@gmail.com"])
def test_rule_10_an_address_of_another_student_is_refused_even_a_pending_one(office: Office, address: str) -> None:
    add(office, "bo", "bo@gmail.com")
    with pytest.raises(AddressTaken, match="has already been taken"):
        add(office, "ada", address)


@pytest.mark.parametrize("address", ["ada@gmail.com", "ada@elsewhere.edu", "ada@cs.elsewhere.edu"])
def test_rule_11_an_added_address_may_have_any_domain(office: Office, elsewhere: Office, address: str) -> None:
    add(office, "ada", address)
    assert (address, "additional", "pending", False) in office.addresses("ada")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "empty"),
        ("ada", "not_an_address"),
        ("a" * 243 + "@example.edu", "too_long"),
        ("a\x00da@example.edu", "control_characters"),
        ("a\rda@example.edu", "control_characters"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(office: Office, address: str, reason: str) -> None:
    for change in (add, remove):
        with pytest.raises(UnreadableAddress) as refused:
            change(office, "ada", address)
        assert refused.value.reason == reason


def test_an_unknown_student_is_refused(office: Office) -> None:
    with pytest.raises(UnknownStudent):
        office.show("Ada")
    with pytest.raises(UnknownStudent):
        add(office, "dita", "dita@gmail.com")
    with pytest.raises(UnknownStudent):
        remove(office, "dita", "dita@gmail.com")


def test_a_student_of_another_institution_is_unknown(office: Office, elsewhere: Office) -> None:
    with pytest.raises(UnknownStudent):
        elsewhere.show("ada")


def test_an_added_address_is_removed_and_free_again(office: Office) -> None:
    add(office, "ada", "ada@gmail.com", confirmed=True)
    before = office.position()
    removed = remove(office, "ada", "Ada@gmail.com")
    assert removed.warning is None
    assert len(removed.student.emails) == 2
    assert office.position() == before + 1
    add(office, "bo", "ada@gmail.com")


def test_removing_a_pending_address_is_nothing_to_a_kiosk(office: Office) -> None:
    add(office, "ada", "ada@gmail.com")
    before = office.position()
    remove(office, "ada", "ada@gmail.com")
    assert office.position() == before


def test_rule_14_removing_an_imported_address_warns_of_the_sync_file(office: Office) -> None:
    removed = remove(office, "ada", "a@students.example.edu")
    assert removed.warning == "still_in_the_sync_file"
    assert [each.address for each in removed.student.emails] == ["ada@example.edu"]


def test_rule_14_removing_an_added_address_that_the_file_names_too_warns_as_well(office: Office) -> None:
    add(office, "bo", "b@example.edu", confirmed=True)
    office.rows({**BO, "additional_email_addresses": "b@example.edu"})
    assert remove(office, "bo", "b@example.edu").warning == "still_in_the_sync_file"


def test_rule_1_the_main_address_cannot_be_removed(office: Office) -> None:
    with pytest.raises(MainAddress, match="Import a student file"):
        remove(office, "ada", "ada@example.edu")
    assert len(office.show("ada").emails) == 2


def test_an_address_the_student_does_not_have_is_refused(office: Office) -> None:
    with pytest.raises(UnknownAddress):
        remove(office, "ada", "bo@example.edu")


@on_postgresql
def test_who_is_in_a_file_that_is_only_checked_can_be_changed_meanwhile(office: Office) -> None:
    office.rows(ADA)
    done: list[bool] = []

    def meanwhile(_rows: int) -> None:
        adding = pool.submit(add, office, "ada", "ada@gmail.com")
        wait_until_blocked(office.engine, adding)
        done.append(adding.done())

    with ThreadPoolExecutor(1) as pool:
        path = office.folder / "students.csv"
        import_file(office.engine, office.institution_id, path, office.now, dry_run=True, progress=meanwhile)
    assert done == [True]
