"""The database's shape over time. A migration that has shipped is never edited."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from hub.database import reading, writing

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

HEAD = "0002"
"""The newest migration; a test keeps it true. Known here so that not every command has to load Alembic."""

_VERSION = sa.table("alembic_version", sa.column("version_num"))


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest shape, in one transaction. Does nothing when it is there already."""
    from alembic import command

    with writing(engine) as conn:
        command.upgrade(config(conn), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the shape this version of the hub was made for."""
    with reading(engine) as conn:
        if not sa.inspect(conn).has_table("alembic_version"):
            return False
        return conn.execute(sa.select(_VERSION.c.version_num)).scalars().all() == [HEAD]


def config(conn: Connection) -> "AlembicConfig":
    """Alembic's settings, for work on this connection."""
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["connection"] = conn
    return settings
