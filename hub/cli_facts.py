"""`hub import facts`: check-ins that came on a stick."""

from pathlib import Path
from uuid import UUID

import click

from hub.actions import import_facts as importing
from hub.actions.import_facts import Imported
from hub.cli_context import Context, emit, honest, json_option, now, pass_context, rows_told


@click.command("facts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kiosk", "kiosk_id", type=click.UUID, metavar="ID", help="File them under this kiosk instead.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@json_option
@pass_context
@honest
def import_facts(ctx: Context, file: Path, kiosk_id: UUID | None, dry_run: bool, as_json: bool) -> None:
    """Take check-ins that `kiosk export` has put into a file. What comes twice, or over the network too, counts once.

    \b
    hub import facts /media/stick/front-door.facts
    """
    with rows_told() as told:
        done = importing.import_facts(ctx.engine, file, kiosk_id, now(), told, dry_run=dry_run)
    emit(as_json, done, _said(done, dry_run))


def _said(done: Imported, dry_run: bool) -> str:
    counts = f"{done.facts:,} facts: {done.new:,} new, {done.known:,} known already"
    lines = [("Nothing was changed; this file would come to: " if dry_run else "") + counts]
    if done.parked:
        lines.append(f"{done.parked:,} of the new ones wait for a decision, as they would have over the network.")
    if done.set_aside:
        lines.append(f"{done.set_aside:,} of the new ones cannot be read. They are kept byte for byte.")
    return "\n".join(lines)
