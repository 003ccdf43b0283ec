"""Figures and ratios: collected, judged against their targets, printed."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Rule = Literal["<=", ">="]

_begun = time.perf_counter()


def say(text: str) -> None:
    """Progress, for people."""
    print(f"[{time.perf_counter() - _begun:5.0f} s] {text}", file=sys.stderr, flush=True)


def elapsed() -> float:
    """Seconds since this run began."""
    return time.perf_counter() - _begun


def rounds(name: str, most: int, within_s: float) -> Iterator[int]:
    """Numbers of rounds, the first of which warms up and is not counted. At least three, however long they take."""
    begun = time.perf_counter()
    for number in range(most):
        if number >= 3 and time.perf_counter() - begun > within_s:
            say(f"{name}: no time for more than {number} rounds")
            return
        say(f"{name}: round {number + 1} of {most}")
        yield number


def percentile(values: Iterable[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def over(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """The ratio of each pair."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


@dataclass(slots=True)
class Report:
    """What a run has found."""

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    ratios: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def figure(self, name: str, values: Sequence[float], unit: str) -> None:
        """One value a run."""
        self.figures[name] = _summary(values) | {"unit": unit}

    def ratio(self, name: str, values: Sequence[float], rule: Rule, target: float, unit: str = "x") -> None:
        """What has a target: the median of `values` is judged by it. `x` is ours over the reference."""
        found = _summary(values)
        met = found["median"] <= target if rule == "<=" else found["median"] >= target
        self.ratios[name] = found | {"unit": unit, "target": target, "rule": rule, "met": met}

    def skip(self, name: str, reason: str) -> None:
        """What could not be measured here, and why."""
        self.skipped[name] = reason
        say(f"{name} skipped: {reason}")

    def as_json(self, machine: dict[str, Any]) -> str:
        """The whole run."""
        told = {"machine": machine, "figures": self.figures, "ratios": self.ratios, "skipped": self.skipped}
        return json.dumps(told, indent=2)

    def table(self) -> str:
        """The whole run, for people."""
        lines = ["", f"{'figure':44} {'median':>10} {'min':>10} {'max':>10}  runs unit"]
        lines += [f"{name:44} {_row(each)} {each['unit']}" for name, each in self.figures.items()]
        lines += ["", f"{'target':44} {'median':>10} {'min':>10} {'max':>10}  runs"]
        for name, each in self.ratios.items():
            verdict = "met" if each["met"] else "MISSED"
            lines.append(f"{name:44} {_row(each)} {each['rule']} {each['target']} {each['unit']}: {verdict}")
        return "\n".join([*lines, "", *(f"skipped {name}: {why}" for name, why in self.skipped.items())])


def _summary(values: Sequence[float]) -> dict[str, Any]:
    return {
        "median": _rounded(median(values)),
        "min": _rounded(min(values)),
        "max": _rounded(max(values)),
        "runs": len(values),
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 10_000 else round(value)


def _row(each: dict[str, Any]) -> str:
    return f"{each['median']:>10} {each['min']:>10} {each['max']:>10} {each['runs']:>5}"
