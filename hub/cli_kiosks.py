"""The commands about kiosks: `hub kiosks ...`."""

from io import StringIO
from uuid import UUID

import click

from hub.actions import kiosks as actions
from hub.cli_context import Context, emit, honest, institution_option, json_option, local, now, pass_context


@click.group("kiosks")
def group() -> None:
    """Invite, list and cut off kiosks."""


@group.command("invite")
@click.option("--name", default="Kiosk", show_default=True, help="What staff call it.")
@institution_option
@json_option
@pass_context
@honest
def invite_kiosk(ctx: Context, name: str, institution: str | None, as_json: bool) -> None:
    """Make a one-time code with which a kiosk can enrol within ten minutes."""
    invited = actions.invite(ctx.engine, ctx.institution_id(institution), name, now())
    command = f"kiosk enrol {ctx.config.url} {invited.code}"
    text = f"On the kiosk, within ten minutes:\n  {command}\n\n{_qr(command)}"
    emit(as_json, {"url": ctx.config.url, "code": invited.code}, text)


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
                }
                for each in found
            ]
        },
        "\n".join(
            f"{each.id}  {each.name}  last seen {local(ctx, each.last_seen_at)}  waiting {each.waiting}"
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


def _qr(text: str) -> str:
    """The text as a QR code for a terminal, to be taken over with a phone."""
    from qrcode import QRCode

    code = QRCode(border=2)
    code.add_data(text)
    drawn = StringIO()
    code.print_ascii(out=drawn)
    return drawn.getvalue()
