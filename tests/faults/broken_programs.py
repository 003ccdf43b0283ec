"""Programs that break one promise each. A part of `make faults` that does not notice them would be worth nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def break_it(variant: str) -> None:
    """From now on, this process breaks the promise with that name."""
    _VARIANTS[variant]()


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


_VARIANTS: dict[str, Callable[[], None]] = {
    "kiosk_forgets_intents": _kiosk_forgets_intents,
    "kiosk_answers_first": _kiosk_answers_first,
    "hub_drops_facts": _hub_drops_facts,
}
