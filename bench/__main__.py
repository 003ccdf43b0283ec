"""`python -m bench [part]`: one JSON object on stdout, a table for people on stderr.

Without a part: all of them, but for those that take longer than a whole run may.
"""

import os
import sys
from importlib import import_module

from bench.hubs import World, world
from bench.machine import describe
from bench.report import Report, elapsed, say

PARTS = (
    *("desk", "names", "browser", "strangers", "imports", "ingest", "roster", "count", "idle", "growth"),
    "imports_postgresql",
)
ON_REQUEST = {"endurance": "left out by default, it takes ten minutes: make bench ONLY=endurance"}

LATEST_S = 450
"""No part begins after so many seconds: a run stays below ten minutes, and says what it left out."""


def main() -> int:
    """0, whatever was found; 2 for a part that does not exist."""
    asked = sys.argv[1:] or list(PARTS)
    unknown = [name for name in asked if name not in (*PARTS, *ON_REQUEST)]
    if unknown:
        print(f"There is no part {', '.join(unknown)}. There are: {', '.join((*PARTS, *ON_REQUEST))}", file=sys.stderr)
        return 2
    report = Report()
    if not sys.argv[1:]:
        for name, reason in ON_REQUEST.items():
            report.skip(name, reason)
    with world() as here:
        machine = describe(here.folder)
        for name in asked:
            _part(name, here, report)
    machine["load_at_end"] = [round(each, 2) for each in os.getloadavg()]
    machine["seconds"] = round(elapsed())
    print(report.table(), file=sys.stderr)
    print(report.as_json(machine))
    return 0


def _part(name: str, here: World, report: Report) -> None:
    if elapsed() > LATEST_S:
        report.skip(name, f"no time left in this run: python -m bench {name}")
        return
    say(f"{name} begins")
    try:
        import_module(f"bench.{name}").run(here, report)
    except Exception as error:
        # Whatever hinders one part, the others still have something to tell.
        report.skip(name, f"{type(error).__name__}: {error}"[:400])


if __name__ == "__main__":
    sys.exit(main())
