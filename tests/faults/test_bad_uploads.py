"""Whatever is uploaded, nothing breaks and nothing is silent; and a hub that breaks is found out."""

import pytest

from hub.actions.imports import jobs, running
from hub.database import writing_much
from hub.readers.reading import open_table
from hub.views import sentences
from tests.faults.bad_files import FAMILIES
from tests.faults.bad_uploads import attempt, bad_uploads
from tests.faults.outcome import Effort

A_FEW = range(6)


def test_bad_uploads_break_nothing_and_every_refusal_says_where_and_why() -> None:
    outcome = bad_uploads(Effort(seed=1, scale=0.001))

    assert outcome.well, outcome
    assert outcome.tried["files"] == len(FAMILIES)


def test_a_hub_whose_check_already_imports_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "rehearsing", writing_much)

    assert attempt(1, A_FEW).wrong["partial imports"] > 0


def test_a_hub_that_refuses_without_a_word_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "REASONS", {})

    assert attempt(1, A_FEW).wrong["silent refusals"] > 0


def test_a_hub_that_falls_over_a_file_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*args: object, **more: object) -> None:
        raise ValueError

    monkeypatch.setattr(jobs, open_table.__name__, careless)

    found = attempt(1, A_FEW)
    assert found.wrong["failed pages"] > 0
    assert found.wrong["crashes"] > 0
