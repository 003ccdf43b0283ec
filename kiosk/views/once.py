"""Answers to plain forms, shown one time."""

from dataclasses import dataclass
from secrets import token_urlsafe
from uuid import UUID

from kiosk.rules.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, and the session it is about."""

    verdict: Verdict
    session_id: UUID | None


class Once:
    """Keeps an answer until it is shown, and only the newest few.

    A page that was posted comes back with the browser's reload and back buttons, and would say a name to whoever stands
    there by then. An answer that was taken is gone.
    """

    AT_MOST = 8

    def __init__(self) -> None:
        self._kept: dict[str, Said] = {}

    def keep(self, said: Said) -> str:
        """The token that takes it."""
        token = token_urlsafe(16)
        self._kept[token] = said
        for oldest in list(self._kept)[: -self.AT_MOST]:
            self._kept.pop(oldest, None)
        return token

    def take(self, token: str | None) -> Said | None:
        """What was kept under this token. None: nothing, or it was taken before."""
        return None if token is None else self._kept.pop(token, None)
