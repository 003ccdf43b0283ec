"""What the command line tells people: what happened, its stable code, and the way out."""

import errno

from kiosk.config import Config
from kiosk.store.journal import Standing
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
        "device_unknown": "The hub does not know this kiosk's token. Check-ins go on and are kept."
        " To enrol afresh use another KIOSK_DATA_DIR, and keep this one.",
        "device_revoked": "The hub has withdrawn this kiosk. Its check-ins are kept, its list is gone.",
        "proto_too_old": "The hub asks for a newer version of this program. Check-ins are kept.",
    }
    return words.get(code, _REFUSED.get(code, "Nothing is lost; it is sent with the next exchange.")) + (f" ({code})")


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


def enrolment_refused(code: str) -> str:
    return f"{_REFUSED.get(code, 'The hub did not enrol this kiosk.')} ({code})"
