from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from tests.postgres import Server, create_database, drop_database, start

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start() as server:
        yield server


def test_a_database_made_from_another_has_its_tables_and_its_own_rows(server: Server) -> None:
    template = create_engine(create_database(server, "try_template"))
    with template.begin() as connection:
        connection.execute(text("CREATE TABLE people (name text)"))
    template.dispose()

    copy = create_engine(create_database(server, "try_copy", template="try_template"))
    with copy.begin() as connection:
        connection.execute(text("INSERT INTO people VALUES ('Zoé')"))
        assert connection.execute(text("SELECT upper(name) FROM people")).scalar_one() == "ZOÉ"

    # Somebody is still connected: the pool of `copy`.
    drop_database(server, "try_copy")
    drop_database(server, "try_template")
    drop_database(server, "try_template")
    copy.dispose()
