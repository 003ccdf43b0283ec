"""The commands about students: `hub import students` and `hub students ...`."""

from pathlib import Path

import click
import msgspec

from hub.actions import merging
from hub.actions import students as acting
from hub.actions.imports import Chosen
from hub.actions.students import ShownStudent
from hub.cli_context import Context, emit, honest, institution_option, json_option, now, pass_context
from hub.cli_files import carry, how, read_options, said
from hub.rules.student_file.known import MatchBy


@click.command("students")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--identifier-changes", is_flag=True, help="Rows may change a username or auth_identifier.")
@click.option(
    "--sync", is_flag=True, help="A nightly file, in UTF-8: no address changes when a tenth of the rows has one."
)
@click.option(
    "--match-by",
    type=click.Choice(["username", "email_address"]),
    default="username",
    show_default=True,
    help="What tells which student a row is about.",
)
@read_options
@institution_option
@json_option
@pass_context
@honest
def import_students(
    ctx: Context,
    file: Path,
    dry_run: bool,
    identifier_changes: bool,
    sync: bool,
    match_by: MatchBy,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Create and update students from a CSV file or a workbook.

    \b
    hub import students 20261121_users.csv --dry-run
    """
    if sync and identifier_changes:
        raise click.UsageError("--sync and --identifier-changes exclude each other: identifiers change by hand only.")
    if sync and encoding is not None:
        raise click.UsageError("--sync and --encoding exclude each other: a nightly file is in UTF-8.")
    chosen = Chosen(
        how=how(encoding, delimiter, sheet),
        sees_students=True,
        identifier_changes=identifier_changes,
        sync=sync,
        match_by=match_by,
    )
    result = carry(ctx, institution, "students", None, file, chosen, dry_run)
    emit(as_json, result, said(result, dry_run))


@click.group("students")
def students() -> None:
    """One student at a time."""


@students.command("show")
@click.argument("username")
@institution_option
@json_option
@pass_context
@honest
def show(ctx: Context, username: str, institution: str | None, as_json: bool) -> None:
    """A student with all addresses."""
    student = acting.show(ctx.engine, ctx.institution_id(institution), username)
    emit(as_json, student, _text(student))


@students.command("add-email")
@click.argument("username")
@click.argument("address")
@click.option("--confirmed", is_flag=True, help="You made sure that it is theirs: it counts from now on.")
@institution_option
@json_option
@pass_context
@honest
def add_email(
    ctx: Context, username: str, address: str, confirmed: bool, institution: str | None, as_json: bool
) -> None:
    """Give a student one more address; it identifies nobody before it is confirmed."""
    student = acting.add_email(ctx.engine, ctx.institution_id(institution), username, address, confirmed, now())
    emit(as_json, student, _text(student))


@students.command("remove-email")
@click.argument("username")
@click.argument("address")
@institution_option
@json_option
@pass_context
@honest
def remove_email(ctx: Context, username: str, address: str, institution: str | None, as_json: bool) -> None:
    """Take an address from a student; kiosks stop knowing it with their next exchange."""
    removed = acting.remove_email(ctx.engine, ctx.institution_id(institution), username, address, now())
    warnings = [] if removed.warning is None else [removed.warning]
    if warnings:
        click.echo(
            "hub: This address came by file. Correct the sync file, or the next import brings it back; or leave the "
            f"student out of syncs: hub students exclude-from-sync {username}",
            err=True,
        )
    emit(as_json, msgspec.to_builtins(removed.student) | {"warnings": warnings}, _text(removed.student))


@students.command("exclude-from-sync")
@click.argument("username")
@click.option("--no", "included", is_flag=True, help="Let such files change them again.")
@institution_option
@json_option
@pass_context
@honest
def exclude_from_sync(ctx: Context, username: str, included: bool, institution: str | None, as_json: bool) -> None:
    """Let no nightly file (`hub import students --sync`) change a student, who is then changed by hand."""
    student = acting.exclude_from_sync(ctx.engine, ctx.institution_id(institution), username, not included, now())
    emit(as_json, student, _text(student))


@students.command("merge")
@click.argument("username")
@click.argument("into")
@click.option("--yes", is_flag=True, help="Do not ask: this cannot be taken back.")
@institution_option
@json_option
@pass_context
@honest
def merge(ctx: Context, username: str, into: str, yes: bool, institution: str | None, as_json: bool) -> None:
    """Make USERNAME and INTO one student, who keeps the name INTO and has what both had."""
    institution_id = ctx.institution_id(institution)
    if not yes:
        click.confirm(f"{username} will be gone, and everything theirs will be {into}'s. Go on?", abort=True, err=True)
    merging.merge(ctx.engine, institution_id, username, into, now())
    student = acting.show(ctx.engine, institution_id, into)
    emit(as_json, student, _text(student))


def _text(student: ShownStudent) -> str:
    marks = ["  ARCHIVED"] if student.disabled else []
    marks += ["  EXCLUDED FROM SYNC"] if student.excluded_from_sync else []
    lines = [student.username + "".join(marks)]
    for each in student.emails:
        marks = [each.kind, each.state, *(["main"] if each.main else [])]
        marks += ["preferred"] if each.address == student.preferred_email else []
        lines.append(f"  {each.address}  ({', '.join(marks)})")
    return "\n".join(lines)
