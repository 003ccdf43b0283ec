"""A kiosk that fetched its list before a file came in knows what the file says after its next exchange, without being
started again."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.whole.conftest import Place
from tests.whole.programs import Kiosk

HEADER = "username,email_address,additional_email_addresses,card_id,disabled,first_name"


@pytest.fixture
def word() -> str:
    """In the names of this test's students: everybody else's stay as they are."""
    return uuid4().hex[:8]


def brought_in(place: Place, folder: Path, *rows: str) -> dict[str, Any]:
    file = folder / "students.csv"
    file.write_text("\n".join([HEADER, *rows]))
    told = place.hub.ask("import", "students", str(file))
    assert told["failed"] == told["skipped"] == 0, told
    return told


def verdict(kiosk: Kiosk, place: Place, identifier: str) -> str:
    with kiosk.desk() as desk:
        return str(desk.check_in(place.session, identifier)["verdict"])


def test_addresses_and_archiving_count_at_the_desk_from_its_next_exchange_on_and_undoing_does_too(
    place: Place, kiosk: Kiosk, word: str, tmp_path: Path
) -> None:
    ada, bo, cem = (f"{name}-{word}" for name in ("ada", "bo", "cem"))
    old, new, other = f"{ada}@northfield.edu", f"{ada}.king@northfield.edu", f"{bo}@northfield.edu"
    main, second = f"{cem}@northfield.edu", f"{cem}@students.northfield.edu"
    brought_in(place, tmp_path, f"{ada},{old},,,,Ada", f"{bo},{other},,,,Bo", f"{cem},{main},{second},,,Cem")
    assert kiosk.post()["problem"] is None
    # Only its postman is asked again from here on: the desk is the process it was.
    told = brought_in(place, tmp_path, f"{ada},{new},,,,", f"{bo},{other},,,TRUE,", f"{cem},{main},**CLEAR**,,,")
    assert told["updated"] == 3
    assert verdict(kiosk, place, new) == "noted", "the kiosk has not heard of it yet"

    assert kiosk.post()["problem"] is None
    assert verdict(kiosk, place, new) == "already_in", "what was noted is hers now"
    assert verdict(kiosk, place, old) == verdict(kiosk, place, second) == "noted", "nobody has these any more"
    assert verdict(kiosk, place, other) == "see_staff", "archived"

    latest = place.hub.ask("imports", "list")["imports"][0]["import_id"]
    undone = place.hub.ask("imports", "undo", latest, "--yes")["result"]["undone"]
    assert undone["undone"] == 3, undone
    assert kiosk.post()["problem"] is None
    assert (verdict(kiosk, place, second), verdict(kiosk, place, other)) == ("already_in", "welcome")
