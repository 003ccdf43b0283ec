"""The commands about kiosks: `hub kiosks ...` and `hub desk-pin`."""

from io import StringIO
from pathlib import Path
from uuid import UUID

import click

from hub import tls
from hub.actions import desk_pin as pins
from hub.actions import kiosks as actions
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, now, pass_context, secret_in
from hub.config import Config


@click.group("kiosks")
def group() -> None:
    """Invite, list, assign and cut off kiosks."""


@group.command("invite")
@click.option("--name", default="Kiosk", show_default=True, help="What staff call it.")
@institution_option
@json_option
@pass_context
@honest
def invite_kiosk(ctx: Context, name: str, institution: str | None, as_json: bool) -> None:
    """Make a one-time code with which a kiosk can enrol within ten minutes."""
    authority = _authority(ctx.config)
    invited = actions.invite(ctx.engine, ctx.institution_id(institution), name, now())
    command = f"kiosk enrol {ctx.config.url} {invited.code}" + (f" --ca {authority}" if authority else "")
    text = f"On the kiosk, within ten minutes:\n  {command}\n\n{_qr(command)}"
    emit(as_json, {"url": ctx.config.url, "code": invited.code, "ca": authority}, text)


@group.command("list")
@institution_option
@json_option
@pass_context
@honest
def list_kiosks(ctx: Context, institution: str | None, as_json: bool) -> None:
    """All kiosks, when they were last heard of and what they hold back."""
    found = actions.everyone(ctx.engine, ctx.institution_id(institution))
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
                    "session_id": each.session_id,
                }
                for each in found
            ]
        },
        "\n".join(
            f"{each.id}  {each.name}  last seen {local(ctx, each.last_seen_at)}  waiting {each.waiting}"
            + (f"  at {each.session}" if each.session else "")
            + ("  REVOKED" if each.revoked_at else "")
            for each in found
        )
        or "No kiosk has enrolled yet. `hub kiosks invite` makes a code.",
    )


@group.command("revoke")
@click.argument("kiosk_id", metavar="ID", type=click.UUID)
@institution_option
@json_option
@pass_context
@honest
def revoke_kiosk(ctx: Context, kiosk_id: UUID, institution: str | None, as_json: bool) -> None:
    """Cut a kiosk off at once. It keeps its check-ins and forgets its roster; it can be enrolled again."""
    kiosk = actions.revoke(ctx.engine, ctx.institution_id(institution), kiosk_id, now())
    emit(as_json, {"id": kiosk.id, "revoked_at": kiosk.revoked_at}, f"{kiosk.name} is cut off.")


@group.command("assign")
@click.argument("kiosk_id", metavar="ID", type=click.UUID)
@click.argument("session_id", type=click.UUID)
@institution_option
@json_option
@pass_context
@honest
def assign_kiosk(ctx: Context, kiosk_id: UUID, session_id: UUID, institution: str | None, as_json: bool) -> None:
    """Say at which session a kiosk shall stand; it hears so with its next exchange."""
    kiosk = actions.assign(ctx.engine, ctx.institution_id(institution), kiosk_id, session_id)
    emit(
        as_json,
        {"id": kiosk.id, "session_id": kiosk.session_id, "assignment": kiosk.assignment},
        f"{kiosk.name} goes to {kiosk.session} with its next exchange.",
    )


@click.command("desk-pin")
@click.option(
    "--pin-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="Holds the PIN."
)
@click.option("--none", is_flag=True, help="No PIN any more, and no directory at the desks.")
@institution_option
@json_option
@pass_context
@honest
def desk_pin(ctx: Context, pin_file: Path | None, none: bool, institution: str | None, as_json: bool) -> None:
    """Set the PIN with which staff unlock a desk and find students by name. Asks for it when no file is given."""
    if none and pin_file is not None:
        raise click.UsageError("--none and --pin-file exclude each other.")
    institution_id = ctx.institution_id(institution)
    if none:
        changed = pins.remove(ctx.engine, institution_id)
        said = "The desks have no PIN any more, and no directory."
    else:
        pin = (
            secret_in(pin_file, "pin_file")
            if pin_file
            else click.prompt("PIN", hide_input=True, confirmation_prompt=True)
        )
        changed = pins.choose(ctx.engine, institution_id, pin)
        said = "The desks have a new PIN."
    if changed:
        said += "\nEvery kiosk gets this with its next exchange, and fetches its whole list anew."
    else:
        said = "That is how it was; nothing changed."
    emit(as_json, {"desk_pin": not none, "changed": changed}, said)


def _authority(config: Config) -> str | None:
    """What kiosks are to trust, and nothing else; None: the address leads to what public authorities vouch for."""
    if not config.url.startswith("https:") or not tls.is_there(config.tls_folder):
        return None
    return tls.look(config.tls_folder).fingerprint


def _qr(text: str) -> str:
    """The text as a QR code for a terminal, to be taken over with a phone."""
    from qrcode import QRCode

    code = QRCode(border=2)
    code.add_data(text)
    drawn = StringIO()
    code.print_ascii(out=drawn)
    return drawn.getvalue()
