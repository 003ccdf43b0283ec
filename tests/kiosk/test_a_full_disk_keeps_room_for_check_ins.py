"""When the disk has run full there is room for a thousand more check-ins, and every screen says what is so."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from kiosk import create_app
from kiosk.cli import main
from kiosk.config import Config
from kiosk.store.ballast import SIZE
from kiosk.store.journal import Journal
from kiosk.views import Desk
from tests.kiosk import builders as b
from tests.kiosk.conftest import AS_PROGRAM
from tests.kiosk.disks import no_room, small_disk

DONE = {"welcome", "noted"}
PROMISED = 1_000


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A small disk, and on it a kiosk that is set up and has had the time to take on its ballast."""
    with small_disk(folder, 8 * 1024 * 1024) as disk:
        b.set_up(disk)
        journal = Journal(disk / "journal.sqlite")
        journal.tend()
        journal.close()
        yield disk


@pytest.fixture
def app(disk: Path) -> Iterator[Flask]:
    app = create_app(Config(data_dir=disk, misses=0))
    yield app
    desk: Desk = app.extensions["desk"]
    desk.close()


def fill(disk: Path) -> Path:
    """Another program takes all the room there is."""
    filler = disk / "somebody-elses.log"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def guests(app: Flask, first: int, until_refused: int) -> dict[str, str | None]:
    """Guests come until so many were refused: whom the desk promised what, by the id it said."""
    client, refused = app.test_client(), 0
    said: dict[str, str | None] = {}
    while refused < until_refused:
        address = f"guest{first + len(said)}@nowhere.example"
        form = {"identifier": address}
        answer = client.post(f"/sessions/{b.FAIR}/check-ins", data=form, headers=AS_PROGRAM).json
        assert answer is not None
        assert answer["verdict"] in {*DONE, "not_recorded"}
        said[address] = answer["check_in_id"] if answer["verdict"] in DONE else None
        refused += answer["verdict"] == "not_recorded"
    return said


def kept(folder: Path) -> set[str]:
    """The ids in the journal, opened anew."""
    journal = Journal(folder / "journal.sqlite")
    found = {str(each.fact.id) for each in journal.latest(100_000)}
    assert journal.fault() is None
    journal.close()
    return found


def test_a_full_disk_takes_a_thousand_more_and_says_what_is_so(app: Flask, disk: Path) -> None:
    ballast = disk / "ballast"
    assert ballast.stat().st_blocks * 512 >= SIZE
    filler = fill(disk)
    first = guests_in(app, 0, 1)
    told_first = app.extensions["desk"].journal.room_left()
    said = guests(app, 1, until_refused=20)
    promised = first | {each for each in said.values() if each}
    assert PROMISED <= told_first <= len(promised) <= told_first * 1.5
    assert kept(disk) == promised
    assert not ballast.exists()

    client = app.test_client()
    assert "The disk is full: room for about" in client.get("/staff/status").text
    assert "The disk is full: room for about" in client.get("/staff/preflight").text
    told = json.loads(CliRunner(env={"KIOSK_DATA_DIR": str(disk)}).invoke(main, ["status", "--json"]).stdout)
    assert told["room_left"] < 100

    filler.unlink()
    assert client.get("/readyz").status_code == 200
    assert ballast.exists()
    assert "The disk is full" not in client.get("/staff/status").text
    more = guests_in(app, len(said) + 1, 5)
    assert kept(disk) == promised | more


def guests_in(app: Flask, first: int, number: int) -> set[str]:
    client, ids = app.test_client(), set()
    for each in range(first, first + number):
        form = {"identifier": f"guest{each}@nowhere.example"}
        answer = client.post(f"/sessions/{b.FAIR}/check-ins", data=form, headers=AS_PROGRAM).json
        assert answer is not None
        assert answer["verdict"] in DONE
        ids.add(answer["check_in_id"])
    return ids


def test_a_file_that_may_not_grow_makes_no_screen_wrong(folder: Path) -> None:
    b.set_up(folder)
    app = create_app(Config(data_dir=folder, misses=0))
    with no_room(folder):
        said = guests(app, 0, until_refused=20)
    app.extensions["desk"].close()
    assert kept(folder) == {each for each in said.values() if each}


def test_the_ballast_is_no_hole(folder: Path, journal: Journal) -> None:
    journal.marks()
    journal.tend()
    found = (folder / "ballast").stat()
    assert found.st_blocks * 512 >= SIZE
    assert found.st_mode & 0o777 == 0o600
    os.truncate(folder / "ballast", 1000)
    journal.tend()
    assert (folder / "ballast").stat().st_blocks * 512 >= SIZE
