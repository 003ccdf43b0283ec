"""A failing disk makes nobody believe what is not there, and the harness that says so would notice."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from sqlalchemy import Connection, Engine
from sqlite_utils import Database

from hub import database
from kiosk.store import sqlite
from kiosk.store.journal import Page
from tests.faults import vfs
from tests.faults.disk_errors import (
    ACTS,
    AtTheDesk,
    AtTheOffice,
    Found,
    Kind,
    TheExchange,
    Trial,
    disk_errors,
    every_position,
    held_by_another,
    operations,
    quiet,
)
from tests.faults.outcome import Effort
from tests.faults.power_cuts import JournalMode, journaling, scratch

pytestmark = pytest.mark.skipif(vfs.why_not() is not None, reason=str(vfs.why_not()))

LITTLE = Effort(seed=3, scale=0.01)


def fail(trial: Trial, stride: int = 4) -> Found:
    with scratch() as folder, quiet(), closing(trial):
        return every_position(trial, folder, trial.name, 1, stride, kinds=["error"])


def test_no_check_in_is_said_to_be_kept_when_the_disk_did_not_take_it() -> None:
    outcome = disk_errors(LITTLE, modes=["TRUNCATE"], trials=lambda: [AtTheDesk(ACTS[0]), AtTheOffice()])
    assert outcome.well, outcome.told


@pytest.mark.parametrize(("kind", "mode", "last"), [("error", "TRUNCATE", 45), ("full", "WAL", 10)])
def test_a_roster_takes_its_place_when_the_disk_is_well_again(kind: Kind, mode: JournalMode, last: int) -> None:
    trial = TheExchange()
    with scratch() as folder, quiet(), journaling(mode), closing(trial):
        # Among the last operations are those that put it in its place.
        first = operations(trial, folder, kind) - last
        found = every_position(trial, folder, trial.name, first, 1, kinds=[kind])
    assert not found.wrong, found.told


def test_a_desk_that_believes_every_commit_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def believing(db: Database) -> Iterator[None]:
        db.conn.execute("BEGIN IMMEDIATE")
        yield
        with suppress(sqlite3.Error):
            db.conn.execute("COMMIT")

    monkeypatch.setattr(sqlite, "write_tx", believing)
    assert fail(AtTheDesk(ACTS[0])).wrong["false successes"] > 0


def test_a_desk_that_knows_nobody_again_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "repeated", lambda *_: None)
    monkeypatch.setattr(Page, "present", lambda *_: None)
    assert fail(AtTheDesk(ACTS[1]), stride=1).wrong["doubled"] > 0


def test_a_desk_that_needs_a_restart_is_found_out() -> None:
    class Sulking(AtTheDesk):
        failed = False

        def ask(self) -> bool:
            self.failed = self.failed or not super().ask()
            return not self.failed

    assert fail(Sulking(ACTS[1])).wrong["stuck afterwards"] > 0


def test_a_hub_that_answers_before_it_has_kept_anything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = database.writing

    @contextmanager
    def hasty(engine: Engine) -> Iterator[Connection]:
        with suppress(Exception), usual(engine) as conn:
            yield conn

    monkeypatch.setattr("hub.actions.receive.writing", hasty)
    assert fail(AtTheOffice()).wrong["false successes"] > 0


@pytest.mark.parametrize(
    "trial", [AtTheDesk(ACTS[0]), AtTheDesk(ACTS[0], off=True), AtTheOffice()], ids=lambda t: t.name
)
def test_whoever_waits_for_another_program_in_vain_is_told_so(trial: Trial) -> None:
    with scratch() as folder, quiet(), closing(trial):
        found = held_by_another(trial, folder, trial.name)
    assert found.tried >= 2
    assert not found.wrong, found.told
