"""`make faults`: try every kind of fault, print a table, and one JSON object as the last line."""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.machine import describe
from tests.faults.outcome import Effort, Outcome, Part

GOAL = 10_000
"""Random schedules that count as the whole effort; every other part is tried in proportion."""
PARTS = (
    "schedules",
    "variants",
    "kills",
    "power_cuts",
    "disk_errors",
    "bit_flips",
    "restores",
    "cut_bytes",
    "month_offline",
    "terrible_day",
    "bad_hubs",
    "fuzz",
    "bad_uploads",
)


def part(name: str) -> Part:
    """The part with this name: the function of that name in the module of that name."""
    found: Part = getattr(import_module(f"tests.faults.{name}"), name)
    return found


def main() -> None:
    schedules = int(os.environ.get("SCHEDULES") or 300)
    seed = int(os.environ.get("SEED") or time.time_ns() % 1_000_000)
    effort = Effort(seed=seed, scale=schedules / GOAL)
    with TemporaryDirectory() as folder:
        print(json.dumps(describe(Path(folder))), f"SEED={seed} SCHEDULES={schedules}", sep="\n", file=sys.stderr)
    outcomes = []
    for name in sys.argv[1:] or PARTS:
        began = time.monotonic()
        outcome = part(name)(effort)
        outcomes.append(outcome)
        print(_line(outcome, time.monotonic() - began), flush=True)
        for each in outcome.told:
            print(f"    {each}", flush=True)
    print(json.dumps({"seed": seed} | _sums(outcomes)))
    sys.exit(not all(outcome.well for outcome in outcomes))


def _line(outcome: Outcome, took_s: float) -> str:
    tried = ", ".join(f"{number:,} {name}" for name, number in outcome.tried.items())
    wrong = ", ".join(f"{number} {name}" for name, number in outcome.wrong.items())
    measured = "".join(f"; {name} {value:,.1f}" for name, value in outcome.measured.items())
    return f"{'ok ' if outcome.well else 'BAD'} {outcome.what}: {tried} -> {wrong}{measured} ({took_s:.0f} s)"


def _sums(outcomes: list[Outcome]) -> dict[str, int]:
    sums = {"schedules": 0, "lost": 0, "doubled": 0, "diverged": 0, "stuck": 0}
    for outcome in outcomes:
        for name, number in (*outcome.tried.items(), *outcome.wrong.items()):
            sums[name] = sums.get(name, 0) + number
    return sums


if __name__ == "__main__":
    main()
