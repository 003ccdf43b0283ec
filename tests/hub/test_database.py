"""One schema, two databases: migrations make exactly what `schema.py` says, and the two doors keep their promises."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import OperationalError

from hub import database, migrations
from hub.database import connect, insert_once, put, reading, writing, writing_much
from hub.schema import domains, events, institutions, metadata
from tests.hub.conftest import Institution


def test_the_migrations_make_exactly_the_schema(engine: Engine) -> None:
    with reading(engine) as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        newest = ScriptDirectory.from_config(migrations.config(conn)).get_current_head()
    assert newest == migrations.HEAD
    assert migrations.is_current(engine)


def test_migrating_a_current_database_changes_nothing(engine: Engine, institution: Institution) -> None:
    migrations.upgrade(engine)
    with reading(engine) as conn:
        assert conn.execute(select(func.count()).select_from(institutions)).scalar_one() == 1


def test_a_writing_block_that_raises_leaves_nothing_behind(engine: Engine, institution: Institution) -> None:
    row = {"institution_id": institution.id, "domain": "gone.edu"}

    def fail() -> None:
        with writing(engine) as conn:
            conn.execute(domains.insert(), row)
            raise KeyError("half-way")

    with pytest.raises(KeyError):
        fail()
    with reading(engine) as conn:
        assert "gone.edu" not in conn.execute(select(domains.c.domain)).scalars().all()


def test_a_reading_block_sees_one_moment(engine: Engine, institution: Institution) -> None:
    count = select(func.count()).select_from(domains)
    with reading(engine) as conn:
        before = conn.execute(count).scalar_one()
        if engine.dialect.name == "postgresql":
            with writing(engine) as other:
                other.execute(domains.insert(), {"institution_id": institution.id, "domain": "new.edu"})
        assert conn.execute(count).scalar_one() == before


def test_others_read_while_much_is_written_until_it_is_too_much_for_memory(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MUCH", 8 << 20)
    shutil.copy(sqlite_template, tmp_path / "hub.sqlite")
    engine = connect(f"sqlite:///{tmp_path / 'hub.sqlite'}", busy_ms=10)

    def write(conn: Connection, megabytes: int) -> None:
        for _ in range(megabytes):
            conn.exec_driver_sql("INSERT INTO much VALUES (randomblob(1000000))")

    with writing_much(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE much (bytes BLOB)")
        write(conn, 4)
    with writing_much(engine) as conn:
        write(conn, 4)
        with reading(engine) as other:
            assert other.exec_driver_sql("SELECT count(*) FROM much").scalar() == 4
        write(conn, 12)
        with pytest.raises(OperationalError), reading(engine) as other:
            other.exec_driver_sql("SELECT count(*) FROM much")
    engine.dispose()


def test_insert_once_passes_over_what_is_there_and_counts_what_was_not(
    engine: Engine, institution: Institution, other_institution: Institution
) -> None:
    rows = [{"institution_id": other_institution.id, "domain": name} for name in ("example.edu", "new.edu", "b.edu")]
    with writing(engine) as conn:
        assert insert_once(conn, domains, rows) == 2
        assert insert_once(conn, domains, rows) == 0
        assert insert_once(conn, domains, []) == 0
        owner = select(domains.c.institution_id).where(domains.c.domain == "example.edu")
        assert conn.execute(owner).scalar_one() == institution.id


def test_put_brings_a_row_up_to_date(engine: Engine, institution: Institution, other_institution: Institution) -> None:
    with writing(engine) as conn:
        put(conn, domains, [{"domain": "example.edu", "institution_id": other_institution.id}])
        owner = select(domains.c.institution_id).where(domains.c.domain == "example.edu")
        assert conn.execute(owner).scalar_one() == other_institution.id


def test_a_moment_without_its_zone_is_refused(engine: Engine, institution: Institution, now: datetime) -> None:
    with writing(engine) as conn, pytest.raises(Exception, match="time zone"):
        conn.execute(select(events).where(events.c.starts > now.replace(tzinfo=None)))


def test_a_database_we_do_not_serve_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        connect("mysql://somewhere/hub")
