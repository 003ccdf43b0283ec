"""Whether a desk is ready before its doors open: one rule a thing to look at. The words for it are in a template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.messages import Session

OLDEST_LIST = timedelta(hours=24)
"""A list that has not agreed with the hub's for longer may lack whoever was added since."""
FARTHEST_CLOCK = timedelta(seconds=60)
"""Further from the hub's time than this, opening times and printed lists would mislead."""
LEAST_ROOM = 200 * 1024 * 1024
"""Bytes that must be free: check-ins of years, and a fresh list of everybody beside the one in use."""
LONGEST_SILENCE = timedelta(minutes=5)
"""The postman speaks to the hub every few seconds, and writes that down every minute."""
REHEARSAL_HOLDS = timedelta(hours=12)
"""A rehearsal speaks for the day it was made on."""

Value = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `ok` None: it could not be found out.

    `name` says what, `code` what was found; both are stable. `values` belong into its words.
    """

    name: str
    ok: bool | None
    code: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The journal was damaged, and when; `file` is what is left of it, of which `lost` entries are not in the journal
    now, or not for certain. None: nobody knows how many."""

    at: datetime
    file: str
    lost: int | None


def all_well(checks: list[Check]) -> bool:
    """Whether the doors may open: what could not be found out is not well."""
    return all(check.ok for check in checks)


def membership(institution: str | None, withdrawn: bool) -> Check:
    """Whether the kiosk belongs to a hub, and still does."""
    if institution is None:
        return Check("membership", False, "not_enrolled")
    return Check("membership", not withdrawn, "withdrawn" if withdrawn else "enrolled", {"institution": institution})


def session(chosen: Session | None, today: bool) -> Check:
    """Whether the desk stands at a session of today."""
    if chosen is None:
        return Check("session", False, "no_session")
    values: dict[str, Value] = {"name": chosen.name, "starts": chosen.starts}
    return Check("session", today, "today" if today else "another_day", values)


def people(number: int | None, well_at: datetime | None, now: datetime) -> Check:
    """Whether there is a list of people, with somebody on it, that agreed with the hub's not long ago."""
    if number is None:
        return Check("list", False, "no_list")
    values = {"people": number, "well_at": well_at}
    if number == 0:
        return Check("list", False, "nobody", values)
    if well_at is None:
        return Check("list", None, "age_unknown", values)
    fresh = abs(now - well_at) <= OLDEST_LIST
    return Check("list", fresh, "fresh" if fresh else "old", values)


def clock(ahead: timedelta | None) -> Check:
    """Whether the device's date is the hub's; `ahead` None: they were not compared since the device was started."""
    if ahead is None:
        return Check("clock", None, "unknown")
    right = abs(ahead) <= FARTHEST_CLOCK
    return Check("clock", right, "right" if right else "wrong", {"ahead_s": round(ahead.total_seconds())})


def disk(room: int, room_left: int | None = None) -> Check:
    """Whether there is enough room, in bytes, where check-ins are kept; `room_left`: for how many, once it is full."""
    if room_left is not None:
        return Check("disk", False, "full", {"check_ins": room_left})
    enough = room >= LEAST_ROOM
    return Check("disk", enough, "room" if enough else "little_room", {"mib": room // (1024 * 1024)})


def journal(problem: str | None, durable: bool) -> Check:
    """Whether the journal takes a write, and would keep it through a power cut."""
    if problem is not None:
        return Check("journal", False, "problem", {"problem": problem})
    return Check("journal", durable, "durable" if durable else "not_durable")


def records(facts: int, fault: str | None, salvaged: Salvaged | None) -> Check:
    """Whether everything that was recorded is still there, as it was; `fault`: what is not, and where."""
    if fault is not None:
        return Check("records", False, "damaged", {"fault": fault})
    if salvaged is None:
        return Check("records", True, "as_written", {"facts": facts})
    values: dict[str, Value] = {"at": salvaged.at, "file": salvaged.file, "lost": salvaged.lost}
    whole = salvaged.lost == 0
    return Check("records", whole, "salvaged" if whole else "incomplete", values)


def hub(at: datetime | None, problem: str | None, round_trip_ms: int | None, now: datetime) -> Check:
    """How the last exchange with the hub went; `at` None: there has been none."""
    if at is None:
        return Check("hub", None, "never")
    values = {"at": at, "problem": problem, "round_trip_ms": round_trip_ms}
    if problem is not None:
        return Check("hub", False, "problem", values)
    lately = abs(now - at) <= LONGEST_SILENCE
    return Check("hub", lately, "answered" if lately else "silent", values)


def handed_over(check_ins: int, others: int) -> Check:
    """Whether the hub has everything that was recorded here."""
    none = check_ins + others == 0
    return Check("waiting", none, "all_sent" if none else "waiting", {"check_ins": check_ins, "others": others})


def pin(known: bool) -> Check:
    """Whether the staff's pages are locked."""
    return Check("pin", known, "set" if known else "not_set")


def cards(formats: int | None) -> Check:
    """How many card formats there are; None: there is no list that says so. Without any a desk works as well."""
    if formats is None:
        return Check("cards", None, "unknown")
    return Check("cards", True, "formats" if formats else "no_formats", {"formats": formats})


def rehearsal(at: datetime | None, at_hub: bool, now: datetime) -> Check:
    """How far the last rehearsal came; `at` None: there was none."""
    if at is None:
        return Check("rehearsal", None, "none")
    values = {"at": at}
    if abs(now - at) > REHEARSAL_HOLDS:
        return Check("rehearsal", None, "long_ago", values)
    return Check("rehearsal", True if at_hub else None, "at_hub" if at_hub else "on_disk", values)
