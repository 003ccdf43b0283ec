"""What the commands that import a file share: how to read it, the way in, and what it came to."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

from hub.actions.imports import Chosen, ImportResult, Warned, carrying_out, jobs
from hub.actions.imports.place import KEPT_FOR
from hub.cli_context import Context, now, operator, part_told
from hub.cli_imports import place
from hub.readers import ENCODINGS, How
from hub.store.imports import Kind

FAILED_ROWS = "failed-rows"
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


def _text(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    # A command line may hold any bytes, and no sheet is called by them.
    if value is not None and not value.isprintable():
        raise click.BadParameter("This is no name of a sheet.")
    return value


def read_options(command: Callable[..., None]) -> Callable[..., None]:
    """--encoding, --delimiter and --sheet, for `how`."""
    for option in reversed(
        (
            click.option(
                "--encoding", type=click.Choice(ENCODINGS), help="How its letters are written; else found out."
            ),
            click.option(
                "--delimiter", type=click.Choice(list(_DELIMITERS)), help="Between its cells; else found out."
            ),
            click.option("--sheet", metavar="NAME", callback=_text, help="Which sheet of a workbook; else the first."),
        )
    ):
        command = option(command)
    return command


def how(encoding: str | None, delimiter: str | None, sheet: str | None) -> How:
    """What `read_options` were given."""
    return How(encoding=encoding, delimiter=None if delimiter is None else _DELIMITERS[delimiter], sheet=sheet)


def carry(
    ctx: Context,
    institution: str | None,
    kind: Kind,
    session_id: UUID | None,
    file: Path,
    chosen: Chosen,
    dry_run: bool,
) -> ImportResult:
    """Import a file, or say what would happen. Raises `UnreadableFile` or `HubRefused`."""
    where, failed_dir = place(ctx, institution), ctx.config.data_dir / FAILED_ROWS
    jobs.tidy(where, now())
    _forget_files(failed_dir, now() - KEPT_FOR)
    with part_told() as told:
        if dry_run:
            return carrying_out.try_file(where, kind, session_id, file, chosen, now(), told, failed_dir).result
        return carrying_out.import_file(where, kind, session_id, file, chosen, operator(), now, told).result


def _forget_files(folder: Path, then: datetime) -> None:
    """Let go of files that were written before."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.stat().st_mtime < then.timestamp():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def said(result: ImportResult, dry_run: bool) -> str:
    """What a file came to, for people."""
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
    rows = f"{warned.rows or 0:,} rows"
    match warned.code:
        case "unknown_header":
            meant = f" Did you mean {warned.did_you_mean}?" if warned.did_you_mean else ""
            return f"Column {warned.header!r} is not known and was ignored.{meant}"
        case "header_taken_for":
            return f"Column {warned.header!r} was taken for {warned.did_you_mean}."
        case "encoding_guessed":
            return f"The file was read as {warned.encoding}, which is a guess. Look at the accents; --encoding decides."
        case "foreign_domain":
            return f"{rows} skipped: {warned.domain} is a domain of another institution."
        case "repeated_in_file":
            return f"{rows} skipped: they repeat an earlier row of the file."
        case "excluded_from_sync":
            return f"{rows} skipped: these students are excluded from automatic syncs."
        case "recently_freed":
            return f"{rows} give a student an address that was somebody else's until lately. See that it is right."
        case "not_begun":
            return f"{rows} say that somebody came to a session that has not begun. Is it the right one?"
    return (
        f"{rows} change email_address, a tenth of the file or more: no address was changed. "
        "If they are right, import the file without --sync."
    )
