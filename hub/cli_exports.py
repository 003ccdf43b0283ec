"""Files out: `hub export ...`."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast
from uuid import UUID

import click

from hub.actions.exports import Export, attendees, students, whole_event, words
from hub.actions.exports.attendees import Written
from hub.actions.exports.placing import new_file, new_folder
from hub.actions.exports.words import Language
from hub.cli_context import Context, emit, honest, institution_option, json_option, now, operator, pass_context
from hub.writers.csv_file import DELIMITERS

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A file, instead of stdout."
)
force_option = click.option("--force", is_flag=True, help="Put it in the place of a file that is there already.")
delimiter_option = click.option(
    "--delimiter", type=click.Choice(list(DELIMITERS)), default="comma", show_default=True, help="Of CSV files."
)
language_option = click.option(
    "--language", type=click.Choice(["en", "fr"]), help="Of headers and words. Default: HUB_LANGUAGE, else en."
)


def format_option(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """--format, one of these."""
    return click.option("--format", type=click.Choice(formats), help="Default: what FILE is called, else csv.")


@click.group("export")
def group() -> None:
    """Files out. Each export is in the audit log."""


@group.command("attendees")
@click.argument("event_id", type=click.UUID)
@format_option("handshake", "csv", "xlsx")
@output_option
@force_option
@delimiter_option
@language_option
@institution_option
@json_option
@pass_context
@honest
def export_attendees(
    ctx: Context,
    event_id: UUID,
    format: attendees.Format | None,
    output: Path | None,
    force: bool,
    delimiter: str,
    language: Language | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Who was registered for an event and who came: for Handshake, as CSV or as a workbook.

    \b
    hub export attendees EVENT_ID --format handshake -o attendees.csv
    """
    format = format or _named(output)
    _check_output(format, output, as_json)
    export = _export(ctx, institution, language)
    with _output(export, output, force) as file:
        written = attendees.write(export, event_id, format, file, DELIMITERS[delimiter])
    _tell(as_json, output, written, f"{written.rows:,} rows", event_id=event_id)


@group.command("students")
@format_option("csv", "xlsx")
@output_option
@force_option
@delimiter_option
@language_option
@institution_option
@json_option
@pass_context
@honest
def export_students(
    ctx: Context,
    format: students.Format | None,
    output: Path | None,
    force: bool,
    delimiter: str,
    language: Language | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """All students, in the columns of the student file: importing it again changes nothing."""
    format = format or _named(output)
    _check_output(format, output, as_json)
    export = _export(ctx, institution, language)
    with _output(export, output, force) as file:
        written = students.write(export, format, file, DELIMITERS[delimiter])
    _tell(as_json, output, written, f"{written.rows:,} students")


@group.command("event")
@click.argument("event_id", type=click.UUID)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="A new one.")
@delimiter_option
@language_option
@institution_option
@json_option
@pass_context
@honest
def export_event(
    ctx: Context,
    event_id: UUID,
    output: Path,
    delimiter: str,
    language: Language | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """A whole event as a folder of files: its sessions, counts, attendees in every format, and what each file is."""
    export = _export(ctx, institution, language)
    with new_folder(output) as folder:
        written = whole_event.write_folder(export, event_id, folder, DELIMITERS[delimiter])
    _tell(as_json, output, written, f"the whole event, {written.rows:,} rows of attendees", event_id=event_id)


def _named(output: Path | None) -> Literal["csv", "xlsx"]:
    return "xlsx" if output is not None and output.suffix.lower() == ".xlsx" else "csv"


def _check_output(format: str, output: Path | None, as_json: bool) -> None:
    if output is None and as_json:
        raise click.UsageError("--json answers on stdout, so the export needs a file: say -o FILE.")
    if output is None and format == "xlsx":
        raise click.UsageError("A workbook is not for a terminal: say -o FILE.")


def _export(ctx: Context, institution: str | None, language: Language | None) -> Export:
    return Export(
        engine=ctx.engine,
        institution_id=ctx.institution_id(institution),
        who=operator(),
        now=now(),
        language=language or cast(Language, ctx.config.language or "en"),
        zone=ctx.config.time_zone,
        folder=ctx.config.data_dir,
    )


@contextmanager
def _output(export: Export, output: Path | None, force: bool) -> Iterator[Path]:
    """Where to write; on stdout it is when all of it is there."""
    if output is not None:
        with new_file(output, force=force) as file:
            yield file
        return
    with export.scratch() as scratch:
        yield scratch / "export"
        written = (scratch / "export").open("rb")
    with written:
        shutil.copyfileobj(written, sys.stdout.buffer)


def _tell(as_json: bool, output: Path | None, written: Written, what: str, **about: object) -> None:
    if written.waiting:
        _note(f"{words.waiting(written.waiting, 'en')} `hub parked list` shows what to decide.")
    if written.left_out:
        _note(f"{written.left_out:,} rows are left out: these people have no school address.")
    if not written.known_elsewhere:
        _note("Some ids in it are our own. `hub events set SESSION_ID --external-id X` says what Handshake calls it.")
    emit(
        as_json,
        {"file": None if output is None else str(output), "rows": written.rows, "waiting": written.waiting, **about},
        f"{output or 'stdout'}: {what}. It holds names and addresses.",
    )


def _note(said: str) -> None:
    click.echo(f"hub: {said}", err=True)
