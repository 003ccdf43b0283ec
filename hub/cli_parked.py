"""The commands about check-ins that wait for a decision: `hub parked ...`."""

from uuid import UUID

import click

from hub.actions import parked as actions
from hub.actions.parked import Moved, Waiting
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, pass_context

REASONS = {
    "unknown_address": "nobody has this address, card or pass",
    "unconfirmed_address": "the address is not confirmed yet",
    "disabled": "the student is archived",
    "unknown_session": "the hub has no such session",
}


@click.group("parked")
def group() -> None:
    """Check-ins that wait for somebody to decide whose they are."""


@group.command("list")
@click.argument("session_id", type=click.UUID, required=False)
@institution_option
@json_option
@pass_context
@honest
def list_parked(ctx: Context, session_id: UUID | None, institution: str | None, as_json: bool) -> None:
    """What waits, with what was given at the desk; of one session, or of all."""
    waiting = actions.everything(ctx.engine, ctx.institution_id(institution), session_id)
    emit(as_json, {"parked": waiting}, "\n".join(_line(ctx, each) for each in waiting) or "Nothing waits.")


@group.command("settle")
@click.argument("fact_id", metavar="ID", type=click.UUID)
@click.argument("username")
@click.option("--session", "session_id", type=click.UUID, metavar="ID", help="Where the hub does not know the session.")
@institution_option
@json_option
@pass_context
@honest
def settle(
    ctx: Context, fact_id: UUID, username: str, session_id: UUID | None, institution: str | None, as_json: bool
) -> None:
    """Decide that a check-in is this student's. It counts with the moment it was made."""
    actions.settle(ctx.engine, ctx.institution_id(institution), fact_id, username, session_id)
    emit(as_json, {"id": fact_id, "username": username}, f"It is {username}'s now.")


@group.command("move")
@click.argument("session_id", metavar="OLD_SESSION", type=click.UUID)
@click.argument("to_id", metavar="NEW_SESSION", type=click.UUID)
@institution_option
@json_option
@pass_context
@honest
def move(ctx: Context, session_id: UUID, to_id: UUID, institution: str | None, as_json: bool) -> None:
    """Everything that came for a session the hub does not know is judged again, for another one.

    After a restore: the event was made since the backup, and was made again under another id.
    """
    moved = actions.move(ctx.engine, ctx.institution_id(institution), session_id, to_id)
    emit(as_json, {"session_id": to_id, "counted": moved.counted, "parked": moved.parked}, _moved(session_id, moved))


def _moved(session_id: UUID, moved: Moved) -> str:
    if not moved.counted + moved.parked:
        return f"Nothing waits at {session_id} for want of a session. `hub parked list` shows what waits, and where."
    told = f"{moved.counted + moved.parked} moved, with the moments they were made; {moved.counted} count."
    return f"{told} {moved.parked} wait for something else: `hub parked list`." if moved.parked else told


def _line(ctx: Context, each: Waiting) -> str:
    who = " ".join(text for text in (each.name, each.typed, each.username) if text) or "somebody"
    where = each.session or f"session {each.session_id}"
    reason = REASONS.get(each.reason, each.reason)
    return f"{each.id}  {local(ctx, each.occurred_at)}  {where}  {who}: {reason}"
