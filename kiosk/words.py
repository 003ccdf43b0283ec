"""What the command line tells people: what happened, its stable code, and the way out."""

import errno
from datetime import datetime, timedelta, tzinfo

from kiosk.clock import local
from kiosk.config import Config
from kiosk.store.journal import Waiting
from kiosk.store.remembered import Salvaged, Standing
from kiosk.store.sqlite import NotOurs, NotRecorded, StoreDamaged, StoreTooNew

ENROL_FIRST = "This kiosk is not enrolled. Ask the hub for a code (hub kiosks invite), then:\n  kiosk enrol URL CODE"
_REFUSED = {
    "code_refused": "The hub refuses this code: it is wrong, already used or older than ten minutes."
    " Ask for a new one (hub kiosks invite).",
    "not_our_hub": "Something answers at this address, but it is not a hub. Check the address;"
    " a public Wi-Fi's sign-in page may stand in between.",
    "hub_unreachable": "Nobody answers at this address. Check the address (http or https?) and the network.",
    "hub_not_trusted": "Whoever answers at this address has no certificate for it that this kiosk trusts. Nothing was"
    " sent. Does the hub have an authority of its own? Then give --ca as hub kiosks invite prints it. Is this address"
    " one of those that hub tls show prints? Otherwise somebody may stand in between.",
    "other_authority": "The hub there shows another certificate authority than the one you named, or none. Nothing was"
    " sent. Compare the fingerprint with hub tls show; if they are the same, somebody stands in between.",
    "another_postman": "The postman of this kiosk is at work with its old standing. End it (kiosk post), then again.",
    "hub_busy": "The hub is busy or being restarted. Try again in a moment.",
    "not_a_url": "This is not an address of a hub. It looks like https://hub.example.edu",
    "not_https": "A hub with a certificate authority of its own has an address that begins with https://",
    "not_a_fingerprint": "This is not a fingerprint: it has 64 hexadecimal digits. hub tls show prints it.",
}
_DISK = {
    "disk_full": "The disk is full: make room, nothing that was recorded is lost.",
    "read_only": "The data folder cannot be written to: check its owner and mode.",
    "busy": "Another program holds the journal: end it, or try again.",
}


def store_trouble(error: StoreDamaged | StoreTooNew | NotRecorded) -> str:
    match error:
        case NotOurs():
            return (
                f"{error.path} is a database of another program (store_damaged). Nothing was changed.\n"
                "Use another KIOSK_DATA_DIR, or move that file away:"
                f"  mv {error.path} {error.path}.elsewhere"
            )
        case StoreDamaged():
            return (
                f"{error.path} is damaged (store_damaged). Keep it: nothing is deleted.\n"
                "To go on with every check-in that can be read of it:  kiosk salvage\n"
                "(kiosk serve and kiosk post do the same when they start.)"
            )
        case StoreTooNew():
            return (
                f"{error.path} was written by a newer version of this program (store_too_new).\n"
                "Nothing was changed. Install that version again, or a later one."
            )
        case _:
            advice = _DISK.get(error.reason, "Check the disk and the data folder.")
            return f"The journal could not be written ({error.reason}). {advice}"


def salvaged(told: Salvaged) -> str:
    """What became of a journal that was damaged, each time it was."""
    return "\n".join(map(_salvaged, told.all))


def _salvaged(told: Salvaged) -> str:
    carried = number(told.carried, "entry", "entries")
    lines = [f"The journal was damaged ({told.why}) and was made anew: {carried} carried over."]
    if told.missing is None:
        lines.append("How many are missing cannot be known.")
    elif told.missing:
        lines.append(f"{told.missing} are missing: number {_gaps(told)}. The hub may have them.")
    if told.altered:
        among = " of the missing ones" if told.missing else ""
        lines.append(f"{told.altered}{among} can be read, are not as they were written, and were left out.")
    if told.unproven:
        lines.append(f"{told.unproven} cannot be proven to be as they were written, and were carried over.")
    if told.altered or told.unproven:
        lines.append(f"The office finds them in {told.kept_as.removesuffix('.sqlite')}.facts.jsonl.")
    if "standing" in told.forgotten:
        lines.append("It knows no hub to belong to. It keeps its check-ins; to enrol it:  kiosk enrol URL CODE")
    lines.append(f"The damaged file is {told.kept_as}. You are told of it until it is moved away: the office wants it.")
    return "\n".join(lines)


def _gaps(told: Salvaged) -> str:
    named = ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in told.gaps)
    others = (told.missing or 0) - sum(last - first + 1 for first, last in told.gaps)
    return f"{named} and {others} more" if others > 0 else named


def exchange_problem(code: str) -> str:
    words = {
        "hub_unreachable": "The hub cannot be reached. Check-ins go on and are kept; they are sent by themselves.",
        "hub_not_trusted": "Whoever answers in the hub's place cannot prove to be the hub. Nothing was sent to it,"
        " check-ins go on and are kept. Look at the network; if the hub has a new authority (hub tls make --new-ca),"
        " end the postman and enrol this kiosk again.",
        "unfinished": "The hub answers; the list is still on its way.",
        "fork": "The hub has other check-ins under this kiosk's name: was its folder copied, or put back from a backup?"
        " Check-ins are kept; call the office.",
        "device_unknown": "The hub does not know this kiosk's token. Check-ins go on and are kept."
        " End the postman, and enrol it at the same hub again: kiosk enrol URL CODE.",
        "device_revoked": "The hub has withdrawn this kiosk. Its check-ins are kept, its list is gone."
        " If it shall serve again, enrol it at the same hub: kiosk enrol URL CODE.",
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
        "If that hub does not know it any more, let it find out (kiosk post --once), then enrol it there again.\n"
        "To enrol it elsewhere, see that nothing waits (kiosk post --once), then use another folder:\n"
        f"  KIOSK_DATA_DIR=... kiosk enrol URL CODE    (now: {config.data_dir})"
    )


def another_hub(config: Config, standing: Standing | None) -> str:
    name = standing.enrolled.institution if standing else "another hub"
    return (
        f"This kiosk holds check-ins of {name}, and that is another hub or institution (another_hub).\n"
        "Nothing was changed here; its code is used up. Enrol it with its own hub, or use another folder:\n"
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
