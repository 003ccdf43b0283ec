"""The commands about the whole hub: `hub backup`, `hub restore`, `hub copy-to`."""

import sys
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError

from hub import tls
from hub.actions import backups, last_backup, moving
from hub.actions.backups import Contents
from hub.actions.moving import Restored
from hub.actions.set_up import make_data_dir
from hub.cli_context import Context, emit, honest, json_option, now, pass_context, rows_told
from hub.config import SECRET_FILE
from hub.database import connect
from hub.errors import HubRefused

_COUNTED = ("institutions", "students", "facts", "streams")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Put it in the place of a file that is there already.")
@json_option
@pass_context
@honest
def backup(ctx: Context, file: Path, force: bool, as_json: bool) -> None:
    """Keep the whole hub as one SQLite file, whatever its database is, and read that again. Kiosks and staff go on
    meanwhile.

    \b
    hub backup /media/stick/hub-2026-11-21.sqlite
    """
    with rows_told() as told:
        found = backups.backup(ctx.engine, file, told, force=force)
    last_backup.keep(ctx.config.data_dir, file, now())
    emit(
        as_json,
        {"file": str(file)} | _counts(found) | {"verified": True},
        f"{file} holds {_said(found)}, and was read again from end to end.\n"
        "It holds names and addresses: keep it where nobody else can read it. Without the secret key in\n"
        f"{ctx.config.data_dir / SECRET_FILE} nobody can sign in to a hub that was restored elsewhere: keep that too."
        + _and_certificates(ctx),
    )


def _and_certificates(ctx: Context) -> str:
    folder = ctx.config.tls_folder
    return f"\nAnd {folder}: without it every kiosk has to be enrolled again." if tls.is_there(folder) else ""


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask whether this is meant.")
@json_option
@pass_context
@honest
def restore(ctx: Context, file: Path, yes: bool, as_json: bool) -> None:
    """Put a backup in the place of what the hub holds now, which is kept. No hub may be serving.

    \b
    hub restore /media/stick/hub-2026-11-21.sqlite
    """
    moving.check(file)
    _make_sure(yes, f"Put {file} in the place of what {_shown(ctx.engine)} holds now?")
    make_data_dir(ctx.config.data_dir)
    with rows_told() as told:
        done = moving.restore(ctx.engine, file, ctx.config.data_dir, now(), told)
    emit(
        as_json,
        {"file": str(file)}
        | _counts(done.contents)
        | {
            "kept": None if done.kept is None else str(done.kept),
            "unknown_kiosks": [{"id": each.id, "name": each.name} for each in done.unknown],
            "no_longer_revoked": [{"id": each.id, "name": each.name} for each in done.back],
        },
        _restored(ctx, done),
    )


@click.command("copy-to")
@click.argument("url")
@json_option
@pass_context
@honest
def copy_to(ctx: Context, url: str, as_json: bool) -> None:
    """Copy the whole hub into an empty database, SQLite or PostgreSQL. No hub may be serving.

    \b
    hub copy-to postgresql://hub@localhost/hub
    hub copy-to sqlite:////srv/hub/hub.sqlite
    """
    target = _target(url)
    try:
        with rows_told() as told:
            found = moving.copy_to(ctx.engine, target, told)
    finally:
        target.dispose()
    emit(
        as_json,
        {"url": _shown(target)} | _counts(found) | {"verified": True},
        f"{_shown(target)} holds {_said(found)}.\n"
        "Next: set HUB_DATABASE_URL to it, and start `hub serve`. Kiosks go on without noticing.\n"
        "Never serve the old database again: kiosks would tell it what this one does not hear.",
    )


def _target(url: str) -> Engine:
    try:
        return connect(url)
    except (ArgumentError, ValueError, ModuleNotFoundError) as error:
        raise HubRefused(f"This is no database the hub can use: {error}") from error


def _make_sure(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Say --yes if this is meant; there is no terminal to ask at.")
    click.confirm(question, abort=True, err=True)


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _counts(found: Contents) -> dict[str, object]:
    return {name: found.rows[name] for name in _COUNTED}


def _said(found: Contents) -> str:
    numbers = ((name, found.rows[name]) for name in _COUNTED)
    return ", ".join(f"{number:,} {name if number != 1 else name.removesuffix('s')}" for name, number in numbers)


def _restored(ctx: Context, done: Restored) -> str:
    lines = [f"The hub holds {_said(done.contents)}."]
    if done.kept is not None:
        lines.append(f"What was there before is in {done.kept}; `hub restore` of that file takes this back.")
    if done.unknown:
        lines.append(f"Not members any more, enrol them again: {', '.join(each.name for each in done.unknown)}.")
    if done.back:
        them = ", ".join(f"{each.name} {each.id}" for each in done.back)
        lines.append(f"NO LONGER CUT OFF, revoke them again: {them}.")
    lines.append(
        "What the office did after this backup was made is not in it: look at `hub kiosks list` for kiosks that were\n"
        "enrolled or cut off since. Check-ins made since come back by themselves, from the kiosks."
    )
    if ctx.config.secret is None:
        lines.append(
            "This folder had no secret key. Passwords work only with the one they were made with: put it into\n"
            f"{ctx.config.data_dir / SECRET_FILE}, or set HUB_SECRET_KEY."
        )
    return "\n".join(lines)
