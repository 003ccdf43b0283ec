"""Put a hub back from a file, or move it into another database."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils.compat import uuid4

from hub import database, migrations, schema
from hub.actions import backups, readiness
from hub.actions.backups import BESIDE, Contents, part_of, put_in_place, write_out
from hub.database import (
    Told,
    alone,
    copy_all,
    copy_file,
    file_of,
    filling,
    is_blank,
    reading,
    to_itself,
    unchanging,
    writing,
)
from hub.errors import HubRefused, NotWritten, UnreadableFile
from hub.store import contents, institutions, kiosks
from hub.store.contents import Member
from sync.seals import new_key

_EARLY = datetime(2020, 1, 1, tzinfo=UTC)
"""Before any hub: seconds since then grow faster than anybody assigns kiosks, and fit where assignments are kept."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What the hub holds now. `kept`: where that lies which was there before, if anything was.

    `unknown`: kiosks that were members before, and are not any more. `back`: those that had been cut off, and no longer
    are.
    """

    contents: Contents
    kept: Path | None
    unknown: tuple[Member, ...] = ()
    back: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class _Before:
    """What was there. A database that cannot be read has no hub and no kiosks."""

    there: bool
    hub_id: UUID | None = None
    kiosks: tuple[Member, ...] = ()


def restore(engine: Engine, file: Path, data_dir: Path, now: datetime, told: Told | None = None) -> Restored:
    """Put what a backup holds in the place of what is there, which is kept beside it (in `data_dir`, if that is a
    server's), and let every kiosk load its roster afresh.

    Raises `InUse` while a hub serves, `UnreadableFile` for what is no sound backup, `HubRefused` for another hub's, and
    `NotWritten`; then nothing was changed.
    """
    check(file)
    _check_pages(file)
    place = file_of(engine)
    folder = data_dir if place is None else place.parent
    with alone(engine), part_of((place or folder / "hub.sqlite").with_suffix(".restored")) as part:
        copy_file(unchanging(file), part)
        found, members = _made_ready(part, now)
        before = _what_is_there(engine)
        if before.hub_id not in (None, found.hub_id):
            raise HubRefused(
                f"This is a backup of hub {found.hub_id}, and the database is that of hub {before.hub_id}. "
                "Set HUB_DATABASE_URL to an empty database."
            )
        kept = _kept_as(folder, "hub" if place is None else place.stem, now) if before.there else None
        if place is None:
            _replace_rows(engine, part, kept, told)
        else:
            _replace_file(engine, place, part, kept)
    return Restored(found, kept, *_changed(before.kiosks, members))


def copy_to(engine: Engine, target: Engine, told: Told | None = None) -> Contents:
    """The whole hub into an empty database of either kind, in one transaction, and looked through there.

    Raises `NotReady`, `InUse` while a hub serves either of them, and `HubRefused` when the target is not empty; then
    nothing was copied.
    """
    readiness.hub_id(engine)
    if _where(engine) == _where(target):
        raise HubRefused("This is the hub's own database. Name an empty one.")
    with ExitStack() as held:
        held.enter_context(alone(engine))
        held.enter_context(alone(target))
        source = held.enter_context(reading(engine))
        conn = held.enter_context(writing(target))
        if not is_blank(conn):
            raise HubRefused("There is something in that database already. Name an empty one; nothing was copied.")
        migrations.upgrade_within(conn)
        return _fill(source, conn, told)


def check(file: Path) -> None:
    """Raises `UnreadableFile` for what is no backup of this version of the hub or an earlier one."""
    if not file.is_file():
        raise UnreadableFile("no_file", f"There is no file {file}.")
    try:
        engine = unchanging(file)
        if not migrations.has_shape(engine):
            raise UnreadableFile("no_backup", f"{file} is no backup of a hub.")
        if not migrations.is_known(engine):
            raise UnreadableFile("too_new", f"{file} was made by a newer version of the hub. Update this one first.")
    except SQLAlchemyError as error:
        raise UnreadableFile("no_backup", f"{file} is no backup of a hub, or damaged. Use another one.") from error


def _check_pages(file: Path) -> None:
    try:
        with reading(unchanging(file)) as conn:
            found = database.damage(conn)
    except SQLAlchemyError as error:
        found = str(error.__cause__)
    if found is not None:
        raise UnreadableFile("damaged", f"{file} is damaged ({found}). Nothing was changed. Use another backup.")


def _made_ready(part: Path, now: datetime) -> tuple[Contents, list[Member]]:
    try:
        with filling(part) as engine:
            migrations.upgrade(engine)
            with writing(engine) as conn:
                found = backups.examine(conn)
                _begin_anew(conn)
                kiosks.forget_assignments(conn, int((now - _EARLY).total_seconds()))
                return found, contents.members(conn)
    except backups.Unsound as error:
        raise UnreadableFile("damaged", f"{error.detail} Nothing was changed. Use another backup.") from error


def _begin_anew(conn: Connection) -> None:
    # Positions are given out a second time, and no nonce may meet two texts under one key (ADR 19).
    for institution_id, _ in institutions.all_ids(conn):
        desk = institutions.lock(conn, institution_id).desk
        desk = desk and replace(desk, directory_key=new_key())
        institutions.rotate(conn, institution_id, uuid4(), new_key(), desk)


def _what_is_there(engine: Engine) -> _Before:
    place = file_of(engine)
    if place is not None and not (place.exists() and place.stat().st_size):
        return _Before(there=False)
    try:
        if place is None and not migrations.has_shape(engine):
            return _Before(there=False)
        with reading(engine) as conn:
            return _Before(True, institutions.hub_id(conn), tuple(contents.members(conn)))
    except SQLAlchemyError:
        if place is None:
            raise
        return _Before(there=True)
    finally:
        engine.dispose()


def _kept_as(folder: Path, stem: str, now: datetime) -> Path:
    moment = f"{now:%Y%m%dT%H%M%S}Z"
    names = (f"{stem}.before-restore-{moment}{f'-{again}' if again > 1 else ''}.sqlite" for again in count(1))
    return next(path for path in map(folder.joinpath, names) if not path.exists())


def _replace_file(engine: Engine, place: Path, part: Path, kept: Path | None) -> None:
    engine.dispose()
    if kept is None:
        put_in_place(part, place)
        return
    with to_itself(place):
        _name_too(place, kept)
        try:
            _take_along_what_is_beside(place, kept)
            put_in_place(part, place)
        except OSError:
            _take_name_back(place, kept)
            raise


def _name_too(place: Path, kept: Path) -> None:
    try:
        # With two names it never has none, whenever the power fails.
        os.link(place, kept)
    except OSError:
        # Some file systems know no second names.
        place.replace(kept)


def _take_name_back(place: Path, kept: Path) -> None:
    # Where both are names of one file, this does nothing.
    kept.replace(place)
    kept.unlink(missing_ok=True)


def _take_along_what_is_beside(place: Path, kept: Path) -> None:
    """What a database left beside it belongs to it: without, it might not be read again; beside another one, it would
    be taken for that one's."""
    for suffix in filter(None, BESIDE):
        beside = place.with_name(place.name + suffix)
        if beside.exists() and beside.stat().st_size:
            beside.replace(kept.with_name(kept.name + suffix))
        else:
            beside.unlink(missing_ok=True)


def _replace_rows(engine: Engine, part: Path, kept: Path | None, told: Told | None = None) -> None:
    if migrations.has_shape(engine) and not migrations.is_known(engine):
        raise HubRefused("The database was used by a newer version of the hub. Update this one first.")
    migrations.upgrade(engine)
    with writing(engine) as conn, reading(unchanging(part)) as source:
        database.keep_everybody_out(conn)
        if kept is not None:
            with part_of(kept) as before:
                write_out(conn, before, told)
                put_in_place(before, kept)
        database.clear(conn)
        _fill(source, conn, told)


def _fill(source: Connection, target: Connection, told: Told | None = None) -> Contents:
    expected = contents.rows(source)
    copy_all(source, target, told)
    found = backups.examine(target)
    if found.rows != expected:
        raise NotWritten("Not every row arrived. Nothing was changed.")
    database.take_stock(target, *schema.metadata.sorted_tables)
    return found


def _changed(before: Sequence[Member], after: Sequence[Member]) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    now = {each.id: each for each in after}
    unknown = tuple(each for each in before if each.id not in now and each.revoked_at is None)
    back = tuple(each for each in before if each.id in now and each.revoked_at and not now[each.id].revoked_at)
    return unknown, back


def _where(engine: Engine) -> object:
    place = file_of(engine)
    return engine.url if place is None else place.absolute()
