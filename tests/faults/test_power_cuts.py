"""A power cut takes nothing that was promised, and the harness that says so would notice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from kiosk.store import journal
from tests.faults import vfs
from tests.faults.outcome import Effort
from tests.faults.power_cuts import (
    MODES,
    AtTheDesk,
    AtTheOffice,
    AtTheRoster,
    Found,
    JournalMode,
    Story,
    many,
    power_cuts,
    scratch,
)
from tests.faults.records import SECTOR, Kept, everything, nothing, torn, zeros
from tests.faults.vfs import Operation

pytestmark = pytest.mark.skipif(vfs.why_not() is not None, reason=str(vfs.why_not()))

ANY = Random(1)


def cut(story: Story, mode: JournalMode, states: int = 150) -> Found:
    with scratch() as folder:
        return many(story, mode, seed=1, states=states, folder=folder)


def well(found: Found) -> bool:
    return set(found.came) == {"well"}


def test_nothing_that_was_promised_is_lost_or_spoilt_by_a_power_cut() -> None:
    outcome = power_cuts(Effort(seed=1, scale=0.01))
    assert outcome.well, outcome.told
    assert outcome.measured == {"rosters fetched again": 0}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_journal_that_is_not_synced_with_every_write_is_found_out(
    mode: JournalMode, synchronous: Literal["OFF", "NORMAL"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KIND", replace(journal.KIND, synchronous=synchronous))
    found = cut(AtTheDesk(), mode)
    assert not well(found)
    assert found.told


def test_a_hub_that_does_not_sync_is_found_out() -> None:
    found = cut(AtTheOffice(synchronous="OFF"), "TRUNCATE")
    assert not well(found)


def test_a_journal_file_that_is_deleted_and_its_folder_not_synced_is_found_out() -> None:
    assert cut(AtTheDesk(), "DELETE", 600).came["acknowledged lost"] > 0


@pytest.mark.parametrize("story", [AtTheDesk, AtTheOffice])
@pytest.mark.parametrize("mode", MODES)
def test_an_answer_before_the_commit_is_found_out(story: Callable[..., Story], mode: JournalMode) -> None:
    assert cut(story(early=True), mode).came["acknowledged lost"] > 0


def test_a_roster_that_takes_its_place_before_it_is_on_the_disk_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_synced(_path: Path) -> None:
        """Neither the file nor the folder."""

    monkeypatch.setattr("kiosk.store.roster._fsync", not_synced)
    found = cut(AtTheRoster(), "TRUNCATE")
    assert not well(found)


def test_the_same_seed_cuts_at_the_same_places() -> None:
    outcomes = [cut(AtTheDesk(early=True), "TRUNCATE", 60).told for _ in range(2)]
    assert outcomes[0] == outcomes[1]


def kept() -> Kept:
    """A file of three sectors of which the last two have been written again, and one more added."""
    file = Kept(b"a" * 3 * SECTOR)
    file.since.append(Operation("write", "f", SECTOR, b"b" * 3 * SECTOR))
    return file


def test_what_was_synced_stays_and_what_was_not_may_go() -> None:
    file = kept()
    assert nothing(file, ANY) == b"a" * 3 * SECTOR
    assert everything(file, ANY) == b"a" * SECTOR + b"b" * 3 * SECTOR
    file.sync()
    assert {damage(file, ANY) for damage in (nothing, everything, torn, zeros)} == {everything(file, ANY)}


def test_a_torn_write_leaves_whole_sectors() -> None:
    left = {torn(kept(), Random(seed)) for seed in range(50)}
    assert len(left) == 8
    assert all(len(set(each[at : at + SECTOR])) == 1 for each in left for at in range(0, len(each), SECTOR))


def test_a_file_may_have_grown_by_zeros() -> None:
    left = {zeros(kept(), Random(seed)) for seed in range(50)}
    assert b"a" * 3 * SECTOR + bytes(SECTOR) in left
