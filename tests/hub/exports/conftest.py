from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from hub.actions.exports import Export
from tests.hub.attendees.office import Office
from tests.hub.conftest import Institution


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    return Office(engine, institution.id, tmp_path, now)


@pytest.fixture
def export(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Export:
    return Export(engine, institution.id, "ada@example.edu", now, "en", ZoneInfo("Europe/Paris"), tmp_path / "data")
