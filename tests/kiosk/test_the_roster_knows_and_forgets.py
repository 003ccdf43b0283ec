"""The roster: found by any identifier, swapped under open readers, thrown away when damaged."""

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest

from kiosk.store.roster import Roster
from sync.engine import Cursor
from sync.identifiers import Card
from sync.messages import CardFormat, Gone, Settings
from tests.kiosk import builders as b

OTHER_EPOCH = UUID("01900000-0000-7000-8000-00000000000d")


def greeting(roster: Roster, text: str) -> str | None:
    found = roster.recognise(text).found
    return found.greeting if found else None


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("roster-"))


def test_everybody_is_found_by_every_identifier(roster: Roster) -> None:
    b.load(roster)
    for student in b.CAST:
        for text in (*student.emails, *([b.ADA_SWIPE] if student.card else [])):
            found = roster.recognise(text).found
            assert found is not None
            assert (found.ref, found.greeting) == (student.ref, student.greeting)
    assert roster.recognise(b.DITA).found is None
    assert roster.recognise(b.UNKNOWN_SWIPE).found is None


def test_a_swipe_is_read_by_the_institutions_own_format(roster: Roster) -> None:
    b.load(roster)
    assert roster.recognise(b.ADA_SWIPE).identifier == Card(b.ADA_CARD)


def test_new_card_formats_are_used_at_once_and_a_broken_one_spoils_no_other(
    roster: Roster,
) -> None:
    b.load(roster)
    broken = CardFormat(whole=r"(a)\1")
    formats = (broken, CardFormat(whole=r";\d{12};:"))
    roster.apply(b.page([Settings(position=40, institution="E", card_formats=formats)]))
    assert roster.recognise(";001234123400;:").identifier == Card(";001234123400;:")


def test_somebody_elses_tag_opens_nothing(roster: Roster) -> None:
    ada, bo = b.person(b.ADA, 4), b.person(b.BOB, 5)
    import msgspec

    from sync.messages import Key

    # Bo's tag in front of a greeting sealed for Ada.
    swapped = msgspec.structs.replace(bo, keys=(Key(bo.keys[0].tag, ada.keys[0].greeting),))
    roster.apply(b.page([b.settings(3), ada, swapped], start=True))
    assert greeting(roster, b.BO) is None
    assert greeting(roster, b.ADA_SCHOOL) == "Ada"


def test_a_changed_person_loses_old_addresses_and_gains_new_ones(roster: Roster) -> None:
    b.load(roster)
    moved = b.Student("Ada L.", ("ada@new.example",), ref=b.ADA.ref)
    roster.apply(b.page([b.person(moved, 41)]))
    assert greeting(roster, "ada@new.example") == "Ada L."
    assert greeting(roster, b.ADA_SCHOOL) is None
    assert roster.recognise(b.ADA_SWIPE).found is None
    status = roster.status()
    assert status is not None
    assert (status.people, status.position) == (3, 41)


def test_who_and_what_has_left_is_forgotten(roster: Roster) -> None:
    b.load(roster)
    roster.apply(
        b.page(
            [
                Gone(position=42, what="person", key=b.BOB.ref),
                Gone(position=43, what="session", key=b.WORKSHOP),
            ]
        )
    )
    assert greeting(roster, b.BO) is None
    assert [each.id for each in roster.sessions()] == [b.FAIR]
    status = roster.status()
    assert status is not None
    assert status.people == 2


def test_an_address_may_pass_from_one_person_to_another(roster: Roster) -> None:
    b.load(roster)
    heir = b.Student("Bea", (b.BO,))
    roster.apply(b.page([b.person(heir, 44), Gone(position=45, what="person", key=b.BOB.ref)]))
    assert greeting(roster, b.BO) == "Bea"


def test_until_the_last_page_is_in_the_old_roster_serves(roster: Roster, folder: Path) -> None:
    b.load(roster)
    reader = Roster(folder, b.BOOT)
    assert greeting(reader, b.BO) == "Bo"
    zoe = b.Student("Zoe", ("zoe@example.edu",))
    first, second, *rest = b.pages([zoe, b.ADA], size=2, epoch=OTHER_EPOCH)
    roster.apply(first)
    roster.apply(second)
    assert roster.cursor() == Cursor(OTHER_EPOCH, second.to)
    assert greeting(reader, b.BO) == "Bo"
    assert greeting(reader, "zoe@example.edu") is None
    for each in rest:
        roster.apply(each)
    assert greeting(reader, b.BO) is None
    assert greeting(reader, "zoe@example.edu") == "Zoe"
    assert len(names(folder)) <= 2, "the new file and at most its journal"
    reader.close()


def test_a_reader_in_the_middle_of_a_question_survives_the_swap(roster: Roster, folder: Path) -> None:
    b.load(roster)
    reader = Roster(folder, b.BOOT)
    files = reader._current()
    assert files is not None
    with files.reading() as db:
        rows = db.execute("SELECT ref FROM people")
        rows.fetchone()
        for each in b.pages([b.ADA], epoch=OTHER_EPOCH):
            roster.apply(each)
        assert len(rows.fetchall()) == 2
    assert greeting(reader, b.BO) is None
    reader.close()


def test_loading_goes_on_where_it_stopped_in_the_same_run_of_the_device(roster: Roster, folder: Path) -> None:
    first, *_ = b.pages(size=2)
    roster.apply(first)
    again = Roster(folder, b.BOOT)
    assert again.cursor() == Cursor(b.EPOCH, first.to)
    again.close()


def test_loading_begins_again_after_the_device_went_down(roster: Roster, folder: Path) -> None:
    first, *_ = b.pages(size=2)
    roster.apply(first)
    again = Roster(folder, "another boot")
    assert again.cursor() == Cursor(None, 0)
    assert names(folder) == []
    again.close()


def test_a_new_beginning_drops_the_unfinished_one(roster: Roster, folder: Path) -> None:
    for _ in range(3):
        roster.apply(b.pages(size=2)[0])
    assert len([name for name in names(folder) if name.endswith(".loading")]) == 1


def test_a_name_is_never_used_twice(roster: Roster, folder: Path) -> None:
    seen = set()
    for _ in range(4):
        b.load(roster)
        (name,) = [each for each in names(folder) if each.endswith(".sqlite")]
        seen.add(name)
    assert len(seen) == 4


def test_wiped_means_no_file_and_nobody(roster: Roster, folder: Path) -> None:
    b.load(roster)
    roster.apply(b.pages(size=2, epoch=OTHER_EPOCH)[0])
    roster.wipe()
    assert names(folder) == []
    assert greeting(roster, b.BO) is None
    assert roster.status() is None
    assert roster.cursor() == Cursor(None, 0)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def newer(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()


@pytest.mark.parametrize("spoil", [cut, garbage, empty, newer])
def test_a_roster_that_cannot_be_read_is_thrown_away_and_fetched_again(
    roster: Roster, folder: Path, spoil: Callable[[Path], None]
) -> None:
    b.load(roster)
    roster.close()
    (path,) = [each for each in folder.iterdir() if each.suffix == ".sqlite"]
    spoil(path)
    assert greeting(roster, b.BO) is None
    assert roster.cursor() == Cursor(None, 0)
    assert not path.exists()
    b.load(roster)
    assert greeting(roster, b.BO) == "Bo"


def test_rot_inside_the_file_is_found_when_it_is_met(roster: Roster, folder: Path) -> None:
    many = [b.Student(f"S{n}", (f"s{n}@example.edu",)) for n in range(300)]
    b.load(roster, many)
    roster.close()
    (path,) = [each for each in folder.iterdir() if each.suffix == ".sqlite"]
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    assert [each for student in many for each in student.emails if greeting(roster, each)] == []
    assert roster.cursor() == Cursor(None, 0)


def test_its_files_are_for_the_kiosk_alone(roster: Roster, folder: Path) -> None:
    b.load(roster)
    roster.apply(b.pages(size=2, epoch=OTHER_EPOCH)[0])
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_eight_who_notice_a_new_roster_at_once_leave_none_open(roster: Roster, folder: Path) -> None:
    b.load(roster)
    reader = Roster(folder, b.BOOT)
    troubles: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            try:
                reader.recognise(b.BO)
            except BaseException as error:
                troubles.append(error)
                return

    threads = [threading.Thread(target=look) for _ in range(8)]
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for each in threads:
        each.start()
    for _ in range(30):
        b.load(roster)
        reader.close()
    done.set()
    for each in threads:
        each.join()
    sys.setswitchinterval(patience)
    assert troubles == []
    reader.close()
    roster.close()
    assert [name for name in open_files() if name.startswith(str(folder / "roster-"))] == []


def open_files() -> list[str]:
    """What this process holds open, deleted files too."""
    held = []
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            held.append(os.readlink(each))
    return held


def test_somebody_who_comes_while_one_roster_takes_the_others_place_is_known(folder: Path) -> None:
    postman, desk = Roster(folder, b.BOOT), Roster(folder, b.BOOT)
    b.load(postman)

    def load_again() -> None:
        for _ in range(40):
            b.load(postman)

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load_again)
        while not loading.done():
            assert desk.recognise(b.BO).found is not None
        loading.result()
    postman.close()
    desk.close()
