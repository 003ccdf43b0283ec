"""Whoever keeps a SQLite hub's database to themselves, as a large import does, keeps people off no page."""

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
import requests

from hub.server import THREADS
from hub.views.api import WRITERS
from tests.whole.programs import Hub

PATIENCE_S = 60


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path / "hub", f"sqlite:///{tmp_path / 'hub.sqlite'}")
    password = tmp_path / "password.txt"
    password.write_text("correct horse battery staple")
    who = ("--admin", "ada@northfield.edu", "--password-file", str(password))
    hub.ask("init", "--institution", "Northfield", "--domain", "northfield.edu", *who)
    try:
        yield hub.serve()
    finally:
        hub.kill()


def test_as_many_kiosks_as_there_are_threads_come_and_some_are_told_to_come_again_so_that_pages_are_answered(
    hub: Hub, tmp_path: Path
) -> None:
    def enrols(_: int) -> int:
        body = json.dumps({"code": "0" * 32, "app": "1"})
        return requests.post(
            f"{hub.url}/api/v1/enrolments", body, headers={"Content-Type": "application/json"}, timeout=PATIENCE_S
        ).status_code

    with closing(sqlite3.connect(tmp_path / "hub.sqlite", isolation_level=None)) as importing:
        importing.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(THREADS) as kiosks:
            answers = [kiosks.submit(enrols, number) for number in range(THREADS)]
            sent_away = set(islice(as_completed(answers), THREADS - WRITERS))
            page = requests.get(f"{hub.url}/login", timeout=PATIENCE_S)
            importing.execute("ROLLBACK")

    assert page.status_code == 200
    assert {answer.result() for answer in sent_away} == {503}
    # They waited for a turn only: whoever had one still had it, and was answered when the database was free.
    assert {answer.result() for answer in answers if answer not in sent_away} == {403}
