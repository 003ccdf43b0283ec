"""Two students turn out to be one person; and a student comes back whom a restored backup did not know."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from hub.actions import attendance, kiosks, merging, passes, receive, registrations
from hub.database import one_at_a_time, reading, writing
from hub.errors import HubRefused, UnknownStudent
from hub.rules.identity import student_id
from hub.store import institutions, students
from hub.store import registrations as registered
from hub.store.events import Session
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, student, username
from tests.hub.files import import_file
from tests.hub.roster_view import view
from tests.hub.students.desk import on_postgresql, on_sqlite
from tests.hub.test_receive import wait_until_blocked


def counted(engine: Engine, institution: Institution, session: Session) -> tuple[int, int]:
    found = attendance.count(engine, institution.id, session.id).count
    return found.checked_in, found.parked


def test_who_came_twice_under_two_names_counts_once_when_they_turn_out_to_be_one(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    bo = student(engine, institution.id, "Bo", confirmed=["bo@example.edu"])
    bob = student(engine, institution.id, "Bob", confirmed=["bob@example.edu"])
    desk.check_in(session.id, bo)
    desk.check_in(session.id, bob)
    desk.hand_over(client)
    assert counted(engine, institution, session) == (2, 0)

    merging.merge(engine, institution.id, username(engine, bob), username(engine, bo), now)
    assert counted(engine, institution, session) == (1, 0)
    told = view(engine, institution.id)
    assert set(told.people) == {bo}
    assert len(told.people[bo].greetings) == 2


def test_a_kiosk_that_has_not_heard_of_it_checks_the_right_person_in(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    bo = student(engine, institution.id, "Bo", confirmed=["bo@example.edu"])
    bob = student(engine, institution.id, "Bob")
    rob = student(engine, institution.id, "Rob")
    names = {each: username(engine, each) for each in (bo, bob, rob)}
    merging.merge(engine, institution.id, names[rob], names[bob], now)
    merging.merge(engine, institution.id, names[bob], names[bo], now)
    desk.check_in(session.id, rob)
    desk.check_in(session.id, bob)
    assert [receipt.verdict for receipt in desk.hand_over(client).receipts] == ["counted", "already_present"]
    assert counted(engine, institution, session) == (1, 0)


def test_what_both_had_is_had_once(
    engine: Engine, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    both = [student(engine, institution.id, name, confirmed=[f"{name}@example.edu"]) for name in ("Bo", "Bob")]
    bo, bob = (username(engine, each) for each in both)
    passes.issue(engine, institution.id, [bo, bob], now)
    registrations.register(engine, institution.id, session.id, [bo, bob], now)
    merging.merge(engine, institution.id, bob, bo, now)
    assert attendance.count(engine, institution.id, session.id).count.registered == 1
    assert len(view(engine, institution.id).people[both[0]].greetings) == 3


@on_sqlite
def test_whom_somebody_registered_by_hand_stays_registered_when_a_file_is_undone(
    engine: Engine, institution: Institution, session: Session, now: datetime
) -> None:
    bo, bob = (student(engine, institution.id, name) for name in ("Bo", "Bob"))
    import_id = uuid7()
    with writing(engine) as conn:
        registered.add(conn, institution.id, session.id, [bo], now, import_id)
    registrations.register(engine, institution.id, session.id, [username(engine, bob)], now)
    merging.merge(engine, institution.id, username(engine, bob), username(engine, bo), now)
    with writing(engine) as conn:
        registered.drop_import(conn, institution.id, import_id)
    assert attendance.count(engine, institution.id, session.id).count.registered == 1


def test_nobody_is_merged_with_themselves_or_with_nobody(
    engine: Engine, institution: Institution, desk: Desk, now: datetime
) -> None:
    bo = username(engine, student(engine, institution.id, "Bo"))
    with pytest.raises(HubRefused):
        merging.merge(engine, institution.id, bo, bo, now)
    with pytest.raises(UnknownStudent):
        merging.merge(engine, institution.id, bo, "nobody", now)
    with pytest.raises(UnknownStudent):
        merging.merge(engine, institution.id, "nobody", bo, now)
    assert len(view(engine, institution.id).people) == 1


def test_the_command_asks_first(engine: Engine, institution: Institution, desk: Desk, command: Command) -> None:
    bo, bob = (username(engine, student(engine, institution.id, each)) for each in ("Bo", "Bob"))
    assert command.run("students", "merge", bob, bo, "--json").exit_code == 1
    assert len(view(engine, institution.id).people) == 2
    assert command.run("students", "merge", bob, bo, "--yes", "--json").exit_code == 0
    assert len(view(engine, institution.id).people) == 1


# --- whom a restored backup did not know ---------------------------------------------------------


def forget(engine: Engine, institution: Institution, ref: UUID) -> None:
    """As a backup does that was made before they came."""
    with writing(engine) as conn:
        owned = [row.id for row in students.addresses_of(conn, institution.id, [ref])]
        students.drop_addresses(conn, institution.id, owned)
        students.drop(conn, institution.id, ref)


def test_a_check_in_of_somebody_whom_the_backup_did_not_know_counts_once_they_are_imported_again(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    desk: Desk,
    now: datetime,
    tmp_path: Path,
) -> None:
    file = tmp_path / "students.csv"
    file.write_text("username,first_name,email_address\nada,Ada,ada@example.edu\n")
    import_file(engine, institution.id, file, now)
    (ada,) = view(engine, institution.id).people
    forget(engine, institution, ada)

    desk.check_in(session.id, ada)
    assert [receipt.verdict for receipt in desk.hand_over(client).receipts] == ["parked:unknown_address"]
    assert counted(engine, institution, session) == (0, 1)
    import_file(engine, institution.id, file, now)
    assert counted(engine, institution, session) == (1, 0)


def test_who_was_merged_and_is_imported_again_is_somebody_of_their_own(
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    session: Session,
    desk: Desk,
    now: datetime,
    tmp_path: Path,
) -> None:
    file = tmp_path / "students.csv"

    def bring(*rows: str) -> None:
        file.write_text("\n".join(["username,first_name,email_address", *rows, ""]))
        import_file(engine, institution.id, file, now)

    bring("bo,Bo,bo@example.edu", "bob,Bob,bob@example.edu")
    merging.merge(engine, institution.id, "bob", "bo", now)
    bring("bob,Bob,robert@example.edu")
    for ref in view(engine, institution.id).people:
        desk.check_in(session.id, ref)
    assert [receipt.verdict for receipt in desk.hand_over(client).receipts] == ["counted", "counted"]
    assert counted(engine, institution, session) == (2, 0)


@on_postgresql
def test_a_merge_waits_for_an_import_that_is_under_way(engine: Engine, institution: Institution, now: datetime) -> None:
    gone, stays = (username(engine, student(engine, institution.id, name)) for name in ("Bob", "Bo"))
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as conn:
            one_at_a_time(conn, f"import into {institution.id}")
            merging_now = pool.submit(merging.merge, engine, institution.id, gone, stays, now)
            wait_until_blocked(engine, merging_now)
            assert not merging_now.done()
        merging_now.result()


def test_a_merge_waits_for_pushes_that_still_know_both(
    engine: Engine, client: FlaskClient, institution: Institution, session: Session, desk: Desk, now: datetime
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer anyway")
    bo, bob = (student(engine, institution.id, name) for name in ("Bo", "Bob"))
    desk.check_in(session.id, bo)
    desk.check_in(session.id, bob)
    kiosk = kiosks.recognise(engine, desk.token)
    gone, stays = (username(engine, each) for each in (bob, bo))
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as conn:
            receive.take(conn, kiosk, desk.stream_id, desk.push(), now)
            merging_now = pool.submit(merging.merge, engine, institution.id, gone, stays, now)
            # As far as it comes while the push is under way.
            wait([merging_now], timeout=0.5)
            assert not merging_now.done()
        merging_now.result()
    assert counted(engine, institution, session) == (1, 0)


def test_an_id_says_nothing_without_the_institutions_key(engine: Engine, institution: Institution) -> None:
    with reading(engine) as conn:
        key = institutions.of(conn, institution.id).private_key
    assert student_id(key, "ada") == student_id(key, "ada")
    assert len({student_id(key, "ada"), student_id(key, "bo"), student_id(bytes(32), "ada")}) == 3
    assert student_id(key, "ada").version == 8
