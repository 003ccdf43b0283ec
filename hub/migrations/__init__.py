"""The database's shape over time. A migration that has shipped is never edited."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from hub.database import reading, writing


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest shape, in one transaction. Does nothing when it is there already."""
    with writing(engine) as conn:
        command.upgrade(_config(conn), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the shape this version of the hub was made for."""
    with reading(engine) as conn:
        found = MigrationContext.configure(conn).get_current_revision()
        return found == ScriptDirectory.from_config(_config(conn)).get_current_head()


def _config(conn: Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = conn
    return config
