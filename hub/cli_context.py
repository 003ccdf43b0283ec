"""What every command of `hub` shares: settings, database, institution, and the two ways to answer."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, ParamSpec
from uuid import UUID

import click
import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from hub.actions import readiness
from hub.config import Config, read
from hub.database import connect, reading
from hub.errors import NotReady, UnknownInstitution, UnreadableFile
from hub.store import institutions
from sync.errors import CheckinError

_P = ParamSpec("_P")


class Context:
    """The running command's settings and database, opened when first used."""

    @cached_property
    def config(self) -> Config:
        """Raises `NotReady` naming the variable that is wrong."""
        return read(os.environ)

    @cached_property
    def engine(self) -> Engine:
        """Raises `NotReady` when HUB_DATABASE_URL is no database we serve."""
        try:
            return connect(self.config.database_url)
        except (ArgumentError, ValueError, ModuleNotFoundError) as error:
            raise NotReady(f"HUB_DATABASE_URL cannot be used: {error}") from error

    def close(self) -> None:
        """Give the database's connections back, if it was opened."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def institution_id(self, asked: str | None) -> UUID:
        """The institution a command is about: the one asked for, else the only one. Raises `HubRefused`."""
        readiness.hub_id(self.engine)
        with reading(self.engine) as conn:
            there = institutions.all_ids(conn)
        if asked is None and len(there) == 1:
            return there[0][0]
        for institution_id, name in there:
            if asked in (str(institution_id), name):
                return institution_id
        choice = "; ".join(f"{institution_id} ({name})" for institution_id, name in there)
        raise UnknownInstitution(f"Say which institution with --institution: {choice or 'there is none yet'}.")


pass_context = click.make_pass_decorator(Context, ensure=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
institution_option = click.option("--institution", metavar="ID", help="Which one, when the hub holds more than one.")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def operator() -> str:
    """Who runs this command, as the audit log says it."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        # A container may run as a number that nobody gave a name.
        return "command line"


def local(ctx: Context, moment: datetime | None) -> str:
    """A moment for people to read, in the hub's time zone."""
    return "never" if moment is None else f"{moment.astimezone(ctx.config.time_zone):%Y-%m-%d %H:%M}"


def secret_in(file: Path, reason: str) -> str:
    """The one line of a file that is in no history of commands. Raises `UnreadableFile` with this reason."""
    try:
        return file.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(reason, f"{file} cannot be read: {type(error).__name__}.") from error


def emit(as_json: bool, data: object, text: str) -> None:
    """Answer: one JSON object on stdout, or a text for people on stderr."""
    if as_json:
        click.echo(msgspec.json.encode(data).decode())
    else:
        click.echo(text, err=True)


def honest(command: Callable[_P, None]) -> Callable[_P, None]:
    """Turn what is refused into one clear line and its exit code: 2 for unreadable input, else 1."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except UnreadableFile as error:
            _fail(error.detail, 2)
        except CheckinError as error:
            _fail(error.detail or error.code, 1)
        except SQLAlchemyError as error:
            _fail(f"The database said no ({type(error).__name__}). `hub doctor` tells more.", 1)

    return run


@contextmanager
def rows_told() -> Iterator[Callable[[int], None] | None]:
    """Shows on a terminal how many rows are done; None where there is nobody to see it."""
    with part_told() as told:
        yield None if told is None else lambda rows: told(rows, None)


@contextmanager
def part_told() -> Iterator[Callable[[int, float | None], None] | None]:
    """Likewise, and which part of all there is that is, from 0 to 1, where it is known."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=None, rows=0)
        yield lambda rows, part: bar.update(
            task, rows=rows, total=None if part is None else 1.0, completed=0.0 if part is None else part
        )


def _fail(said: str, status: int) -> Any:
    click.echo(f"hub: {said}", err=True)
    sys.exit(status)
