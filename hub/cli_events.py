"""The commands about events: `hub events ...` and `hub card-formats`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click

from hub.actions import events as actions
from hub.actions import registrations
from hub.actions.events import MOST_MINUTES, NewEvent, SessionChanges
from hub.actions.registrations import NotDone, Reason
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, now, pass_context
from hub.errors import HubRefused
from hub.readers.lines import read_lines
from hub.store.events import Session
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
    """All events, the latest first, and under each its sessions; with the ids that other commands ask for."""
    found = actions.everything(ctx.engine, ctx.institution_id(institution))
    emit(
        as_json,
        {
            "events": [
                {
                    "event_id": each.event_id,
                    "kind": each.sessions[0].event_kind,
                    "name": each.sessions[0].event,
                    "sessions": [_session(session) for session in each.sessions],
                }
                for each in found
            ]
        },
        "\n".join(
            line
            for each in found
            for line in (f"{each.event_id}  {each.sessions[0].event}", *(_line(ctx, its) for its in each.sessions))
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


@group.command("set")
@click.argument("session_id", type=click.UUID)
@click.option("--next-step", metavar="TEXT", help="What somebody who checked in does next; '' for nothing.")
@click.option("--next-step-fr", metavar="TEXT", help="The same in French.")
@click.option("--check-out/--no-check-out", default=None, help="Whether people check out when they leave.")
@click.option("--listed/--open-to-all", default=None, help="Whether it is for those who are registered only.")
@click.option("--opens-before", type=click.IntRange(0, MOST_MINUTES), metavar="MIN", help="Desks open so long before.")
@click.option("--opens-any", is_flag=True, help="Desks check in however early it is.")
@click.option("--closes-after", type=click.IntRange(0, MOST_MINUTES), metavar="MIN", help="Desks close so long after.")
@click.option("--closes-any", is_flag=True, help="Desks check in however late it is.")
@click.option("--external-id", metavar="X", help="What another system calls it, a fair's session or the event; ''.")
@institution_option
@json_option
@pass_context
@honest
def set_session(
    ctx: Context,
    session_id: UUID,
    next_step: str | None,
    next_step_fr: str | None,
    check_out: bool | None,
    listed: bool | None,
    opens_before: int | None,
    opens_any: bool,
    closes_after: int | None,
    closes_any: bool,
    external_id: str | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Say what desks do at a session, and what they tell people. Without options: show it.

    \b
    hub events set SESSION_ID --next-step "Room B, first floor" --check-out
    """
    if (opens_any and opens_before is not None) or (closes_any and closes_after is not None):
        raise click.UsageError("Say minutes or any time, not both.")
    steps = {"en": next_step, "fr": next_step_fr}
    said = {"check_out": check_out, "listed": listed, "opens_before": opens_before, "closes_after": closes_after}
    at_any_time = {"opens_before": opens_any, "closes_after": closes_any}
    settings = {name: value for name, value in said.items() if value is not None or at_any_time.get(name)}
    next_steps = {language: text for language, text in steps.items() if text is not None}
    changes = SessionChanges(next_steps, settings, external_id)
    changed = actions.change(ctx.engine, ctx.institution_id(institution), session_id, changes)
    emit(as_json, _session(changed), _session_text(ctx, changed))


@group.command("register")
@click.argument("session_id", type=click.UUID)
@click.argument("usernames", metavar="USERNAME...", nargs=-1)
@click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="One username or school address a line.")
@institution_option
@json_option
@pass_context
@honest
def register(
    ctx: Context,
    session_id: UUID,
    usernames: tuple[str, ...],
    file: Path | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Register students, by username or school address. What names nobody comes back, and the rest is done."""
    if (file is None) == (not usernames):
        raise click.UsageError("Name students or give a --file, one of the two.")
    lines = list(usernames) if file is None else read_lines(file)
    done = registrations.register(ctx.engine, ctx.institution_id(institution), session_id, lines, now())
    said = f"{done.registered:,} registered, {done.already:,} were already"
    emit(as_json, done, "\n".join([said, *_not_done(done.failed)]))


@group.command("unregister")
@click.argument("session_id", type=click.UUID)
@click.argument("usernames", metavar="USERNAME...", nargs=-1, required=True)
@institution_option
@json_option
@pass_context
@honest
def unregister(
    ctx: Context, session_id: UUID, usernames: tuple[str, ...], institution: str | None, as_json: bool
) -> None:
    """Take registrations back."""
    done = registrations.unregister(ctx.engine, ctx.institution_id(institution), session_id, usernames)
    emit(as_json, done, "\n".join([f"{done.unregistered:,} registrations taken back", *_not_done(done.failed)]))


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


def _session(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "name": session.name,
        "starts": session.starts,
        "ends": session.ends,
        "next_step": session.next_step,
        "listed": session.listed,
        "check_out": session.check_out,
        "opens_before": session.opens_before,
        "closes_after": session.closes_after,
        "external_id": session.external_id,
    }


def _line(ctx: Context, session: Session) -> str:
    times = f"{local(ctx, session.starts)} - {local(ctx, session.ends)[-5:]}"
    elsewhere = f"  (elsewhere {session.external_id})" if session.external_id else ""
    return f"  {session.id}  {times}  {session.name}{elsewhere}"


def _session_text(ctx: Context, session: Session) -> str:
    opens = "at any time" if session.opens_before is None else f"{session.opens_before} minutes before it starts"
    closes = "never" if session.closes_after is None else f"{session.closes_after} minutes after it ends"
    return "\n".join(
        [
            f"{session.name}  {local(ctx, session.starts)} - {local(ctx, session.ends)[-5:]}",
            *(f"  next step ({language}): {text}" for language, text in session.next_step.items()),
            f"  for {'those who are registered' if session.listed else 'all'}",
            f"  {'people check out' if session.check_out else 'nobody checks out'}",
            f"  desks open {opens}, and close {closes}",
            *([f"  known elsewhere as {session.external_id}"] if session.external_id else []),
        ]
    )


_REASONS: dict[Reason, str] = {
    "unknown": "nobody here has this username or school address",
    "not_a_school_address": "this is an additional address; give the school address or the username",
    "archived": "this student is archived",
    "not_registered": "was not registered",
}


def _not_done(failed: Sequence[NotDone]) -> list[str]:
    return [f"  line {each.line}, {each.who}: {_REASONS[each.reason]}" for each in failed]


def _format(card_format: CardFormat) -> str:
    return f"{card_format.whole}   {card_format.extract or '(the whole swipe)'}"


def _moment(ctx: Context, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise HubRefused(f"Not a moment: {text!r}. Example: 2026-11-21T09:00 or 2026-11-21T09:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ctx.config.time_zone)
