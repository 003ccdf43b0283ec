"""A journal of which one bit has changed is found out, and nothing that can still be read is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

from kiosk.store.remembered import Salvaged
from tests.faults.bit_flips import bit_flips, flip_many
from tests.faults.outcome import Effort


def test_no_flipped_bit_goes_unnoticed() -> None:
    outcome = bit_flips(Effort(seed=11, scale=0.05))
    assert outcome.well, outcome.told
    assert outcome.measured["carried_over_percent"] > 90


def only_sqlite(path: Path) -> Salvaged | None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA quick_check").fetchall()
    return None


def test_a_start_that_only_asks_sqlite_is_caught() -> None:
    found = flip_many(seed=11, tries=75, make_sound=only_sqlite)
    assert found.wrong["changed facts undetected"] > 0
