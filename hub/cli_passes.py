"""The commands about QR passes: `hub passes ...`."""

import os
from pathlib import Path
from urllib.parse import quote

import click

from hub.actions import passes as actions
from hub.cli_context import Context, emit, honest, institution_option, json_option, now, pass_context
from hub.errors import HubRefused
from sync.identifiers import Pass


@click.group("passes")
def group() -> None:
    """QR passes: students show them to a desk's camera or scanner."""


@group.command("issue")
@click.argument("usernames", metavar="USERNAME...", nargs=-1, required=True)
@click.option("--reissue", is_flag=True, help="Give each a new pass; the one before is good no more.")
@click.option(
    "--svg-folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write each pass there as a QR code, readable by you alone. Nothing is written over.",
)
@institution_option
@json_option
@pass_context
@honest
def issue(
    ctx: Context,
    usernames: tuple[str, ...],
    reissue: bool,
    svg_folder: Path | None,
    institution: str | None,
    as_json: bool,
) -> None:
    """Give students a pass. Again: the same pass."""
    institution_id = ctx.institution_id(institution)
    if svg_folder is not None:
        _check_free(svg_folder, usernames)
    issued = actions.issue(ctx.engine, institution_id, usernames, now(), reissue=reissue)
    if svg_folder is not None:
        for username, each in issued.items():
            _write(_file(svg_folder, username), each)
    emit(
        as_json,
        {"passes": [{"username": username, "payload": each.payload} for username, each in issued.items()]},
        "\n".join(f"{each.payload}  {username}" for username, each in issued.items()),
    )


@group.command("revoke")
@click.argument("username")
@institution_option
@json_option
@pass_context
@honest
def revoke(ctx: Context, username: str, institution: str | None, as_json: bool) -> None:
    """Make a student's pass good no more."""
    revoked = actions.revoke(ctx.engine, ctx.institution_id(institution), username)
    emit(
        as_json,
        {"username": username, "revoked": revoked},
        f"The pass of {username} is good no more." if revoked else f"{username} has no pass; nothing changed.",
    )


def _file(folder: Path, username: str) -> Path:
    return folder / f"{quote(username, safe='@ ')}.svg"


def _check_free(folder: Path, usernames: tuple[str, ...]) -> None:
    # Before any pass is made: a new one that nobody gets to see would only make the old one useless.
    try:
        there = [file.name for file in (_file(folder, username) for username in usernames) if file.exists()]
    except OSError as error:
        raise HubRefused(
            f"No file can have a name made of one of these: {error.strerror}. Nothing was done."
        ) from error
    if there:
        raise HubRefused(f"{folder} holds {', '.join(there)} already. Nothing was changed: choose another folder.")


def _write(file: Path, the_pass: Pass) -> None:
    from qrcode import QRCode
    from qrcode.image.svg import SvgPathImage

    code = QRCode(image_factory=SvgPathImage)
    code.add_data(the_pass.payload)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as svg:
            code.make_image().save(svg)
    except OSError as error:
        raise HubRefused(f"{file} cannot be written: {error.strerror}. The passes are made: run this again.") from error
