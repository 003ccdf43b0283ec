from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub.database import connect
from tests.hub.attendees.office import Office
from tests.hub.conftest import Institution, make_institution


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, institution.id, tmp_path, now)


@pytest.fixture
def small(sqlite_template: Path, tmp_path: Path, now: datetime) -> Iterator[Office]:
    """An office on SQLite, where the database makes no difference."""
    path = tmp_path / "small.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    engine = connect(f"sqlite:///{path}")
    yield Office(engine, make_institution(engine, "Example University", ["example.edu"], now).id, tmp_path, now)
    engine.dispose()
