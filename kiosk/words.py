"""What the command line tells people: what happened, its stable code, and the way out."""

import errno
from datetime import datetime, timedelta, tzinfo

from kiosk.clock import local
from kiosk.config import Config
from kiosk.store.journal import Standing, Waiting
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew

ENROL_FIRST = "This kiosk is not enrolled. Ask the hub for a code (hub kiosks invite), then:\n  kiosk enrol URL CODE"
_REFUSED = {
    "code_refused": "The hub refuses this code: it is wrong, already used or older than ten minutes."
    " Ask for a new one (hub kiosks invite).",
    "not_our_hub": "Something answers at this address, but it is not a hub. Check the address;"
    " a public Wi-Fi's sign-in page may stand in between.",
    "hub_unreachable": "Nobody answers at this address. Check the address and the network.",
    "hub_busy": "The hub is busy or being restarted. Try again in a moment.",
    "not_a_url": "This is not an address of a hub. It looks like https://hub.example.edu",
}
_DISK = {
    "disk_full": "The disk is full: make room, nothing that was recorded is lost.",
    "read_only": "The data folder cannot be written to: check its owner and mode.",
    "busy": "Another program holds the journal: end it, or try again.",
}


def store_trouble(error: StoreDamaged | StoreTooNew | NotRecorded) -> str:
    match error:
        case StoreDamaged():
            return (
                f"{error.path} cannot be read any more (store_damaged).\n"
                "Check-ins acknowledged by the hub are safe there. Keep this file: others may be in it.\n"
                f"To go on, move it away and enrol again:  mv {error.path} {error.path}.damaged"
            )
        case StoreTooNew():
            return (
                f"{error.path} was written by a newer version of this program (store_too_new).\n"
                "Nothing was changed. Install that version again, or a later one."
            )
        case _:
            advice = _DISK.get(error.reason, "Check the disk and the data folder.")
            return f"The journal could not be written ({error.reason}). {advice}"


def exchange_problem(code: str) -> str:
    words = {
        "hub_unreachable": "The hub cannot be reached. Check-ins go on and are kept; they are sent by themselves.",
        "unfinished": "The hub answers; the list is still on its way.",
        "fork": "The hub has other check-ins under this kiosk's name: was its folder copied, or put back from a backup?"
        " Check-ins are kept; call the office.",
        "device_unknown": "The hub does not know this kiosk's token. Check-ins go on and are kept."
        " To enrol afresh use another KIOSK_DATA_DIR, and keep this one.",
        "device_revoked": "The hub has withdrawn this kiosk. Its check-ins are kept, its list is gone.",
        "proto_too_old": "The hub asks for a newer version of this program. Check-ins are kept.",
    }
    return words.get(code, _REFUSED.get(code, "Nothing is lost; it is sent with the next exchange.")) + (f" ({code})")


def number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def waiting(found: Waiting) -> str:
    kinds = ((found.check_ins, "check-in", "check-ins"), (found.others, "other entry", "other entries"))
    parts = [number(*each) for each in kinds if each[0]]
    return f"{' and '.join(parts)} waiting to be sent" if parts else "everything sent"


def last_sent(at: datetime | None, zone: tzinfo | None) -> str:
    return "" if at is None else f", last sent {local(at, zone):%Y-%m-%d %H:%M}"


def clock(ahead: timedelta | None) -> str:
    if ahead is None:
        return "clock not compared with the hub since this device was started"
    seconds = round(ahead.total_seconds())
    return "clock right" if seconds == 0 else f"clock {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


def already_enrolled(config: Config, standing: Standing | None) -> str:
    name = standing.enrolled.institution if standing else "a hub"
    return (
        f"This kiosk is already enrolled with {name} (already_enrolled).\n"
        "To enrol it elsewhere, see that nothing waits (kiosk post --once), then use another folder:\n"
        f"  KIOSK_DATA_DIR=... kiosk enrol URL CODE    (now: {config.data_dir})"
    )


def cannot_listen(config: Config, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {config.port} on {config.host} is in use, perhaps by another kiosk.\n"
            f"End that program, or choose another port:  kiosk serve --port {config.port + 1}"
        )
    return (
        f"Cannot listen on {config.host}:{config.port} ({error.strerror or error}).\n"
        "Choose another with --host and --port."
    )


def cannot_serve_phones(config: Config, error: OSError) -> str:
    return (
        f"Phones cannot be served on {config.phone_host}:{config.phone_port} ({error.strerror or error}).\n"
        "The desk works without. Set KIOSK_PHONE_PORT to another port, or switch phones off on the staff pages."
    )


def enrolment_refused(code: str) -> str:
    return f"{_REFUSED.get(code, 'The hub did not enrol this kiosk.')} ({code})"
