from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.hub.conftest import Institution
from tests.hub.students.desk import Office


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, institution.id, tmp_path, now)


@pytest.fixture
def elsewhere(engine: Engine, other_institution: Institution, tmp_path: Path, now: datetime) -> Office:
    """The office of another institution on the same hub."""
    return Office(engine, other_institution.id, tmp_path, now)
