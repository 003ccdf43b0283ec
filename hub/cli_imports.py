"""The commands about files that came in: `hub imports ...`."""

from uuid import UUID

import click

from hub.actions.imports import carrying_out, jobs
from hub.actions.imports.place import Goal, Place
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, now, operator, pass_context
from hub.database import serving
from hub.errors import HubRefused
from hub.store.imports import Import


def place(ctx: Context, institution: str | None) -> Place:
    """Where the imports of the institution asked for are."""
    return Place(ctx.engine, ctx.institution_id(institution), ctx.config.imports_folder)


@click.group("imports")
def group() -> None:
    """Files that came in, and taking them back."""


@group.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
@institution_option
@json_option
@pass_context
@honest
def list_imports(ctx: Context, limit: int, institution: str | None, as_json: bool) -> None:
    """Who brought which file when, and what became of it; the latest first."""
    found = jobs.listed(place(ctx, institution), now(), limit=limit)
    emit(
        as_json,
        {"imports": [_builtins(each) for each in found]},
        "\n".join(
            f"{each.id}  {local(ctx, each.made_at)}  {each.kind:9}  {each.state:11}  {each.file_name}  ({each.who})"
            for each in found
        )
        or "No file has come in yet.",
    )


@group.command("undo")
@click.argument("import_id", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@institution_option
@json_option
@pass_context
@honest
def undo(ctx: Context, import_id: UUID, yes: bool, institution: str | None, as_json: bool) -> None:
    """Take an import back: what it changed and nobody has changed since is as it was before."""
    where = place(ctx, institution)
    row = jobs.show(where, import_id, now()).row
    if not yes:
        click.confirm(f"Undo {row.file_name} of {local(ctx, row.made_at)}?", abort=True, err=True)
    jobs.begin(where, import_id, "undo", operator(), now(), _here(where))
    after = jobs.show(where, import_id, now()).row
    if after.state != "undone":
        raise HubRefused("The database would not do it just now, and nothing was changed. Try again.")
    undone = (after.result or {}).get("undone", {})
    emit(
        as_json,
        _builtins(after),
        f"{undone.get('undone', 0):,} put back; {undone.get('kept', 0):,} kept, because they were changed since.",
    )


@group.command("carry-out", hidden=True)
@click.argument("import_id", type=click.UUID)
@click.argument("goal", type=click.Choice(["check", "apply", "undo"]))
@institution_option
@pass_context
@honest
def carry_out(ctx: Context, import_id: UUID, goal: Goal, institution: str | None) -> None:
    """What `hub serve` starts for an upload; it holds that import's lock already."""
    with serving(ctx.engine):
        carrying_out.carry_out(place(ctx, institution), import_id, goal, now)


def _here(where: Place) -> jobs.Start:
    """Does what is to be done in this process, and waits for it."""

    def start(institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        carrying_out.carry_out(where, import_id, goal, now)

    return start


def _builtins(row: Import) -> dict[str, object]:
    return {
        "import_id": row.id,
        "kind": row.kind,
        "state": row.state,
        "file_name": row.file_name,
        "fingerprint": row.fingerprint,
        "who": row.who,
        "made_at": row.made_at,
        "applied_at": row.applied_at,
        "result": row.result,
    }
