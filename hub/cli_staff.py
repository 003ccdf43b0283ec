"""The commands about who may sign in: `hub staff ...`, and what `hub init` asks about its first admin."""

from pathlib import Path

import click

from hub import create_app
from hub.actions import staff as actions
from hub.cli_context import (
    Context,
    emit,
    honest,
    institution_option,
    json_option,
    local,
    now,
    operator,
    pass_context,
    secret_in,
)
from hub.errors import HubRefused
from hub.rules.roles import ROLES
from sync.errors import Unreadable
from sync.identifiers import read_email

SHORTEST_PASSWORD = 8

password_option = click.option(
    "--password-file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)


@click.group("staff")
def group() -> None:
    """Who may sign in at the hub, and what they may do."""


@group.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(list(ROLES)), help="What they may do: docs/exports.md.")
@password_option
@institution_option
@json_option
@pass_context
@honest
def add(ctx: Context, email: str, role: str, password_file: Path, institution: str | None, as_json: bool) -> None:
    """Let somebody sign in, for the first time or again.

    \b
    hub staff add bo@example.edu --role event_staff --password-file password.txt
    """
    from flask_security import hash_password

    address, password = staff_address(email), new_password(password_file)
    institution_id = ctx.institution_id(institution)
    with create_app(ctx.config, ctx.engine).app_context():
        password_hash = hash_password(password)
    actions.add(ctx.engine, institution_id, address, password_hash, role, operator(), now())
    emit(as_json, {"email": address, "role": role}, f"{address} may sign in, as {role}.")


@group.command("list")
@institution_option
@json_option
@pass_context
@honest
def list_staff(ctx: Context, institution: str | None, as_json: bool) -> None:
    """Everybody who may sign in, or once did."""
    found = actions.everyone(ctx.engine, ctx.institution_id(institution))
    emit(
        as_json,
        {
            "staff": [
                {"email": each.email, "role": each.role, "active": each.active, "since": each.since} for each in found
            ]
        },
        "\n".join(
            f"{each.email}  {each.role}" + (f"  since {local(ctx, each.since)}" if each.active else "  REMOVED")
            for each in found
        ),
    )


@group.command("remove")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@institution_option
@json_option
@pass_context
@honest
def remove(ctx: Context, email: str, yes: bool, institution: str | None, as_json: bool) -> None:
    """Let somebody sign in no more. What they did stays in the audit log."""
    institution_id = ctx.institution_id(institution)
    if not yes:
        click.confirm(f"{email} will be signed out and may not sign in any more. Go on?", abort=True, err=True)
    actions.remove(ctx.engine, institution_id, email, operator(), now())
    emit(as_json, {"removed": email}, f"{email} may not sign in any more.")


def staff_address(text: str) -> str:
    """An address to sign in with. Raises `HubRefused`."""
    try:
        return read_email(text).typed
    except Unreadable as error:
        raise HubRefused(f"This is not an address: {text!r}. Example: ada@example.edu") from error


def new_password(file: Path) -> str:
    """What a file holds. Raises `HubRefused` when it is too short."""
    password = secret_in(file, "password_file")
    if len(password) < SHORTEST_PASSWORD:
        raise HubRefused(f"The password in {file} is too short: {SHORTEST_PASSWORD} characters or more.")
    return password
