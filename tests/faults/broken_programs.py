"""Programs that break one promise each. A part of `make faults` that does not notice them would be worth nothing.

And two that break none: their hours pass in seconds, or their clock is wrong.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any

AHEAD = timedelta(days=20 * 365)


def break_it(variant: str) -> None:
    """From now on, this process breaks the promise with that name; or several, with a space between their names."""
    for each in variant.split():
        _VARIANTS[each]()


def _kiosk_forgets_intents() -> None:
    """A form that is sent again is taken for another visit."""
    from kiosk.store.journal import Page

    Page.repeated = lambda *_: None  # type: ignore[method-assign]


def _kiosk_answers_first() -> None:
    """The student is welcomed, and the check-in is not kept."""
    from kiosk.store import sqlite

    write_tx = sqlite.write_tx

    @contextmanager
    def forgetful(db: Any) -> Iterator[None]:
        with write_tx(db):
            yield
            db.conn.execute("ROLLBACK")
            db.conn.execute("BEGIN IMMEDIATE")

    sqlite.write_tx = forgetful


def _hub_drops_facts() -> None:
    """Every tenth fact is acknowledged, and not kept."""
    from hub.store import facts

    add = facts.add

    def drop(conn: Any, rows: Any) -> None:
        add(conn, [row for row in rows if row["seq"] % 10])

    facts.add = drop


def _hours_pass_in_seconds() -> None:
    """A kiosk's pauses are short, so that a day need not last one. What it does between them is as ever."""
    from kiosk import postman
    from sync import pace

    pace.STEADY_S, pace.FIRST_S, pace.CAP_S = 0.25, 0.05, 0.5
    postman._AUDITS = timedelta(seconds=1)


def _clock_is_ahead() -> None:
    """The kiosk's clock is twenty years ahead."""
    from kiosk import clock

    class Ahead:
        @staticmethod
        def now(zone: tzinfo | None = None) -> datetime:
            return datetime.now(zone) + AHEAD

    vars(clock)["datetime"] = Ahead


_VARIANTS: dict[str, Callable[[], None]] = {
    "kiosk_forgets_intents": _kiosk_forgets_intents,
    "kiosk_answers_first": _kiosk_answers_first,
    "hub_drops_facts": _hub_drops_facts,
    "hours_pass_in_seconds": _hours_pass_in_seconds,
    "clock_is_ahead": _clock_is_ahead,
}
