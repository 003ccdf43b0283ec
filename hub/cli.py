"""The hub's commands. Names and JSON are a promise (docs/contract.md): scripts rely on them."""

import sys
from datetime import datetime
from io import StringIO
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import Connection

import hub.cli_students
from hub import create_app
from hub.actions import attendance, events, kiosks, readiness, set_up
from hub.actions.events import NewEvent
from hub.cli_context import Context, emit, honest, institution_option, json_option, now, pass_context
from hub.errors import HubRefused, UnreadableFile
from sync.errors import BadPattern, Unreadable
from sync.identifiers import read_email
from sync.messages import CardFormat

SHORTEST_PASSWORD = 8
KINDS = ("event", "career_fair", "appointment", "survey")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kiosk-checkin", prog_name="hub")
@click.pass_context
def main(ctx: click.Context) -> None:
    """The office: students, events, kiosks and live counts.

    \b
    Settings come from the environment: HUB_DATA_DIR, HUB_DATABASE_URL, HUB_URL,
    HUB_TIMEZONE, HUB_LANGUAGE, HUB_SECRET_KEY.
    """
    ctx.obj = Context()
    ctx.call_on_close(ctx.obj.close)


@main.command("init")
@click.option("--institution", "name", required=True, metavar="NAME", help="The institution's name.")
@click.option("--domain", "mail_domains", multiple=True, required=True, help="A mail domain of its own; repeatable.")
@click.option("--admin", required=True, metavar="EMAIL", help="Who may sign in first.")
@click.option(
    "--password-file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)
@json_option
@pass_context
@honest
def init(
    ctx: Context, name: str, mail_domains: tuple[str, ...], admin: str, password_file: Path, as_json: bool
) -> None:
    """Set the hub up, and make an institution. Again: changes nothing.

    \b
    hub init --institution "Example University" --domain example.edu \\
        --admin ada@example.edu --password-file password.txt
    """
    from hub.accounts import add_admin, is_taken

    email, password = _email(admin), _password(password_file)
    set_up.make_data_dir(ctx.config.data_dir)
    # Read again: the secret key may have been made just now.
    app = create_app(Context().config, ctx.engine)
    moment = now()

    def add(conn: Connection, institution_id: UUID) -> None:
        if is_taken(conn, email):
            raise HubRefused(f"Somebody signs in with {email} already. Use another address for --admin.")
        add_admin(conn, institution_id, email, password, moment)

    with app.app_context():
        done = set_up.set_up(ctx.engine, name, mail_domains, add, moment)
    emit(
        as_json,
        {"institution_id": done.institution_id},
        f"{name} is set up: {done.institution_id}" if done.made else f"{name} was there already; nothing changed.",
    )


@main.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1, 64), help="Processes. Default: 1 on SQLite, 2 on PostgreSQL.")
@pass_context
@honest
def serve(ctx: Context, host: str, port: int, workers: int | None) -> None:
    """Serve kiosks and staff until stopped."""
    from hub.server import run

    run(
        ctx.config, ctx.engine, host, port, workers, lambda: click.echo(f"The hub is at http://{host}:{port}", err=True)
    )


@main.group("import")
def import_group() -> None:
    """Files in."""


import_group.add_command(hub.cli_students.import_students)
main.add_command(hub.cli_students.students)


@main.group("events")
def events_group() -> None:
    """Events and their sessions."""


@events_group.command("list")
@institution_option
@json_option
@pass_context
@honest
def list_events(ctx: Context, institution: str | None, as_json: bool) -> None:
    """All events with their sessions, the latest first."""
    found = events.everything(ctx.engine, ctx.institution_id(institution))
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
            f"{session.id}  {_local(ctx, session.starts)} - {_local(ctx, session.ends)[-5:]}  {session.name}"
            for each in found
            for session in each.sessions
        )
        or "No events yet. `hub events create` makes one.",
    )


@events_group.command("create")
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
    made = events.create(ctx.engine, ctx.institution_id(institution), new, now())
    emit(
        as_json,
        {"event_id": made.event_id, "sessions": [{"id": each.id, "name": each.name} for each in made.sessions]},
        "\n".join([f"{name}: {made.event_id}", *(f"  {each.name}: {each.id}" for each in made.sessions)]),
    )


@main.command("card-formats")
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
        there = events.card_formats(ctx.engine, institution_id)
        emit(as_json, {"card_formats": there}, "\n".join(map(_format, there)) or "No card formats: cards are not read.")
        return
    wanted = tuple(CardFormat(whole=whole, extract=extract or None) for whole, extract in formats)
    try:
        events.set_card_formats(ctx.engine, institution_id, wanted)
    except BadPattern as error:
        raise HubRefused(f"This pattern cannot be used ({error.detail}). Nothing was changed.") from error
    said = "\n".join(map(_format, wanted)) or "No card formats any more."
    emit(as_json, {"card_formats": wanted}, f"{said}\nKiosks get this with their next exchange.")


@main.group("kiosks")
def kiosks_group() -> None:
    """Invite, list and cut off kiosks."""


@kiosks_group.command("invite")
@click.option("--name", default="Kiosk", show_default=True, help="What staff call it.")
@institution_option
@json_option
@pass_context
@honest
def invite_kiosk(ctx: Context, name: str, institution: str | None, as_json: bool) -> None:
    """Make a one-time code with which a kiosk can enrol within ten minutes."""
    invited = kiosks.invite(ctx.engine, ctx.institution_id(institution), name, now())
    command = f"kiosk enrol {ctx.config.url} {invited.code}"
    text = f"On the kiosk, within ten minutes:\n  {command}\n\n{_qr(command)}"
    emit(as_json, {"url": ctx.config.url, "code": invited.code}, text)


@kiosks_group.command("list")
@institution_option
@json_option
@pass_context
@honest
def list_kiosks(ctx: Context, institution: str | None, as_json: bool) -> None:
    """All kiosks, when they were last heard of and what they hold back."""
    found = kiosks.everyone(ctx.engine, ctx.institution_id(institution))
    emit(
        as_json,
        {
            "kiosks": [
                {
                    "id": each.id,
                    "name": each.name,
                    "enrolled_at": each.enrolled_at,
                    "last_seen": each.last_seen_at,
                    "waiting": each.waiting,
                    "revoked_at": each.revoked_at,
                }
                for each in found
            ]
        },
        "\n".join(
            f"{each.id}  {each.name}  last seen {_local(ctx, each.last_seen_at)}  waiting {each.waiting}"
            + ("  REVOKED" if each.revoked_at else "")
            for each in found
        )
        or "No kiosk has enrolled yet. `hub kiosks invite` makes a code.",
    )


@kiosks_group.command("revoke")
@click.argument("kiosk_id", metavar="ID", type=click.UUID)
@institution_option
@json_option
@pass_context
@honest
def revoke_kiosk(ctx: Context, kiosk_id: UUID, institution: str | None, as_json: bool) -> None:
    """Cut a kiosk off at once. It keeps its check-ins and forgets its roster; it can be enrolled again."""
    kiosk = kiosks.revoke(ctx.engine, ctx.institution_id(institution), kiosk_id, now())
    emit(as_json, {"id": kiosk.id, "revoked_at": kiosk.revoked_at}, f"{kiosk.name} is cut off.")


@main.command("count")
@click.argument("session_id", type=click.UUID)
@institution_option
@json_option
@pass_context
@honest
def count(ctx: Context, session_id: UUID, institution: str | None, as_json: bool) -> None:
    """How many came to a session, counted from the facts."""
    counted = attendance.count(ctx.engine, ctx.institution_id(institution), session_id)
    waiting = sum(each.waiting for each in counted.kiosks)
    emit(
        as_json,
        {
            "checked_in": counted.count.checked_in,
            "registered": counted.count.registered,
            "parked": counted.count.parked,
            "kiosks": [
                {"id": each.id, "last_seen": each.last_seen_at, "waiting": each.waiting} for each in counted.kiosks
            ],
        },
        f"{counted.count.checked_in} at the hub, {counted.count.registered} registered, "
        f"{counted.count.parked} to be looked at; {waiting} said to wait at {len(counted.kiosks)} kiosks",
    )


@main.command("doctor")
@json_option
@pass_context
@honest
def doctor(ctx: Context, as_json: bool) -> None:
    """Look at everything that must be well before the doors open."""
    checks = readiness.examine(ctx.engine, ctx.config)
    well = all(check.ok for check in checks)
    emit(
        as_json,
        {"ok": well, "checks": checks},
        "\n".join(
            f"{'ok ' if each.ok else 'BAD'}  {each.name}: {each.found}" + ("" if each.ok else f"\n     {each.way_out}")
            for each in checks
        ),
    )
    if not well:
        sys.exit(1)


def _qr(text: str) -> str:
    """The text as a QR code for a terminal, to be taken over with a phone."""
    from qrcode import QRCode

    code = QRCode(border=2)
    code.add_data(text)
    drawn = StringIO()
    code.print_ascii(out=drawn)
    return drawn.getvalue()


def _local(ctx: Context, moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(ctx.config.time_zone):%Y-%m-%d %H:%M}"


def _format(card_format: CardFormat) -> str:
    return f"{card_format.whole}   {card_format.extract or '(the whole swipe)'}"


def _email(text: str) -> str:
    try:
        return read_email(text).typed
    except Unreadable as error:
        raise HubRefused(f"--admin is not an address: {text!r}. Example: ada@example.edu") from error


def _password(file: Path) -> str:
    try:
        password = file.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile("password_file", f"{file} cannot be read: {type(error).__name__}.") from error
    if len(password) < SHORTEST_PASSWORD:
        raise HubRefused(f"The password in {file} is too short: {SHORTEST_PASSWORD} characters or more.")
    return password


def _moment(ctx: Context, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise HubRefused(f"Not a moment: {text!r}. Example: 2026-11-21T09:00 or 2026-11-21T09:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ctx.config.time_zone)
