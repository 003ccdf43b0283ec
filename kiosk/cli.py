"""The `kiosk` command."""

# What a command needs beyond the journal is imported where it is used: a desk on a small computer starts in half the
# time, and keeps what it does not use out of its memory.

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from msgspec import to_builtins

from kiosk import words
from kiosk.config import APP, Config, WrongSetting
from kiosk.store.journal import Journal
from kiosk.store.remembered import Salvaged
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew

if TYPE_CHECKING:
    from flask import Flask

    from kiosk.postman import Round
    from sync.engine import Report


_THREADS_SHARE_S = 0.0005


class _Refused(click.ClickException):
    """Done for, with exit code 1 and a way out."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def _explained(command: Callable[..., None]) -> Callable[..., None]:
    """Every way this program can be hindered, in words."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except WrongSetting as error:
            raise click.UsageError(str(error)) from error
        except (StoreDamaged, StoreTooNew, NotRecorded) as error:
            raise _Refused(words.store_trouble(error)) from error

    return run


@contextmanager
def _journal(config: Config) -> Iterator[Journal]:
    journal = Journal(config.journal_path)
    try:
        yield journal
    finally:
        journal.close()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n  kiosk enrol https://hub.example.edu 8c1f2a...\n  kiosk serve\n  kiosk post",
)
@click.version_option(version("kiosk-checkin"), prog_name="kiosk")
def main() -> None:
    """The check-in desk. Works with the network gone; `kiosk post` hands over what it has when there is one.

    Settings come from the environment: KIOSK_DATA_DIR, KIOSK_LANGUAGE (en, fr), KIOSK_TIMEZONE, KIOSK_HOST,
    KIOSK_PORT, KIOSK_RESET_SECONDS, KIOSK_SOUND, KIOSK_SCREEN_KEYBOARD, KIOSK_LOCK_SECONDS, KIOSK_MISSES,
    KIOSK_PHONE_HOST, KIOSK_PHONE_PORT, KIOSK_PHONE_NETWORKS. The README says what each means.
    """


@main.command(
    epilog="\b\nExamples, as `hub kiosks invite` prints them:\n  kiosk enrol https://hub.example.edu 8c1f2a..."
    "\n  kiosk enrol https://192.168.1.20:8000 8c1f2a... --ca 5d0e77..."
)
@click.argument("url")
@click.argument("code")
@click.option("--ca", metavar="FINGERPRINT", help="Of the hub's own certificate authority: trust that one only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@_explained
def enrol(url: str, code: str, ca: str | None, as_json: bool) -> None:
    """Make this kiosk a member of the hub at URL, with the one-time CODE the hub shows.

    A kiosk whose hub does not know it any more, or has withdrawn it, is enrolled there again in the same way; it keeps
    its check-ins, and hands them over.
    """
    from kiosk import postman
    from kiosk.actions import setting_up
    from sync import hub_client
    from sync.errors import CheckinError, Unreadable

    config = Config.from_environment()
    with _journal(config) as journal:
        try:
            address = hub_client.base_url(url)
            fingerprint = None if ca is None else hub_client.read_fingerprint(ca)
            before = journal.standing()
            # A postman at work would go on with the standing it knows.
            with nullcontext() if before is None else postman.only_one(config.data_dir):
                authority = fingerprint and hub_client.fetch_authority(address, fingerprint, APP)
                standing = setting_up.enrol(
                    journal, address, lambda: hub_client.enrol(address, code, APP, authority), authority
                )
        except (StoreDamaged, StoreTooNew, NotRecorded):
            raise
        except setting_up.AlreadyEnrolled as error:
            raise _Refused(words.already_enrolled(config, journal.standing())) from error
        except setting_up.AnotherHub as error:
            raise _Refused(words.another_hub(config, journal.standing())) from error
        except Unreadable as error:
            hint = "--ca" if error.reason == "not_a_fingerprint" else "URL"
            raise click.BadParameter(words.enrolment_refused(error.reason), param_hint=hint) from error
        except CheckinError as error:
            raise _Refused(words.enrolment_refused(error.code)) from error
    if as_json:
        _print_json({"kiosk_id": str(standing.enrolled.kiosk_id)})
    click.echo(
        f"Enrolled with {standing.enrolled.institution}. Next: kiosk serve, and beside it kiosk post.",
        err=True,
    )


@main.command(epilog="\b\nExample:\n  kiosk serve --port 8001")
@click.option("--host", help="Address to listen on; only this machine unless you say otherwise.")
@click.option("--port", type=click.IntRange(1, 65535))
@_explained
def serve(host: str | None, port: int | None) -> None:
    """Serve the desk page. Needs no network; sends nothing by itself (see `kiosk post`)."""
    import signal

    from waitress import create_server

    from kiosk import clock, create_app
    from kiosk.mender import Mender

    config = Config.from_environment()
    config = replace(config, host=host or config.host, port=port or config.port)
    _log_to_stderr()
    _mend_journal(config)
    app = create_app(config)
    mender = Mender(config.data_dir, lambda: clock.now().since_boot_ms)
    app.extensions["desk"].journal.when_damaged(mender.mend)
    try:
        server = create_server(
            app, host=config.host, port=config.port, threads=8, ident=None, clear_untrusted_proxy_headers=True
        )
    except OSError as error:
        raise _Refused(words.cannot_listen(config, error)) from error
    # While names are being opened in a thread, students wait for it this long at most.
    sys.setswitchinterval(_THREADS_SHARE_S)
    signal.signal(signal.SIGTERM, _end)
    click.echo(f"The desk is at http://{config.host}:{config.port}  (Ctrl-C ends it)", err=True)
    _serve_phones_again(app, config)
    try:
        server.run()
    finally:
        mender.close()


@main.command(epilog="\b\nExamples:\n  kiosk post\n  kiosk post --once --json")
@click.option("--once", is_flag=True, help="One exchange, then end: 0 when all went well, else 1.")
@click.option("--json", "as_json", is_flag=True, help="With --once: one JSON object on stdout.")
@_explained
def post(once: bool, as_json: bool) -> None:
    """The postman: hand over check-ins and fetch the list, again and again."""
    from kiosk import clock, postman
    from kiosk.store.roster import Roster
    from sync.engine import Report
    from sync.hub_client import HubClient

    if as_json and not once:
        raise click.UsageError("--json goes with --once")
    config = Config.from_environment()
    _log_to_stderr()
    _make_sound(config)
    with _journal(config) as journal:
        standing = journal.standing()
        if standing is None:
            if as_json:
                _print_report(Report(waiting=journal.marks().waiting, problem="not_enrolled"))
            raise _Refused(words.ENROL_FIRST)
        enrolled = standing.enrolled
        roster = Roster(config.data_dir, clock.boot())
        try:
            with (
                postman.only_one(config.data_dir),
                HubClient(standing.url, enrolled.hub_id, enrolled.token, APP, authority=standing.authority) as hub,
            ):
                rounds = postman.Round(postman.InTime(hub), journal, roster)
                if once:
                    _post_once(rounds, as_json)
                else:
                    _post_for_ever(rounds, config)
        except postman.AnotherPostman as error:
            if as_json:
                _print_report(Report(waiting=journal.marks().waiting, problem=error.code))
            raise _Refused(
                f"Another postman is at work on {config.data_dir}. One is enough; end it first if you"
                " want to watch this one."
            ) from error
        finally:
            roster.close()


@main.command(epilog="\b\nExample:\n  kiosk status --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@_explained
def status(as_json: bool) -> None:
    """What this kiosk holds and what the hub has of it."""
    from kiosk import clock
    from kiosk.rules.clocks import ahead
    from kiosk.store.roster import Roster

    config = Config.from_environment()
    with _journal(config) as journal:
        roster = Roster(config.data_dir, clock.boot())
        standing, marks, exchange = journal.standing(), journal.marks(), journal.exchange()
        waiting, salvaged, room_left = journal.waiting(), journal.salvaged(), journal.room_left()
        people = roster.status()
        roster.close()
    now = clock.now()
    well_at, sent_at = (exchange.well_at, exchange.sent_at) if exchange else (None, None)
    age = None if people is None or well_at is None else (now.wall - well_at).total_seconds()
    off = ahead(exchange.sample, now) if exchange else None
    told: dict[str, Any] = {
        "kiosk_id": str(standing.enrolled.kiosk_id) if standing else None,
        "stream_id": str(marks.stream_id),
        "head_seq": marks.head_seq,
        "acked_seq": marks.acked_seq,
        "waiting": marks.waiting,
        "roster": {
            "people": people.people if people else 0,
            "position": people.position if people else 0,
            "age_s": None if age is None else max(0, round(age)),
        },
        "problem": exchange.problem if exchange else None,
        "last_sent": None if sent_at is None else sent_at.isoformat().replace("+00:00", "Z"),
        "clock_ahead_s": None if off is None else round(off.total_seconds()),
        "salvaged": None if salvaged is None else to_builtins(salvaged),
        "room_left": room_left,
    }
    if as_json:
        _print_json(told)
        return
    if standing is None:
        click.echo(words.ENROL_FIRST)
    else:
        click.echo(f"{standing.enrolled.institution}, kiosk {standing.enrolled.kiosk_id}")
    click.echo(words.waiting(waiting) + words.last_sent(sent_at, config.timezone))
    if people is None:
        click.echo("no list yet: kiosk post fetches it")
    else:
        click.echo(f"{words.number(people.people, 'person', 'people')} on the list, position {people.position}")
    click.echo(words.clock(off))
    if exchange is not None and exchange.problem is not None:
        click.echo(f"last exchange failed: {words.exchange_problem(exchange.problem)}")
    if salvaged is not None:
        click.echo(words.salvaged(salvaged))
    if room_left is not None:
        click.echo(f"the disk is full: room for about {words.number(room_left, 'more check-in', 'more check-ins')}")


@main.command(epilog="\b\nExample:\n  kiosk salvage --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@_explained
def salvage(as_json: bool) -> None:
    """Look at every check-in of the journal, and make it anew from what is left when it is damaged.

    `kiosk serve` and `kiosk post` do so when they start. The damaged file is kept. Exit code 1: something is missing.
    """
    told = _make_sound(Config.from_environment())
    if as_json:
        _print_json({"salvaged": None if told is None else to_builtins(told)})
    elif told is None:
        click.echo("The journal is sound.", err=True)
    if told is not None and not told.whole:
        raise SystemExit(1)


@main.command(epilog="\b\nExample:\n  kiosk doctor --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@_explained
def doctor(as_json: bool) -> None:
    """Look at everything that must be well before the doors open, and send a rehearsal down the whole road.

    Speaks the language of KIOSK_LANGUAGE. Exit code 0 when all is well.
    """
    from kiosk import cli_doctor

    found = cli_doctor.look(Config.from_environment())
    if as_json:
        _print_json(found.as_json())
    else:
        click.echo(found.as_text())
    if not found.well:
        raise SystemExit(1)


@main.command(epilog="\b\nExample:\n  kiosk export /media/stick/front-door.facts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="All this kiosk ever made, what the hub holds included.")
@click.option("--force", is_flag=True, help="Put it in the place of a file that is there already.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@_explained
def export(file: Path, everything: bool, force: bool, as_json: bool) -> None:
    """Put what the hub does not hold yet into FILE, to be carried to the office by hand: hub import facts.

    The desk and the postman may be at work meanwhile. What comes over the network as well counts once. A damaged
    journal is salvaged first: what is in the file is as it was written.
    """
    from kiosk import cli_export

    config = Config.from_environment()
    _make_sound(config)
    with _journal(config) as journal:
        standing = journal.standing()
        if standing is None:
            raise _Refused(words.ENROL_FIRST)
        try:
            told = cli_export.export(journal, standing, file, everything=everything, force=force)
        except cli_export.NotExported as error:
            raise _Refused(str(error)) from error
    if as_json:
        _print_json(told)
    click.echo(cli_export.said(told), err=True)


def _post_once(rounds: "Round", as_json: bool) -> None:
    from kiosk import postman

    report = postman.go_once(rounds)
    if as_json:
        _print_report(report)
    else:
        click.echo(f"sent {report.sent}, received {report.received}, {report.waiting} waiting", err=True)
    if report.problem is not None:
        click.echo(words.exchange_problem(report.problem), err=True)
        raise SystemExit(1)


def _post_for_ever(rounds: "Round", config: Config) -> None:
    from threading import Event

    from kiosk import postman

    postman.end_on_signals()
    postman.give_way()
    postman.go_on(rounds, Event(), lambda: _make_sound(config) is not None)


def _make_sound(config: Config) -> Salvaged | None:
    """Every program that keeps the journal open looks at it first, and salvages it when it is damaged."""
    from kiosk import clock
    from kiosk.store.salvage import make_sound

    told = make_sound(config.journal_path, clock.now().wall)
    if told is not None:
        click.echo(words.salvaged(told), err=True)
    return told


def _mend_journal(config: Config) -> None:
    """The desk page shows it as well: whoever stands there has no terminal."""
    try:
        _make_sound(config)
        with _journal(config) as journal:
            journal.marks()
            journal.tend()
    except (StoreDamaged, StoreTooNew, NotRecorded) as error:
        click.echo(words.store_trouble(error), err=True)


def _serve_phones_again(app: "Flask", config: Config) -> None:
    """Phones that were served when the desk was last ended. The desk works without them."""
    try:
        if app.extensions["desk"].journal.remembered().phones.on:
            app.extensions["phone_line"].open()
    except OSError as error:
        click.echo(words.cannot_serve_phones(config, error), err=True)
    except (StoreDamaged, StoreTooNew, NotRecorded):
        # Told already.
        pass


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # One line a request tells a desk's keeper nothing, and a path tells others which sessions there are.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def _print_report(report: "Report") -> None:
    _print_json(
        {
            "sent": report.sent,
            "acked": report.acked,
            "waiting": report.waiting,
            "received": report.received,
            "problem": report.problem,
        }
    )


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def _end(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)
