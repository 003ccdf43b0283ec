"""Whether the hub is set up and well, and what to do when it is not."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from hub import migrations, tls
from hub.actions import last_backup
from hub.config import Config, checked_secret
from hub.database import durability, reading
from hub.errors import NotReady
from hub.store import attendance, institutions

LEAST_FREE_BYTES = 500 * 1024 * 1024
OLDEST_BACKUP = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `way_out` says what to do when it is not well."""

    name: str
    ok: bool
    found: str
    way_out: str = ""


def hub_id(engine: Engine) -> UUID:
    """This hub's own id. Raises `NotReady` when the database has none, or not today's shape."""
    try:
        if not migrations.is_current(engine):
            raise NotReady("The database has another shape than this version needs. Run `hub init` again.")
        with reading(engine) as conn:
            found = institutions.hub_id(conn)
    except SQLAlchemyError as error:
        raise NotReady(f"The database cannot be opened: {type(error).__name__}. See `hub doctor`.") from error
    if found is None:
        raise NotReady("This hub is not set up yet. Run `hub init`.")
    return found


def examine(engine: Engine, config: Config, now: datetime) -> list[Check]:
    """Look at everything that must be well before the doors open."""
    return [
        _database(engine),
        _durability(engine),
        _out_of_place(engine),
        _secret(config),
        _certificates(config),
        _folder(config),
        _space(config),
        _backup(config, now),
    ]


def _database(engine: Engine) -> Check:
    try:
        found = hub_id(engine)
    except NotReady as error:
        return Check("database", False, error.detail, "Run `hub init`, or set HUB_DATABASE_URL.")
    return Check("database", True, f"{engine.dialect.name}, hub {found}")


def _durability(engine: Engine) -> Check:
    try:
        with reading(engine) as conn:
            weak = [setting for setting, well in durability(conn).items() if not well]
    except SQLAlchemyError as error:
        return Check("durability", False, type(error).__name__, "See the check of the database.")
    if weak:
        return Check("durability", False, ", ".join(weak), "A commit must reach the disk: switch these back on.")
    return Check("durability", True, "a commit is on the disk before a kiosk hears of it")


def _out_of_place(engine: Engine) -> Check:
    name = "check-ins that belong nowhere"
    try:
        with reading(engine) as conn:
            found = sum(attendance.out_of_place(conn, each) for each, _ in institutions.all_ids(conn))
    except SQLAlchemyError as error:
        return Check(name, False, type(error).__name__, "See the check of the database.")
    way_out = (
        "They are kept byte for byte: unreadable ones, unknown sessions, two contents under one id. Keep the kiosk."
    )
    return Check(name, found == 0, str(found), "" if found == 0 else way_out)


def _secret(config: Config) -> Check:
    try:
        checked_secret(config)
    except NotReady as error:
        return Check("secret key", False, "missing, well known or short", error.detail)
    return Check("secret key", True, "present")


def _certificates(config: Config) -> Check:
    name, folder = "certificates", config.tls_folder
    if not tls.is_there(folder):
        return Check(name, True, "none of the hub's own; `hub tls make` makes them")
    try:
        found = tls.look(folder)
    except NotReady as error:
        return Check(name, False, "not whole", error.detail)
    if not config.url.startswith("https:"):
        return Check(name, False, f"HUB_URL is {config.url}", "Set HUB_URL to the address with https://.")
    if not tls.covers(found.hosts, config.url):
        return Check(
            name, False, f"they are not for {config.url}", "`hub tls make --renew`, then start `hub serve` again."
        )
    return Check(name, True, f"for {', '.join(found.hosts)}")


def _folder(config: Config) -> Check:
    if not config.data_dir.is_dir():
        return Check("data folder", False, f"{config.data_dir} is missing", "Run `hub init`, or set HUB_DATA_DIR.")
    if config.data_dir.stat().st_mode & 0o077:
        return Check("data folder", False, "others on this machine can read it", f"chmod 700 {config.data_dir}")
    writable = os.access(config.data_dir, os.W_OK)
    return Check(
        "data folder", writable, str(config.data_dir), "" if writable else "Give this user the right to write."
    )


def _space(config: Config) -> Check:
    there = next(path for path in (config.data_dir, *config.data_dir.parents) if path.exists())
    free = shutil.disk_usage(there).free
    return Check("disk space", free >= LEAST_FREE_BYTES, f"{free // 1024**2:,} MiB free", "Make room on this disk.")


def _backup(config: Config, now: datetime) -> Check:
    last = last_backup.read(config.data_dir)
    if last is None:
        # Somebody else may look after that, with tools of their own.
        return Check("backup", True, "none was made with `hub backup FILE` yet")
    found = f"{last.at:%Y-%m-%d %H:%M} UTC, {last.file}"
    if now - last.at > OLDEST_BACKUP:
        return Check("backup", False, found, f"It is older than a day: `hub backup --force {last.file}`")
    return Check("backup", True, found)
