"""`hub audit ...`: who did what."""

import click

from hub.actions import audit
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, pass_context


@click.group("audit")
def group() -> None:
    """Who did what: imports, exports, and who may sign in."""


@group.command("list")
@institution_option
@json_option
@pass_context
@honest
def list_entries(ctx: Context, institution: str | None, as_json: bool) -> None:
    """What was done last, the latest first."""
    found = audit.latest(ctx.engine, ctx.institution_id(institution))
    emit(
        as_json,
        {"entries": found},
        "\n".join(
            f"{local(ctx, each.at)}  {each.who}  {each.what}  "
            + ", ".join(f"{name} {value}" for name, value in each.about.items())
            for each in found
        )
        or "Nothing yet.",
    )
