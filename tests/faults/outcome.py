"""What a part of `make faults` found out, in one line of the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried. `scale` 1.0: as much as the goals of docs/reliability.md ask for; tests try a little of it.

    The same `seed` tries the same again.
    """

    seed: int
    scale: float

    def share(self, goal: int, least: int = 1) -> int:
        """How many of a goal's number of tries this effort makes."""
        return max(least, round(goal * self.scale))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line: what was tried how often, what must be zero, and what was measured (unit in the name: `p99_ms`).

    `told`: what somebody needs to see a failure again, a line each.
    """

    what: str
    tried: Mapping[str, int]
    wrong: Mapping[str, int]
    measured: Mapping[str, float] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether everything was tried at least once and nothing went wrong."""
        return bool(self.tried) and all(self.tried.values()) and not any(self.wrong.values())


Part = Callable[[Effort], Outcome]
"""Tries one kind of fault. Long ones say on stderr how far they are."""
