"""The hub's commands. Names and JSON are a promise (docs/contract.md): scripts rely on them."""

import sys
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import Connection

import hub.cli_attendees
import hub.cli_audit
import hub.cli_backups
import hub.cli_events
import hub.cli_exports
import hub.cli_facts
import hub.cli_imports
import hub.cli_kiosks
import hub.cli_parked
import hub.cli_passes
import hub.cli_staff
import hub.cli_students
import hub.cli_tls
from hub import create_app
from hub.actions import attendance, readiness, set_up
from hub.cli_context import Context, emit, honest, institution_option, json_option, now, pass_context
from hub.cli_staff import new_password, password_option, staff_address
from hub.errors import HubRefused


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
@password_option
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

    email, password = staff_address(admin), new_password(password_file)
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
@click.option("--no-tls", is_flag=True, help="Plain HTTP although there are certificates: something in front has TLS.")
@click.option("--silence", type=click.FloatRange(min=0, min_open=True), hidden=True, help="For tests: seconds.")
@pass_context
@honest
def serve(ctx: Context, host: str, port: int, workers: int | None, no_tls: bool, silence: float | None) -> None:
    """Serve kiosks and staff until stopped. Speaks TLS once `hub tls make` has made certificates."""
    from hub import tls
    from hub.server import SILENCE_S, run

    folder = ctx.config.tls_folder
    context = tls.server_context(folder) if tls.is_there(folder) and not no_tls else None
    address = f"{'http' if context is None else 'https'}://{host}:{port}"
    run(
        ctx.config,
        ctx.engine,
        host,
        port,
        workers,
        lambda: click.echo(f"The hub is at {address}", err=True),
        context,
        silence or SILENCE_S,
    )


@main.group("import")
def import_group() -> None:
    """Files in."""


import_group.add_command(hub.cli_students.import_students)
import_group.add_command(hub.cli_attendees.import_attendees)
import_group.add_command(hub.cli_facts.import_facts)
main.add_command(hub.cli_students.students)

main.add_command(hub.cli_backups.backup)
main.add_command(hub.cli_backups.restore)
main.add_command(hub.cli_backups.copy_to)
main.add_command(hub.cli_events.group)
main.add_command(hub.cli_events.card_formats)
main.add_command(hub.cli_kiosks.group)
main.add_command(hub.cli_kiosks.desk_pin)
main.add_command(hub.cli_parked.group)
main.add_command(hub.cli_passes.group)
main.add_command(hub.cli_audit.group)
main.add_command(hub.cli_exports.group)
main.add_command(hub.cli_imports.group)
main.add_command(hub.cli_staff.group)
main.add_command(hub.cli_tls.group)


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
    kiosks = "1 kiosk" if len(counted.kiosks) == 1 else f"{len(counted.kiosks)} kiosks"
    by_file = f" ({counted.count.imported} of them by file)" if counted.count.imported else ""
    inside = "" if counted.count.inside is None else f"{counted.count.inside} inside now, "
    emit(
        as_json,
        {
            "checked_in": counted.count.checked_in,
            "imported": counted.count.imported,
            "registered": counted.count.registered,
            "parked": counted.count.parked,
            "inside": counted.count.inside,
            "kiosks": [
                {"id": each.id, "last_seen": each.last_seen_at, "waiting": each.waiting} for each in counted.kiosks
            ],
        },
        f"{counted.count.checked_in} at the hub{by_file}, {inside}{counted.count.registered} registered, "
        f"{counted.count.parked} to be looked at; {waiting} said to wait at {kiosks}",
    )


@main.command("doctor")
@json_option
@pass_context
@honest
def doctor(ctx: Context, as_json: bool) -> None:
    """Look at everything that must be well before the doors open."""
    checks = readiness.examine(ctx.engine, ctx.config, now())
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
