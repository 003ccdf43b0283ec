"""PostgreSQL fails in the middle of a push: the kiosk hears that the hub is busy, sends the same again, and nobody is
lost or counts twice."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, LiteralString

import psycopg
import pytest

from tests.whole.conftest import ADA, CEM, DITA, Office, Place
from tests.whole.programs import Kiosk, eventually

pytestmark = [pytest.mark.timeout(300), pytest.mark.postgres]

PEOPLE = (ADA, CEM, DITA)

on_our_own_server = pytest.mark.skipif(
    "HUB_TEST_POSTGRES_URL" in os.environ, reason="somebody else's server is neither changed nor crashed"
)


@pytest.fixture
def place(offices: Callable[[str], Office]) -> Iterator[Place]:
    office = offices("postgresql")
    office.hub.serve()
    yield Place(office, office.new_session())
    # A hub whose connections were ended has lost the lock that says it serves: the next test gets a fresh one.
    office.hub.stop()


@pytest.fixture
def database(place: Place) -> Iterator[psycopg.Connection]:
    """Somebody who looks after the database."""
    url = place.hub.told["HUB_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def check_in_all(kiosk: Kiosk, place: Place) -> None:
    with kiosk.desk() as desk:
        for each in PEOPLE:
            assert desk.check_in(place.session, each.school_emails[0])["verdict"] == "welcome"


def hubs_connection_that_waits(database: psycopg.Connection, event: LiteralString) -> int:
    """The server's process for a connection of the hub that waits for that."""
    found: list[Any] = []

    def is_there() -> bool:
        found[:] = database.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND %s IN (wait_event_type, wait_event)",
            [event],
        ).fetchall()
        return bool(found)

    eventually(is_there, f"a connection that waits for {event}")
    return int(found[0][0])


@contextmanager
def streams_held(place: Place) -> Iterator[None]:
    """No push gets past the row of its stream."""
    url = place.hub.told["HUB_DATABASE_URL"].replace("+psycopg", "")
    with closing(psycopg.connect(url)) as holder:
        holder.execute("SELECT * FROM streams FOR UPDATE")
        yield


def test_a_connection_that_dies_in_the_middle_of_a_push_costs_another_try(
    place: Place, kiosk: Kiosk, database: psycopg.Connection
) -> None:
    check_in_all(kiosk, place)
    with ThreadPoolExecutor(1) as pool, streams_held(place):
        told = pool.submit(kiosk.post)
        database.execute("SELECT pg_terminate_backend(%s)", [hubs_connection_that_waits(database, "Lock")])
        assert (told.result()["problem"], told.result()["waiting"]) == ("hub_busy", len(PEOPLE))
    assert place.count() == (0, 0)

    assert kiosk.post()["waiting"] == 0
    assert place.count() == (len(PEOPLE), 0)


@on_our_own_server
def test_a_commit_that_nobody_hears_of_counts_once(place: Place, kiosk: Kiosk, database: psycopg.Connection) -> None:
    check_in_all(kiosk, place)
    with commits_wait_after_they_are_done(database), ThreadPoolExecutor(1) as pool:
        told = pool.submit(kiosk.post)
        database.execute("SELECT pg_terminate_backend(%s)", [hubs_connection_that_waits(database, "SyncRep")])
        assert (told.result()["problem"], told.result()["waiting"]) == ("hub_busy", len(PEOPLE))
    assert place.count() == (len(PEOPLE), 0), "the hub has them, and does not know that it has"

    told_again = kiosk.post()
    assert (told_again["problem"], told_again["waiting"]) == (None, 0)
    assert place.count() == (len(PEOPLE), 0)


@contextmanager
def commits_wait_after_they_are_done(database: psycopg.Connection) -> Iterator[None]:
    """What is committed is on the disk, and waits for a second server that does not exist."""
    name = database.execute("SELECT quote_ident(current_database())").fetchone()
    assert name is not None
    database.execute(f"ALTER DATABASE {name[0]} SET synchronous_commit = 'on'")
    database.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    database.execute("SELECT pg_reload_conf()")
    end_idle_connections(database)
    try:
        yield
    finally:
        database.execute("ALTER SYSTEM RESET synchronous_standby_names")
        database.execute("SELECT pg_reload_conf()")
        database.execute(f"ALTER DATABASE {name[0]} RESET synchronous_commit")


def end_idle_connections(database: psycopg.Connection) -> None:
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_connections_that_died_while_nobody_used_them_are_not_noticed(
    place: Place, kiosk: Kiosk, database: psycopg.Connection
) -> None:
    check_in_all(kiosk, place)
    end_idle_connections(database)

    told = kiosk.post()
    assert (told["problem"], told["waiting"]) == (None, 0)
    assert place.count() == (len(PEOPLE), 0)


@on_our_own_server
def test_a_server_that_crashes_in_the_middle_of_a_push_and_comes_back_has_everybody_once(
    place: Place, kiosk: Kiosk, database: psycopg.Connection
) -> None:
    check_in_all(kiosk, place)
    with ThreadPoolExecutor(1) as pool, streams_held(place):
        told = pool.submit(kiosk.post)
        # One process of the server that dies like this takes all others with it.
        os.kill(hubs_connection_that_waits(database, "Lock"), signal.SIGKILL)
        assert (told.result()["problem"], told.result()["waiting"]) == ("hub_busy", len(PEOPLE))
    with kiosk.desk() as desk:
        assert desk.check_in(place.session, ADA.school_emails[0])["verdict"] == "already_in"

    eventually(lambda: kiosk.post()["problem"] is None, "the database to be back")
    assert kiosk.status()["waiting"] == 0
    assert place.count() == (len(PEOPLE), 0)
