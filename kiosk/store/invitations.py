"""One-time links to the check-in page for phones. In memory only: a restart ends them all."""

import secrets
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Answer = TypeVar("Answer")


class TurnedAway(Exception):
    """This phone does not get in by this link. `used`: another phone has it; `late`: its time is over, or it never was
    a link of ours."""

    def __init__(self, code: Literal["used", "late"]) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Invitation(Generic[Answer]):
    """One link. `answer` is the last one it got; with `spent` it was the last one it gets.

    Whoever asks for an answer and keeps it does both while holding `turn`.
    """

    token: str
    shown_ms: int
    holder: str | None = None
    opened_ms: int = 0
    misses: int = 0
    answer: Answer | None = None
    spent: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)


class Invitations(Generic[Answer]):
    """The links that are out. All moments are milliseconds since the device was started."""

    FRESH_MS = 60_000
    """How long one link stays on the desk's screen."""
    TO_OPEN_MS = 120_000
    """From when a link is shown to when a phone has opened it."""
    TO_ANSWER_MS = 180_000
    """From when it is opened to when it is done with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: dict[str, Invitation[Answer]] = {}
        self._on_screen: Invitation[Answer] | None = None

    def on_screen(self, at_ms: int) -> str:
        """The token of the link to show now: the same one until it is opened or has been there for a minute."""
        with self._lock:
            shown = self._on_screen
            if shown is None or shown.holder is not None or not 0 <= at_ms - shown.shown_ms < self.FRESH_MS:
                self._sweep(at_ms)
                shown = self._on_screen = Invitation(secrets.token_urlsafe(16), at_ms)
                self._out[shown.token] = shown
            return shown.token

    def open(self, token: str, holder: str | None, at_ms: int) -> Invitation[Answer]:
        """Come in by a link: the first phone that does gets it, and whoever knows its `holder` may again. Raises
        `TurnedAway`."""
        with self._lock:
            invitation = self._valid(token, at_ms)
            if invitation.holder is None:
                invitation.holder, invitation.opened_ms = secrets.token_urlsafe(16), at_ms
                return invitation
            return _of_holder(invitation, holder)

    def held(self, token: str, holder: str | None, at_ms: int) -> Invitation[Answer]:
        """The link this phone has opened. Raises `TurnedAway`."""
        with self._lock:
            return _of_holder(self._valid(token, at_ms), holder)

    def forget(self) -> None:
        """No link that is out is good any more."""
        with self._lock:
            self._out.clear()
            self._on_screen = None

    def _valid(self, token: str, at_ms: int) -> Invitation[Answer]:
        self._sweep(at_ms)
        invitation = self._out.get(token)
        if invitation is None:
            raise TurnedAway("late")
        return invitation

    def _sweep(self, at_ms: int) -> None:
        self._out = {token: each for token, each in self._out.items() if self._lives(each, at_ms)}

    def _lives(self, each: Invitation[Answer], at_ms: int) -> bool:
        if each.holder is None:
            return 0 <= at_ms - each.shown_ms <= self.TO_OPEN_MS
        return 0 <= at_ms - each.opened_ms <= self.TO_ANSWER_MS


def _of_holder(invitation: Invitation[Answer], holder: str | None) -> Invitation[Answer]:
    if holder is None or not secrets.compare_digest((invitation.holder or "").encode(), holder.encode()):
        raise TurnedAway("used")
    return invitation


class Turnstile:
    """How many requests come through in a minute: at most `each` from one address and `everybody` in all.

    A check-in takes three. Only what came through is remembered, and so never more than `everybody` lines.
    """

    MINUTE_MS = 60_000

    def __init__(self, each: int, everybody: int) -> None:
        self._each, self._everybody = each, everybody
        self._lock = threading.Lock()
        self._through: deque[tuple[int, str]] = deque()

    def wait_s(self, address: str, at_ms: int) -> int:
        """Come through: 0. Or the seconds to wait before trying again."""
        with self._lock:
            while self._through and not 0 <= at_ms - self._through[0][0] < self.MINUTE_MS:
                self._through.popleft()
            own = [at for at, who in self._through if who == address]
            if len(own) < self._each and len(self._through) < self._everybody:
                self._through.append((at_ms, address))
                return 0
            oldest = own[0] if len(own) >= self._each else self._through[0][0]
            return max(1, -(-(oldest + self.MINUTE_MS - at_ms) // 1000))
