"""The database's shape over time. A migration that has shipped is never edited."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from hub.database import reading, writing

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

HEAD = "0004"
"""The newest migration; a test keeps it true. Known here so that not every command has to load Alembic."""

_VERSION = sa.table("alembic_version", sa.column("version_num"))


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest shape, in one transaction. Does nothing when it is there already."""
    with writing(engine) as conn:
        upgrade_within(conn)


def upgrade_within(conn: Connection) -> None:
    """The same inside a `writing` block: what else is in it comes with the new shape, or neither does."""
    from alembic import command

    command.upgrade(config(conn), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the shape this version of the hub was made for."""
    with reading(engine) as conn:
        return _shape(conn) == [HEAD]


def is_known(engine: Engine) -> bool:
    """Whether the database has the shape of this or an earlier version of the hub."""
    from alembic.script import ScriptDirectory

    with reading(engine) as conn:
        shape = _shape(conn)
        return len(shape) == 1 and shape[0] in {
            each.revision for each in ScriptDirectory.from_config(config(conn)).walk_revisions()
        }


def has_shape(engine: Engine) -> bool:
    """Whether this is a hub's database at all, of whatever version."""
    with reading(engine) as conn:
        return bool(_shape(conn))


def _shape(conn: Connection) -> list[str]:
    if not sa.inspect(conn).has_table("alembic_version"):
        return []
    return list(conn.execute(sa.select(_VERSION.c.version_num)).scalars())


def config(conn: Connection) -> "AlembicConfig":
    """Alembic's settings, for work on this connection."""
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["connection"] = conn
    return settings
