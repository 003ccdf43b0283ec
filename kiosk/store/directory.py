"""The staff directory, opened: whom staff find by name. In memory only, and only while the desk is unlocked."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar
from uuid import UUID

from kiosk.store.roster import Roster
from kiosk.store.roster_rows import Directory, Listed, State
from sync import seals
from sync.directory import Line, read

_LOOK_AGAIN_S = 1.0
_RENEW_EVERY = 30
"""Looks from one renewal to the next: a new index is seconds of work, and each student who is changed asks for one."""
_FIRST_PORTION = 4_000

IndexT = TypeVar("IndexT")


@dataclass(frozen=True, slots=True)
class Listing:
    """Somebody as the directory has them. `state` is `active` or `disabled`; `registered`: ids of sessions; `seal` is
    another one for each other line."""

    ref: UUID
    state: str
    position: int
    registered: tuple[UUID, ...]
    line: Line
    seal: bytes


@dataclass(frozen=True, slots=True)
class Reading(Generic[IndexT]):
    """What of the directory is open: `listings`, and the index made of their lines, in the same order.

    `state` is the roster's they are from. `total`: how many lines there are; one sealed with another key stays shut.
    `whole`: no more are to come.
    """

    state: State | None
    listings: Sequence[Listing]
    index: IndexT
    total: int
    whole: bool
    by_ref: dict[UUID, Listing] = field(repr=False)

    @property
    def position(self) -> int:
        """How far the roster had come."""
        return self.state[1] if self.state else 0


class OpenDirectory(Generic[IndexT]):
    """Open from `open` until the door is shut or `forget`, and kept up with the roster by a thread of its own.

    A large directory takes seconds: what is open so far can be asked meanwhile. `index` makes of the lines what they
    are searched with.
    """

    def __init__(self, roster: Roster, index: Callable[[Sequence[Line]], IndexT]) -> None:
        self._roster, self._index = roster, index
        self._lock = threading.Lock()
        self._shut = threading.Event()
        self._shut.set()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._reading: Reading[IndexT] | None = None

    def open(self, key: bytes, is_door_open: Callable[[], bool]) -> None:
        """Open it with this key, as long as the door is open."""
        self.forget()
        with self._lock:
            self._shut, self._ready = threading.Event(), threading.Event()
            task = (key, is_door_open, self._shut, self._ready)
            self._thread = threading.Thread(target=self._keep_up, args=task, name="directory", daemon=True)
            self._thread.start()

    def forget(self) -> None:
        """Every name is gone from memory."""
        with self._lock:
            self._shut.set()
            self._reading = None

    def close(self) -> None:
        """Forget, and wait until nothing is under way."""
        self.forget()
        if self._thread is not None:
            self._thread.join()

    def reading(self, patience_s: float = 0.5) -> Reading[IndexT] | None:
        """What is open now, after waiting so long for all of it. None: nothing is, or not yet."""
        if not self._shut.is_set():
            self._ready.wait(patience_s)
        return self._reading

    def find(self, ref: UUID) -> Listing | None:
        """Who that is. None: nobody who is in what is open now."""
        reading = self._reading
        return None if reading is None else reading.by_ref.get(ref)

    def _keep_up(
        self, key: bytes, is_door_open: Callable[[], bool], shut: threading.Event, ready: threading.Event
    ) -> None:
        looks = count()
        while is_door_open() and not shut.is_set():
            if next(looks) % _RENEW_EVERY == 0:
                self._catch_up(key, shut)
            ready.set()
            shut.wait(_LOOK_AGAIN_S)
        with self._lock:
            # Another unlocking may have opened it again meanwhile.
            if self._shut is shut:
                shut.set()
                self._reading = None

    def _catch_up(self, key: bytes, shut: threading.Event) -> None:
        known = self._reading
        if known is not None and known.whole and known.state == self._roster.state():
            return
        for reading in self._readings(key, known, shut):
            with self._lock:
                if shut.is_set():
                    return
                # All of what is older is more than the beginning of what is newer.
                if reading.whole or known is None or not known.whole:
                    self._reading = reading

    def _readings(self, key: bytes, known: Reading[IndexT] | None, shut: threading.Event) -> Iterator[Reading[IndexT]]:
        """What is open after each portion, every one several times as large: an index cannot grow."""
        sealed = self._roster.directory()
        if sealed is None:
            yield Reading(None, [], self._index([]), 0, True, {})
            return
        same = known is not None and known.state is not None and known.state[0] == sealed.epoch
        before = known.by_ref if known is not None and same else {}
        listings: list[Listing] = []
        total = len(sealed.lines)
        # Once all of it is open, nobody waits for the beginning of the next.
        start, end = 0, total if known is not None and known.whole else _FIRST_PORTION
        while start == 0 or start < total:
            listings += _opened(key, sealed, sealed.lines[start:end], before, shut)
            yield Reading(
                state=sealed.state,
                listings=list(listings),
                index=self._index([each.line for each in listings]),
                total=total,
                whole=end >= total,
                by_ref={each.ref: each for each in listings},
            )
            start, end = end, end * 4


def _opened(
    key: bytes, sealed: Directory, lines: Sequence[Listed], before: dict[UUID, Listing], shut: threading.Event
) -> Iterator[Listing]:
    """Whoever can be read. What was open before, and is sealed alike, is not opened again."""
    for each in lines:
        if shut.is_set():
            return
        known = before.get(each.ref)
        seal = each.line[: seals.LINE_NONCE]
        if known is not None and (known.position, known.state, known.seal) == (each.position, each.state, seal):
            yield known
            continue
        body = seals.open_directory_line(key, each.line, sealed.epoch, each.position)
        line = None if body is None else read(body)
        if line is not None:
            yield Listing(each.ref, each.state, each.position, each.registered, line, seal)
