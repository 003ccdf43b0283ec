"""The commands about events: `hub events ...` and `hub card-formats`."""

from datetime import datetime

import click

from hub.actions import events as actions
from hub.actions.events import NewEvent
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, now, pass_context
from hub.errors import HubRefused
from sync.errors import BadPattern
from sync.messages import CardFormat

KINDS = ("event", "career_fair", "appointment", "survey")


@click.group("events")
def group() -> None:
    """Events and their sessions."""


@group.command("list")
@institution_option
@json_option
@pass_context
@honest
def list_events(ctx: Context, institution: str | None, as_json: bool) -> None:
    """All events with their sessions, the latest first."""
    found = actions.everything(ctx.engine, ctx.institution_id(institution))
    emit(
        as_json,
        {
            "events": [
                {
                    "event_id": each.event_id,
                    "kind": each.sessions[0].event_kind,
                    "name": each.sessions[0].event,
                    "sessions": [
                        {"id": session.id, "name": session.name, "starts": session.starts, "ends": session.ends}
                        for session in each.sessions
                    ],
                }
                for each in found
            ]
        },
        "\n".join(
            f"{session.id}  {local(ctx, session.starts)} - {local(ctx, session.ends)[-5:]}  {session.name}"
            for each in found
            for session in each.sessions
        )
        or "No events yet. `hub events create` makes one.",
    )


@group.command("create")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--name", required=True)
@click.option("--starts", required=True, metavar="ISO", help="2026-11-21T09:00 (HUB_TIMEZONE) or with an offset.")
@click.option("--ends", required=True, metavar="ISO")
@click.option("--sessions", type=int, default=1, show_default=True, help="They share the event's time equally.")
@click.option("--external-id", metavar="X", help="What another system calls this event. Again: same event.")
@click.option("--capacity", type=int, metavar="C")
@institution_option
@json_option
@pass_context
@honest
def create_event(
    ctx: Context,
    kind: str,
    name: str,
    starts: str,
    ends: str,
    sessions: int,
    external_id: str | None,
    capacity: int | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Create an event."""
    new = NewEvent(kind, name, _moment(ctx, starts), _moment(ctx, ends), sessions, external_id, capacity)
    made = actions.create(ctx.engine, ctx.institution_id(institution), new, now())
    emit(
        as_json,
        {"event_id": made.event_id, "sessions": [{"id": each.id, "name": each.name} for each in made.sessions]},
        "\n".join([f"{name}: {made.event_id}", *(f"  {each.name}: {each.id}" for each in made.sessions)]),
    )


@click.command("card-formats")
@click.option(
    "--format",
    "formats",
    type=(str, str),
    multiple=True,
    metavar="WHOLE EXTRACT",
    help="A pattern for the whole swipe and one that picks the id out ('' for the whole swipe); repeatable. "
    "Replaces what was set before.",
)
@click.option("--none", is_flag=True, help="Read no cards any more.")
@institution_option
@json_option
@pass_context
@honest
def card_formats(
    ctx: Context, formats: tuple[tuple[str, str], ...], none: bool, institution: str | None, as_json: bool
) -> None:
    """Say how cards read, or without --format show what was said. The first format that matches decides.

    \b
    hub card-formats --format '^!\\d{13}==\\d{3};$' '^!\\d{2}(\\d{6})'
    """
    institution_id = ctx.institution_id(institution)
    if not formats and not none:
        there = actions.card_formats(ctx.engine, institution_id)
        emit(as_json, {"card_formats": there}, "\n".join(map(_format, there)) or "No card formats: cards are not read.")
        return
    wanted = tuple(CardFormat(whole=whole, extract=extract or None) for whole, extract in formats)
    try:
        actions.set_card_formats(ctx.engine, institution_id, wanted)
    except BadPattern as error:
        raise HubRefused(f"This pattern cannot be used ({error.detail}). Nothing was changed.") from error
    said = "\n".join(map(_format, wanted)) or "No card formats any more."
    emit(as_json, {"card_formats": wanted}, f"{said}\nKiosks get this with their next exchange.")


def _format(card_format: CardFormat) -> str:
    return f"{card_format.whole}   {card_format.extract or '(the whole swipe)'}"


def _moment(ctx: Context, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise HubRefused(f"Not a moment: {text!r}. Example: 2026-11-21T09:00 or 2026-11-21T09:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ctx.config.time_zone)
