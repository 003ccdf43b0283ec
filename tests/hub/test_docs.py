"""What the documents show works as they show it."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from hub.rules.student_file.columns import YEARS
from tests.hub.conftest import Institution
from tests.hub.files import import_file

DOCS = Path(__file__).parents[2] / "docs"


def test_the_sample_file_imports_as_it_is_and_a_second_time_changes_nothing(
    engine: Engine, institution: Institution, now: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes((DOCS / "students.csv").read_bytes())

    def run() -> tuple[int, int, int, int]:
        done = import_file(engine, institution.id, file, now).result
        assert done.warnings == ()
        return done.created, done.unchanged, done.skipped, done.failed

    assert run() == (3, 0, 0, 0)
    assert run() == (0, 3, 0, 0)


def test_the_page_names_every_school_year() -> None:
    page = " ".join((DOCS / "imports.md").read_text("utf-8").split())
    assert [year for year in YEARS if year not in page] == []
