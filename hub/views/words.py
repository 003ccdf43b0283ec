"""The words of files in: what codes, numbers, sizes and moments are to people, as filters for templates."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from flask_babel import (
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    gettext,
    ngettext,
)
from flask_babel import lazy_gettext as _l

from hub.actions.imports import Warned, Wrong
from hub.actions.imports.carrying_out import COUNTED
from hub.errors import UnreadableFile
from hub.readers import Kind
from hub.store.imports import Import, State
from hub.store.imports import Kind as FileKind
from hub.views import config
from hub.views.sentences import FLAGS, KEPT, PROBLEMS_OF, REASONS, WARNINGS_OF, sentence

STATES: Mapping[State, Any] = {
    "uploaded": _l("Uploaded, not checked"),
    "checking": _l("Being checked"),
    "checked": _l("Checked, not applied"),
    "applying": _l("Being applied"),
    "applied": _l("Applied"),
    "undoing": _l("Being undone"),
    "undone": _l("Undone"),
    "refused": _l("Refused"),
    "interrupted": _l("Interrupted"),
    "thrown_away": _l("Thrown away"),
}
_TONES: Mapping[State, str] = {
    "uploaded": "caution",
    "checked": "caution",
    "applied": "good",
    "refused": "bad",
    "interrupted": "bad",
}
_PARTS = {
    "created": _l("New"),
    "updated": _l("Changed"),
    "failed": _l("Cannot be used"),
    "skipped": _l("Skipped"),
    "flagged": _l("Flagged"),
}
_KINDS = {"students": _l("Student file"), "attendees": _l("Attendee file")}
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
}
_DELIMITERS = {
    ",": _l("commas"),
    ";": _l("semicolons"),
    "\t": _l("tabs"),
    "|": _l("vertical bars"),
}


class Timed(Protocol):
    """An event or a session."""

    @property
    def starts(self) -> datetime: ...

    @property
    def ends(self) -> datetime: ...


def problem(wrong: Wrong, kind: FileKind) -> str:
    """What is wrong with a cell."""
    return sentence(PROBLEMS_OF[kind], wrong.code, wrong.about, wrong.text)


def flag_in_words(code: str) -> str:
    """What there is to look at in a row."""
    return sentence(FLAGS, code, {}, code)


def warned(warning: Warned, kind: FileKind) -> str:
    """What there is to say about a whole file."""
    about = {key: value for key, value in msgspec.structs.asdict(warning).items() if value is not None}
    if warning.encoding is not None:
        about["encoding"] = encoding_name(warning.encoding)
    return sentence(WARNINGS_OF[kind], warning.code, about, warning.code)


def unreadable(error: UnreadableFile) -> str:
    """Why a file cannot be read."""
    return sentence(REASONS, error.reason, error.about, error.detail)


def refusal(result: Mapping[str, Any]) -> str:
    """Why an import did not happen, as its result says."""
    return sentence(REASONS, result["reason"], result["about"], result["detail"])


def state_in_words(state: State) -> str:
    """How far an import has got."""
    return str(STATES[state])


def tone(state: State) -> str:
    """Whether that is good or not, for the style sheet."""
    return _TONES.get(state, "")


def counts_in_words(result: Mapping[str, Any]) -> str:
    """What a file came to, in one line."""
    words: Mapping[str, Callable[[int, str], str]] = {
        "created": lambda count, number: ngettext("%(number)s new", "%(number)s new", count, number=number),
        "updated": lambda count, number: ngettext("%(number)s changed", "%(number)s changed", count, number=number),
        "unchanged": lambda count, number: ngettext("%(number)s the same", "%(number)s the same", count, number=number),
        "failed": lambda count, number: ngettext(
            "%(number)s cannot be used", "%(number)s cannot be used", count, number=number
        ),
        "skipped": lambda count, number: ngettext("%(number)s skipped", "%(number)s skipped", count, number=number),
    }
    counts = [(name, int(result.get(name) or 0)) for name in words]
    return ", ".join(words[name](count, format_decimal(count)) for name, count in counts if count) or gettext("no rows")


def numbers_in_words(row: Import) -> str:
    """What an import came to or would come to; nothing when that is not known."""
    counted = row.result is not None and "rows" in row.result
    return counts_in_words(row.result or {}) if counted else ""


def differs(expected: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Whether a file came to something else than was expected."""
    return any(expected.get(name) != result.get(name) for name in COUNTED)


def kept_because(code: str) -> str:
    """Why undoing left something as it is."""
    return sentence(KEPT, code, {}, code)


def not_undone(code: str) -> str:
    """Why undoing did not happen."""
    return sentence(REASONS, code, {}, str(REASONS["not_now"][0]))


def part_in_words(part: str) -> str:
    """A kind of rows."""
    return str(_PARTS[part])


def kind_of_file(kind: str) -> str:
    """What a file is about."""
    return str(_KINDS[kind])


def encoding_name(encoding: str | None) -> str:
    """How people call it."""
    return _ENCODINGS.get(encoding or "", encoding or "")


def delimiter_name(delimiter: str | None) -> str:
    """What stands between cells."""
    return str(_DELIMITERS.get(delimiter or "", delimiter or ""))


def line_of(number: int, kind: Kind) -> str:
    """Where in a file that is: spreadsheets number rows."""
    shown = format_decimal(number)
    return str(gettext("Line %(number)s", number=shown) if kind == "csv" else gettext("Row %(number)s", number=shown))


def size(count: int) -> str:
    """Bytes, roughly."""
    if count < 1_000:
        return str(ngettext("%(number)s byte", "%(number)s bytes", count, number=count))
    if count < 1_000_000:
        return str(gettext("%(number)s kB", number=format_decimal(round(count / 1_000))))
    return str(gettext("%(number)s MB", number=format_decimal(round(count / 1_000_000, 1))))


def percent(part: float) -> str:
    """A part of the whole, from 0 to 1."""
    return str(format_percent(part))


def moment(instant: datetime) -> str:
    """Day with year, and time."""
    return str(format_datetime(_local(instant), "d MMM y, HH:mm", rebase=False))


def span(timed: Timed) -> str:
    """From when to when."""
    start, end = _local(timed.starts), _local(timed.ends)
    until = f"{end:%H:%M}" if start.date() == end.date() else moment(timed.ends)
    return f"{format_date(start, 'EEE d MMM y', rebase=False)}, {start:%H:%M} – {until}"


def _local(instant: datetime) -> datetime:
    return instant.astimezone(config().time_zone)


FILTERS = (
    problem,
    flag_in_words,
    warned,
    unreadable,
    refusal,
    state_in_words,
    tone,
    counts_in_words,
    numbers_in_words,
    differs,
    kept_because,
    not_undone,
    part_in_words,
    kind_of_file,
    encoding_name,
    delimiter_name,
    line_of,
    size,
    percent,
    moment,
    span,
)
"""For templates, each by its own name."""
