"""The commands about students: `hub import students` and `hub students ...`."""

from pathlib import Path

import click
import msgspec

from hub.actions import import_students as importing
from hub.actions import merging
from hub.actions import students as acting
from hub.actions.import_students import ImportOptions, ImportResult, Warned
from hub.actions.students import ShownStudent
from hub.cli_context import Context, emit, honest, institution_option, json_option, now, pass_context, rows_told

FAILED_ROWS = "failed-rows"


@click.command("students")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--identifier-changes", is_flag=True, help="Rows may change the auth_identifier of a student.")
@click.option("--sync", is_flag=True, help="A nightly file: no address changes when a tenth of the rows has one.")
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
    institution: str | None,
    as_json: bool,
) -> None:
    """Create and update students by username from a CSV file.

    \b
    hub import students 20261121_users.csv --dry-run
    """
    if sync and identifier_changes:
        raise click.UsageError("--sync and --identifier-changes exclude each other: identifiers change by hand only.")
    options = ImportOptions(dry_run=dry_run, identifier_changes=identifier_changes, sync=sync)
    institution_id = ctx.institution_id(institution)
    failed_dir = ctx.config.data_dir / FAILED_ROWS
    with rows_told() as progress:
        result = importing.import_students(ctx.engine, institution_id, file, options, now(), failed_dir, progress)
    emit(as_json, result, _said(result, dry_run))


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
            "hub: This address came by file. Correct the sync file, or the next import brings it back.", err=True
        )
    emit(as_json, msgspec.to_builtins(removed.student) | {"warnings": warnings}, _text(removed.student))


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


def _said(result: ImportResult, dry_run: bool) -> str:
    counts = (
        f"{result.rows:,} rows: {result.created:,} created, {result.updated:,} updated, "
        f"{result.unchanged:,} unchanged, {result.skipped:,} skipped, {result.failed:,} failed"
    )
    lines = [("Nothing was changed; this file would come to: " if dry_run else "") + counts]
    lines += [_warning(each) for each in result.warnings]
    if result.failed_rows_file is not None:
        lines.append(f"Rows that were skipped or failed, each with its reason: {result.failed_rows_file}")
    return "\n".join(lines)


def _warning(warned: Warned) -> str:
    match warned.code:
        case "unknown_header":
            meant = f" Did you mean {warned.did_you_mean}?" if warned.did_you_mean else ""
            return f"Column {warned.header!r} is not known and was ignored.{meant}"
        case "foreign_domain":
            return f"{warned.rows:,} rows skipped: {warned.domain} is a domain of another institution."
        case "repeated_in_file":
            return f"{warned.rows:,} rows skipped: they repeat a value that identifies an earlier row of the file."
    return (
        f"{warned.rows:,} rows change email_address, a tenth of the file or more: no address was changed. "
        "If they are right, import the file without --sync."
    )


def _text(student: ShownStudent) -> str:
    lines = [student.username + ("  ARCHIVED" if student.disabled else "")]
    for each in student.emails:
        marks = [each.kind, each.state, *(["main"] if each.main else [])]
        marks += ["preferred"] if each.address == student.preferred_email else []
        lines.append(f"  {each.address}  ({', '.join(marks)})")
    return "\n".join(lines)
