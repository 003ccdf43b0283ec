"""What a kiosk remembers of itself, as its journal keeps it beside the facts."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from sync.engine import ClockSample
from sync.messages import Assignment, DeskLock, Enrolled, Moment, Session


class Standing(msgspec.Struct, frozen=True):
    """The hub this kiosk belongs to, and how it is known there. `authority`: the certificate (DER) of the only one that
    may vouch for it; None: those that everybody trusts."""

    url: str
    enrolled: Enrolled
    authority: bytes | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """How the postman's last exchange went, for the screen and for `kiosk status`.

    `well_at` is when the last one without a problem ended, `sent_at` when check-ins were last handed over. `withdrawn`:
    the hub has cut this kiosk off, and has not taken that back. `sample`: the two clocks side by side, once they were.
    `audited_at`: when the whole roster was last found to be the hub's.
    """

    at: datetime
    withdrawn: bool = False
    well_at: datetime | None = None
    problem: str | None = None
    sent_at: datetime | None = None
    audited_at: datetime | None = None
    sample: ClockSample | None = None


class Scanner(msgspec.Struct, frozen=True):
    """What the desk's scanner was found to type, and when: `changes` from what comes in to what was meant, as `layout`
    has it; `lost` never comes in."""

    layout: str
    changes: dict[str, str]
    lost: str
    at: datetime


class Tries(msgspec.Struct, frozen=True):
    """How many wrong PINs in a row, and when the last of them was tried."""

    wrong: int
    last: Moment


class Phones(msgspec.Struct, frozen=True):
    """Whether phones may check in, and by which name or address they find this device; None: it finds that out."""

    on: bool = False
    address: str | None = None


class Salvaged(msgspec.Struct, frozen=True, kw_only=True):
    """That this journal was made from what was left of a damaged one, and what became of its facts.

    `kept_as` is the name of the damaged file beside it, `why` what was found. `carried`: the facts that are here;
    `mended` of them had one wrong bit, of `unproven` what came before is lost. `altered` could be read, but are not as
    they were written: they are in a file beside the damaged one. `missing`: how many cannot be read, as far as anybody
    knows, None when nobody does; `gaps` their numbers, some of them when there are many. `forgotten`: what the kiosk
    had to forget of its settings. `before`: the salvages that this journal came out of earlier.
    """

    at: datetime
    why: str
    kept_as: str
    carried: int
    mended: int
    unproven: int
    altered: int
    missing: int | None
    gaps: tuple[tuple[int, int], ...]
    forgotten: tuple[str, ...]
    before: tuple["Salvaged", ...] = ()

    @property
    def all(self) -> tuple["Salvaged", ...]:
        """Every salvage, the first one first."""
        return (*self.before, msgspec.structs.replace(self, before=()))

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the damaged files."""
        return tuple(each.kept_as for each in self.all)

    @property
    def lost(self) -> int | None:
        """How many facts are not here, or not for certain; None: nobody knows."""
        if self.missing is None or any(each.missing is None for each in self.before):
            return None
        # Those that are altered are among those that are missing, unless their number was what was damaged.
        return max(self.missing, self.altered) + self.unproven + sum(each.lost or 0 for each in self.before)

    @property
    def whole(self) -> bool:
        """Whether everything that was recorded is here."""
        return self.lost == 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the kiosk knows of itself, all of one moment.

    `session` is the one chosen for this desk, as the roster knew it then: it outlives the roster. Tags of addresses the
    roster does not know are made with `local_key`, which never leaves the kiosk. `leaving`: the desk checks people out.
    `lock` is what the desk PIN opens; it is remembered here too, so that a desk without a roster is no open desk.
    `scanner` None: what scanners type is taken as it is. `phones`: whether people may check in on their own.
    """

    standing: Standing | None
    session: Session | None
    exchange: Exchange | None
    local_key: bytes
    leaving: bool = False
    lock: DeskLock | None = None
    assignment: Assignment | None = None
    scanner: Scanner | None = None
    phones: Phones = field(default_factory=Phones)

    @property
    def withdrawn(self) -> bool:
        """Whether the hub has cut this kiosk off."""
        return self.exchange is not None and self.exchange.withdrawn
