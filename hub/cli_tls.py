"""The commands about certificates: `hub tls ...`."""

import click

from hub import tls
from hub.cli_context import Context, emit, honest, json_option, pass_context
from hub.errors import NotReady


@click.group("tls")
def group() -> None:
    """Certificates of the hub's own: kiosks trust them, and no others, by their fingerprint."""


@group.command("make")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="By which kiosks reach this hub, or its address; repeatable. Default: what HUB_URL has, and this machine's.",
)
@click.option("--renew", is_flag=True, help="A new server certificate. Kiosks go on trusting this hub.")
@click.option("--new-ca", is_flag=True, help="Everything anew. Every kiosk has to be enrolled again.")
@click.option("--yes", is_flag=True, help="Do not ask whether --new-ca is meant.")
@json_option
@pass_context
@honest
def make(ctx: Context, hosts: tuple[str, ...], renew: bool, new_ca: bool, yes: bool, as_json: bool) -> None:
    """Make an authority (CA) of this hub's own and a server certificate under it. Again: changes nothing.

    \b
    hub tls make
    hub tls make --renew --host hub.example.edu --host 192.168.1.20
    """
    folder = ctx.config.tls_folder
    if new_ca and tls.is_there(folder) and not yes:
        click.confirm("Every kiosk of this hub has to be enrolled again. Go on?", abort=True, err=True)
    made = tls.make(folder, hosts or tls.usual_hosts(ctx.config.url), renew=renew, new_authority=new_ca)
    emit(
        as_json,
        {
            "fingerprint": made.certificates.fingerprint,
            "hosts": made.certificates.hosts,
            "new_ca": made.new_authority,
            "new_certificate": made.new_certificate,
        },
        f"{_said(made)}\n{_shown(made.certificates)}",
    )


@group.command("show")
@json_option
@pass_context
@honest
def show(ctx: Context, as_json: bool) -> None:
    """The fingerprint that kiosks are told, and the names by which they may reach this hub."""
    if not tls.is_there(ctx.config.tls_folder):
        raise NotReady("This hub has no certificates of its own. `hub tls make` makes them.")
    found = tls.look(ctx.config.tls_folder)
    emit(as_json, {"fingerprint": found.fingerprint, "hosts": found.hosts}, _shown(found))


def _said(made: tls.Made) -> str:
    if made.new_authority:
        return "Made. Start `hub serve` again, set HUB_URL to https://..., and enrol every kiosk with a new invitation."
    if made.new_certificate:
        return "A new server certificate under the same authority: kiosks go on as before. Start `hub serve` again."
    return "There were certificates already; nothing changed. --renew makes a new one, for other hosts too."


def _shown(found: tls.Certificates) -> str:
    return f"fingerprint  {found.fingerprint}\nhosts        {' '.join(found.hosts)}"
