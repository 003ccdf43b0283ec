"""The command that brings attendees in: `hub import attendees`."""

from pathlib import Path

import click

from hub.actions.imports import Chosen, attendees
from hub.cli_context import Context, emit, honest, institution_option, json_option, pass_context
from hub.cli_files import carry, how, read_options, said
from hub.rules.attendee_file.columns import JustAddresses


@click.command("attendees")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--event", metavar="ID", help="All of them are of this event, by our id or its external one.")
@click.option("--session", metavar="ID", help="All of them are of this session, by our id or its external one.")
@click.option(
    "--as",
    "just_addresses",
    type=click.Choice(["checked_in", "registered"]),
    help="What they are whom a file lists that has no column for it.",
)
@read_options
@institution_option
@json_option
@pass_context
@honest
def import_attendees(
    ctx: Context,
    file: Path,
    dry_run: bool,
    event: str | None,
    session: str | None,
    just_addresses: JustAddresses | None,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Add who registered for a past event or fair, and who came, by school address.

    \b
    hub import attendees attendees.csv --dry-run
    hub import attendees addresses.csv --session 4711 --as checked_in
    """
    if event is not None and session is not None:
        raise click.UsageError("--event and --session exclude each other: a session belongs to its event.")
    institution_id = ctx.institution_id(institution)
    session_id = None
    if event is not None:
        session_id = attendees.only_session(ctx.engine, institution_id, event)
    elif session is not None:
        session_id = attendees.session_called(ctx.engine, institution_id, session)
    chosen = Chosen(how=how(encoding, delimiter, sheet), sees_students=True, just_addresses=just_addresses)
    result = carry(ctx, institution, "attendees", session_id, file, chosen, dry_run)
    emit(as_json, result, said(result, dry_run))
