"""A whole hub in a file, back from it, and in another database: with everything, or not at all."""

import errno
import os
import sqlite3
import threading
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command as alembic
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub import create_app, database, migrations, schema
from hub.accounts import add_admin
from hub.actions import attendance, backups, desk_pin, kiosks, last_backup, moving, passes, readiness
from hub.actions.exports.attendees import HANDSHAKE
from hub.config import Config
from hub.database import alone, connect, file_of, reading, serving, writing
from hub.errors import InUse
from hub.store import contents
from hub.store.events import Session
from sync import chain
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, enrolled, student
from tests.hub.roster_view import view
from tests.hub.test_migrations import fill, first_shape

PIN = "483921"


@pytest.fixture
def ada(engine: Engine, institution: Institution) -> UUID:
    return student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])


@pytest.fixture
def bo(engine: Engine, institution: Institution) -> UUID:
    return student(engine, institution.id, "Bo", confirmed=["bo@example.edu"])


@pytest.fixture
def busy(client: FlaskClient, desk: Desk, session: Session, ada: UUID) -> Desk:
    """A desk at which Ada has checked in, and somebody whom nobody knows; the hub has heard of both."""
    desk.check_in(session.id, ada)
    desk.note(session.id, "dita@elsewhere.example")
    desk.hand_over(client)
    return desk


@pytest.fixture
def full(
    engine: Engine,
    app: Flask,
    institution: Institution,
    busy: Desk,
    ada: UUID,
    session: Session,
    command: Command,
    tmp_path: Path,
    now: datetime,
) -> Desk:
    """The same, and something in nearly every other table of the hub."""
    with app.app_context(), writing(engine) as conn:
        add_admin(conn, institution.id, "ada@example.edu", "correct horse", now)
    desk_pin.choose(engine, institution.id, PIN, 10)
    username = _username(engine, ada)
    passes.issue(engine, institution.id, [username], now)
    file = tmp_path / "file.csv"
    # The first address is hers no longer when the second comes.
    for address in ("a.byron@example.edu", "a.lovelace@example.edu"):
        file.write_text(f"username,email_address,first_name,card_id\n{username},{address},Ada,0042\n")
        command.ask("import", "students", file)
    file.write_text(f"{','.join(HANDSHAKE)}\na.lovelace@example.edu,TRUE,TRUE,Event,{session.event_id},\n")
    command.ask("import", "attendees", file)
    return busy


def _username(engine: Engine, student_id: UUID) -> str:
    with reading(engine) as conn:
        found = conn.execute(sa.select(schema.students.c.username).where(schema.students.c.id == student_id))
        return str(found.scalar_one())


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with reading(engine) as conn:
        return {
            table.name: sorted(tuple(map(repr, row)) for row in conn.execute(sa.select(table)))
            for table in schema.metadata.sorted_tables
        }


def in_file(file: Path) -> dict[str, list[tuple[object, ...]]]:
    engine = connect(f"sqlite:///{file}")
    try:
        return everything(engine)
    finally:
        engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder / "hub-backup.sqlite"


# --- backup


def test_a_backup_holds_every_row_in_one_private_sqlite_file(
    command: Command, engine: Engine, full: Desk, file: Path
) -> None:
    told = command.ask("backup", file)
    assert told == {
        "file": str(file),
        "institutions": 1,
        "students": 1,
        "facts": 2,
        "streams": 1,
        "verified": True,
    }
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert file.stat().st_mode & 0o777 == 0o600
    held = everything(engine)
    assert {name for name, rows in held.items() if not rows} == {"merges", "undone"}
    assert in_file(file) == held


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(
    command: Command, busy: Desk, file: Path, database_url: str
) -> None:
    file.write_text("something of mine")
    refused = command.run("backup", file)
    assert (refused.exit_code, "--force" in refused.stderr, file.read_text()) == (1, True, "something of mine")
    assert command.ask("backup", file, "--force")["facts"] == 2
    assert command.run("backup", file.parent).exit_code == 1
    missing = command.run("backup", file.parent / "nowhere" / "hub.sqlite")
    assert (missing.exit_code, "cannot be written" in missing.stderr) == (1, True)
    if database_url.startswith("sqlite"):
        itself = command.run("backup", database_url.removeprefix("sqlite:///"), "--force")
        assert (itself.exit_code, "the database itself" in itself.stderr) == (1, True)


@pytest.mark.parametrize("column", ["body", "hash"])
def test_a_fact_that_changed_by_itself_is_found_and_the_last_good_backup_stays(
    command: Command, engine: Engine, busy: Desk, file: Path, column: str
) -> None:
    command.ask("backup", file)
    before = file.read_bytes()
    with writing(engine) as conn:
        facts = schema.facts
        conn.execute(facts.update().where(facts.c.seq == 1).values({column: b"x" * 32}))
    refused = command.run("backup", file, "--force")
    assert (refused.exit_code, "Fact 1 of stream" in refused.stderr) == (1, True)
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_a_stream_that_lost_its_facts_is_found(command: Command, engine: Engine, busy: Desk, file: Path) -> None:
    with writing(engine) as conn:
        conn.execute(schema.facts.delete().where(schema.facts.c.seq == 2))
    assert "does not hold" in command.run("backup", file).stderr
    with writing(engine) as conn:
        conn.execute(schema.facts.delete())
    assert "has lost its facts" in command.run("backup", file).stderr
    assert not file.exists()


def test_every_backup_of_a_hub_that_is_being_written_to_is_of_one_moment(
    engine: Engine, app: Flask, client: FlaskClient, busy: Desk, session: Session, ada: UUID, tmp_path: Path
) -> None:
    done = threading.Event()

    def go_on() -> None:
        other = app.test_client()
        for _ in range(60):
            busy.check_in(session.id, ada)
            busy.hand_over(other, len(busy.made))
        done.set()

    thread = threading.Thread(target=go_on)
    thread.start()
    made = 0
    while not done.is_set() or not made:
        found = backups.backup(engine, tmp_path / f"{made}.sqlite")
        assert found.rows["facts"] >= 2
        made += 1
    thread.join()
    assert backups.backup(engine, tmp_path / "last.sqlite").rows["facts"] == 62


def test_the_doctor_knows_when_the_last_backup_was(
    command: Command, config: Config, engine: Engine, file: Path, now: datetime, tmp_path: Path
) -> None:
    def told(moment: datetime) -> tuple[bool, str]:
        check = next(each for each in readiness.examine(engine, config, moment) if each.name == "backup")
        return check.ok, check.found + check.way_out

    assert told(now) == (True, "none was made with `hub backup FILE` yet")
    last_backup.keep(tmp_path, file, now)
    assert told(now + timedelta(hours=20))[0]
    ok, said = told(now + timedelta(hours=30))
    assert (ok, str(file) in said, "hub backup" in said) == (False, True, True)
    (tmp_path / last_backup.NOTE).write_text("{")
    assert told(now)[0]
    (tmp_path / "data").mkdir()
    command.ask("backup", file)
    note = last_backup.read(tmp_path / "data")
    assert note is not None
    assert note.file == str(file)


# --- restore


def test_a_restored_hub_gets_back_from_its_kiosks_what_it_lacks(
    command: Command,
    engine: Engine,
    client: FlaskClient,
    institution: Institution,
    full: Desk,
    session: Session,
    ada: UUID,
    bo: UUID,
    file: Path,
) -> None:
    command.ask("backup", file)
    before = view(engine, institution.id, PIN)
    full.check_in(session.id, bo)
    full.hand_over(client, 3)
    engine.dispose()

    told = command.ask("restore", file, "--yes")

    engine.dispose()
    assert (told["facts"], told["unknown_kiosks"], told["no_longer_revoked"]) == (2, [], [])
    assert attendance.count(engine, institution.id, session.id).count.checked_in == 1
    assert full.send(client, full.push(4)).status_code == 409
    full.hand_over(client, 3)
    assert attendance.count(engine, institution.id, session.id).count.checked_in == 2
    after = view(engine, institution.id, PIN)
    assert after.epoch != before.epoch
    assert after.roster_key != before.roster_key
    assert after.people == before.people
    assert len(in_file(Path(told["kept"]))["facts"]) == 3
    assert Path(told["kept"]).stat().st_mode & 0o777 == 0o600


def test_what_was_there_before_a_restore_can_be_put_back(
    command: Command, engine: Engine, client: FlaskClient, institution: Institution, busy: Desk, session: Session,
    bo: UUID, file: Path,
) -> None:  # fmt: skip
    command.ask("backup", file)
    busy.check_in(session.id, bo)
    busy.hand_over(client, 3)
    engine.dispose()
    kept = command.ask("restore", file, "--yes")["kept"]
    assert command.ask("restore", file, "--yes")["kept"] != kept
    assert command.ask("restore", kept, "--yes")["facts"] == 3
    engine.dispose()
    assert attendance.count(engine, institution.id, session.id).count.checked_in == 2


def test_a_restore_names_the_kiosks_it_has_forgotten_and_those_it_lets_in_again(
    command: Command, engine: Engine, institution: Institution, busy: Desk, file: Path, now: datetime
) -> None:
    command.ask("backup", file)
    late = enrolled(engine, institution.id, now, "Back door")
    kiosks.revoke(engine, institution.id, busy.kiosk_id, now)
    engine.dispose()
    told = command.ask("restore", file, "--yes")
    assert told["unknown_kiosks"] == [{"id": str(late.kiosk_id), "name": "Back door"}]
    assert told["no_longer_revoked"] == [{"id": str(busy.kiosk_id), "name": "Front door"}]
    said = command.run("restore", file, "--yes").stderr
    assert "hub kiosks list" in said


def test_a_restore_asks_first_and_has_to_be_meant(command: Command, busy: Desk, file: Path) -> None:
    command.ask("backup", file)
    refused = command.run("restore", file)
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)


def test_nothing_is_replaced_moved_or_copied_while_a_hub_serves(
    command: Command, engine: Engine, busy: Desk, file: Path, tmp_path: Path
) -> None:
    command.ask("backup", file)
    before = everything(engine)
    with serving(engine), serving(engine):
        for words in (["restore", file, "--yes"], ["copy-to", f"sqlite:///{tmp_path / 'other.sqlite'}"]):
            refused = command.run(*words)
            assert (refused.exit_code, "Stop every `hub serve`" in refused.stderr) == (1, True)
        assert command.ask("backup", file, "--force")["verified"]
    assert everything(engine) == before
    engine.dispose()
    assert command.run("restore", file, "--yes").exit_code == 0


def test_a_hub_does_not_begin_to_serve_while_its_database_is_replaced(engine: Engine) -> None:
    with alone(engine), pytest.raises(InUse), serving(engine):
        pass
    with serving(engine):
        pass


def test_a_restore_waits_for_whoever_writes_and_never_leaves_their_work_behind(
    command: Command, engine: Engine, busy: Desk, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("a server keeps writers apart itself")
    command.ask("backup", file)
    monkeypatch.setattr(database, "BUSY_MS", 50)
    with writing(engine) as conn:
        conn.execute(sa.update(schema.institutions).values(name="Renamed"))
        refused = command.run("restore", file, "--yes")
        assert (refused.exit_code, "Something else uses the database" in refused.stderr) == (1, True)
    assert [name for _, name, *_ in everything(engine)["institutions"]] == ["'Renamed'"]
    engine.dispose()
    kept = command.ask("restore", file, "--yes")["kept"]
    assert [name for _, name, *_ in in_file(Path(kept))["institutions"]] == ["'Renamed'"]
    assert everything(engine)["institutions"] != in_file(Path(kept))["institutions"]


def test_somebody_who_waited_while_the_file_was_replaced_does_not_write_into_the_old_one(
    command: Command, engine: Engine, busy: Desk, file: Path
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("a server keeps writers apart itself")
    command.ask("backup", file)
    with engine.connect() as late:
        if late.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal":
            pytest.skip("whoever is connected at all keeps the file from being replaced")
        late.rollback()
        kept = Path(command.ask("restore", file, "--yes")["kept"])
        before = in_file(kept)
        with pytest.raises(sa.exc.OperationalError), late.execution_options(writes=True).begin():
            late.execute(sa.update(schema.institutions).values(name="Too late"))
    assert in_file(kept) == before


@pytest.mark.parametrize("failing", [[(moving, "put_in_place")], [(os, "link"), (moving, "put_in_place")]])
def test_a_restore_that_fails_while_files_change_places_leaves_what_was_there(
    command: Command,
    engine: Engine,
    busy: Desk,
    file: Path,
    failing: list[tuple[ModuleType, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("a server has no file")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    command.ask("backup", file)
    before = everything(engine)
    engine.dispose()
    place = file_of(engine)
    assert place is not None
    there = {each.name for each in place.parent.glob("*.sqlite")}
    with monkeypatch.context() as disk:
        for where, name in failing:
            disk.setattr(where, name, full)
        assert command.run("restore", file, "--yes").exit_code == 1
    assert {each.name for each in place.parent.glob("*.sqlite")} == there
    assert everything(engine) == before


def test_a_restore_forgets_where_kiosks_were_assigned_and_numbers_on_above_what_they_heard(
    engine: Engine, client: FlaskClient, institution: Institution, busy: Desk, session: Session, now: datetime,
    file: Path,
) -> None:  # fmt: skip
    def assigned() -> int:
        return kiosks.assign(engine, institution.id, busy.kiosk_id, session.id).assignment

    assigned()
    backups.backup(engine, file)
    heard = [assigned() for _ in range(3)]
    for again in range(2):
        moving.restore(engine, file, file.parent, now + timedelta(seconds=again))
        assert busy.hand_over(client).assignment is None
        heard.append(assigned())
    assert heard == sorted(set(heard))


def test_what_is_no_sound_backup_is_refused_and_changes_nothing(
    command: Command, engine: Engine, busy: Desk, file: Path
) -> None:
    command.ask("backup", file)
    good = file.read_bytes()
    before = everything(engine)

    def said(status: int = 2) -> str:
        result = command.run("restore", file, "--yes")
        assert result.exit_code == status, result.stderr
        engine.dispose()
        assert everything(engine) == before
        return result.stderr

    file.write_bytes(b"username,first_name\nada,Ada\n" * 1000)
    assert "no backup of a hub" in said()
    file.write_bytes(good[: len(good) // 2])
    assert "backup" in said()
    file.write_bytes(b"")
    assert "no backup of a hub" in said()
    pages = len(good) // 4096
    file.write_bytes(good[: 4096 * (pages // 2)] + b"\xa5" * 4096 + good[4096 * (pages // 2 + 1) :])
    assert "is damaged" in said()
    file.unlink()
    assert "no file" in said()
    for change, expected in {
        "UPDATE alembic_version SET version_num = '9999'": "newer version",
        "UPDATE facts SET body = x'7b7d' WHERE seq = 1": "Fact 1 of stream",
        "DELETE FROM hubs": "No hub was set up",
    }.items():
        file.write_bytes(good)
        raw = sqlite3.connect(file)
        raw.execute(change)
        raw.commit()
        raw.close()
        assert expected in said()


def test_another_hubs_backup_is_not_put_in_the_place_of_this_one(
    command: Command, engine: Engine, busy: Desk, file: Path
) -> None:
    command.ask("backup", file)
    raw = sqlite3.connect(file)
    raw.execute("UPDATE hubs SET id = '4f0c2b9e6f1d4b7a9d0e2c8b7a6f5e41'")
    raw.commit()
    raw.close()
    refused = command.run("restore", file, "--yes")
    assert (refused.exit_code, "backup of hub 4f0c2b9e" in refused.stderr) == (1, True)


def test_a_backup_makes_a_hub_where_there_was_none(
    command: Command, busy: Desk, file: Path, blank_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command.ask("backup", file)
    monkeypatch.setenv("HUB_DATABASE_URL", blank_database_url)
    monkeypatch.setenv("HUB_DATA_DIR", str(tmp_path / "new"))
    monkeypatch.delenv("HUB_SECRET_KEY", raising=False)
    result = command.run("restore", file, "--yes", "--json")
    assert result.exit_code == 0, result.stderr
    assert '"kept":null' in result.stdout
    assert command.ask("kiosks", "list")["kiosks"][0]["id"] == str(busy.kiosk_id)
    assert command.run("restore", file, "--yes").exit_code == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_damaged_is_kept_and_replaced(
    command: Command, engine: Engine, busy: Desk, file: Path, database_url: str
) -> None:
    command.ask("backup", file)
    engine.dispose()
    place = Path(database_url.removeprefix("sqlite:///"))
    place.write_bytes(b"the disk had an idea of its own" * 500)
    told = command.ask("restore", file, "--yes")
    assert Path(told["kept"]).read_bytes().startswith(b"the disk had")
    assert everything(engine)["facts"] == in_file(file)["facts"]


def test_a_backup_of_the_first_version_is_brought_to_todays_shape(
    command: Command, engine: Engine, file: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    blank_database_url: str,
) -> None:  # fmt: skip
    old = connect(f"sqlite:///{file}")
    first_shape(old)
    _, session, _ = fill(old)
    end = chain.advance(chain.START, b"{}")
    with writing(old) as conn:
        conn.execute(schema.facts.update().values(hash=end))
        conn.execute(sa.update(sa.table("streams", sa.column("acked_hash", sa.LargeBinary))).values(acked_hash=end))
    old.dispose()
    monkeypatch.setenv("HUB_DATABASE_URL", blank_database_url)
    assert command.ask("restore", file, "--yes")["facts"] == 1
    assert command.ask("count", session)["checked_in"] == 1
    raw = sqlite3.connect(file)
    assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",), "the backup stays as it is"
    raw.close()


# --- copy-to


def test_a_hub_moves_into_an_empty_database_with_everything_and_kiosks_go_on(
    command: Command,
    config: Config,
    engine: Engine,
    full: Desk,
    session: Session,
    bo: UUID,
    institution: Institution,
    blank_database_url: str,
    now: datetime,
) -> None:
    told = command.ask("copy-to", blank_database_url)
    assert (told["facts"], told["verified"]) == (2, True)
    moved = connect(blank_database_url)
    assert everything(moved) == everything(engine)
    assert migrations.is_current(moved)

    app = create_app(config, moved)
    full.check_in(session.id, bo)
    full.hand_over(app.test_client(), 3)
    assert attendance.count(moved, institution.id, session.id).count.checked_in == 2
    with app.app_context(), writing(moved) as conn:
        add_admin(conn, institution.id, "bo@example.edu", "correct horse", now)
    moved.dispose()


def test_a_database_that_holds_anything_takes_no_copy(
    command: Command, engine: Engine, busy: Desk, blank_database_url: str
) -> None:
    command.ask("copy-to", blank_database_url)
    moved = connect(blank_database_url)
    before = everything(moved)
    refused = command.run("copy-to", blank_database_url)
    assert (refused.exit_code, "not" in refused.stderr, everything(moved) == before) == (1, True, True)
    with writing(moved) as conn:
        alembic.downgrade(migrations.config(conn), "base")
        conn.execute(sa.text("CREATE TABLE mine (what TEXT)"))
    assert "something in that database" in command.run("copy-to", blank_database_url).stderr
    with reading(moved) as conn:
        assert not sa.inspect(conn).has_table("facts")
    moved.dispose()


def test_a_copy_that_fails_leaves_nothing_behind(
    command: Command, engine: Engine, busy: Desk, blank_database_url: str
) -> None:
    with writing(engine) as conn:
        conn.execute(schema.facts.update().where(schema.facts.c.seq == 2).values(body=b"{}"))
    refused = command.run("copy-to", blank_database_url)
    assert (refused.exit_code, "Fact 2 of stream" in refused.stderr) == (1, True)
    target = connect(blank_database_url)
    with reading(target) as conn:
        assert sa.inspect(conn).get_table_names() == []
    target.dispose()


def test_a_text_that_postgresql_cannot_keep_is_named_and_nothing_is_copied(
    command: Command, engine: Engine, busy: Desk, ada: UUID, blank_database_url: str
) -> None:
    if engine.dialect.name != "sqlite" or blank_database_url.startswith("sqlite"):
        pytest.skip("only PostgreSQL refuses it, and only SQLite holds it")
    with writing(engine) as conn:
        of_ada = schema.students.c.id == ada
        conn.execute(schema.students.update().where(of_ada).values(last_name="Love\0lace"))
    refused = command.run("copy-to", blank_database_url)
    assert refused.exit_code == 1
    assert "students.last_name" in refused.stderr
    assert str(ada) in refused.stderr
    assert "Love" not in refused.stderr
    target = connect(blank_database_url)
    with reading(target) as conn:
        assert sa.inspect(conn).get_table_names() == []
    target.dispose()


def test_a_hub_is_not_copied_onto_itself_or_to_what_is_no_database(
    command: Command, busy: Desk, database_url: str
) -> None:
    for url in (database_url, "nonsense", "mysql://localhost/hub", "sqlite:////nowhere/at/all/hub.sqlite"):
        assert command.run("copy-to", url).exit_code == 1


def test_rows_are_told_as_they_are_copied(engine: Engine, busy: Desk, tmp_path: Path) -> None:
    told: list[int] = []
    with reading(engine) as conn:
        backups.write_out(conn, tmp_path / "copy.sqlite", told.append)
        assert told[-1] == sum(contents.rows(conn).values())
