"""A newer program finds the journal of an older one: it copies it, and no fact is another than before."""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import postman
from kiosk.store.journal import KIND, Journal
from kiosk.store.roster import Roster
from kiosk.store.salvage import make_sound
from tests.kiosk import builders as b
from tests.kiosk.disks import small_disk
from tests.kiosk.fake_hub import FakeHub

OLD = sorted((Path(__file__).parents[1] / "data").glob("journal-v*.sqlite"))
_STEPS = {"execute", "executemany", "backup", "rename", "fsync", "unlink", "open", "close"}


@pytest.fixture(params=OLD, ids=lambda old: old.stem)
def path(request: pytest.FixtureRequest, folder: Path) -> Path:
    """A kiosk that was last used with an older program."""
    folder.mkdir(mode=0o700)
    path = folder / "journal.sqlite"
    shutil.copyfile(request.param, path)
    return path


def rows(path: Path) -> list[tuple[object, ...]]:
    """Its facts, as SQLite has them."""
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute("SELECT * FROM facts ORDER BY seq").fetchall()


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        return int(conn.execute("PRAGMA user_version").fetchone()[0])


def test_there_is_a_journal_of_every_version_before_this_one() -> None:
    assert [int(old.stem.removeprefix("journal-v")) for old in OLD] == list(range(2, KIND.version))


def test_no_fact_is_touched_and_what_was_not_sent_is_sent(path: Path, folder: Path) -> None:
    before, roster, hub = rows(path), Roster(folder, b.BOOT), FakeHub(b.pages())
    assert version(path) < KIND.version
    with closing(Journal(path)) as journal:
        assert journal.marks().acked_seq == 3
        assert version(path) == KIND.version
        assert rows(path) == before
        assert journal.fault() is None
        hub.facts = list(journal.facts_after(0, 3))
        report = postman.go_once(postman.Round(hub, journal, roster))
        assert (report.problem, report.sent, report.waiting) == (None, len(before) - 3, 0)
    assert hub.facts == [row[6] for row in before]
    roster.close()


def test_before_anything_is_changed_it_is_copied(path: Path, folder: Path) -> None:
    older = folder / "journal.before-v1.sqlite"
    older.write_bytes(b"of long ago")
    before, was = rows(path), version(path)
    assert make_sound(path, b.NOON) is None
    copy = folder / f"journal.before-v{KIND.version}.sqlite"
    assert (rows(copy), version(copy)) == (before, was)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not older.exists()
    assert not list(folder.glob("*.part*"))


def killed_at(step: int, path: Path) -> bool:
    """Whether the journal was up to date before it came to that step."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(_frame: object, event: str, called: object) -> None:
            if event == "c_call" and getattr(called, "__name__", "") in _STEPS:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)

        sys.setprofile(count)
        Journal(path).marks()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_killed_at_any_step_it_is_the_old_one_or_the_new_one(path: Path, folder: Path) -> None:
    old, before, was = path.read_bytes(), rows(path), version(path)
    versions, step, over = set(), 1, False
    while not over:
        for each in folder.iterdir():
            each.unlink()
        path.write_bytes(old)
        over = killed_at(step, path)
        versions.add(version(path))
        assert make_sound(path, b.NOON) is None, step
        assert (rows(path), version(path)) == (before, KIND.version), step
        step += 1
    assert versions == {was, KIND.version}
    assert step > 20


def test_without_room_for_a_copy_the_desk_goes_on(path: Path, folder: Path) -> None:
    before = rows(path)
    with small_disk(folder, path.stat().st_size + 40 * 1024) as disk:
        shutil.copyfile(path, disk / "journal.sqlite")
        with closing(Journal(disk / "journal.sqlite")) as journal:
            assert journal.fault() is None
        assert rows(disk / "journal.sqlite") == before
        assert [each.name for each in disk.glob("*before*")] == []
