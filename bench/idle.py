"""What the programs cost before anybody comes: start, memory, imports, against `import flask`."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.desks import new_kiosk
from bench.hubs import World, new_hub
from bench.processes import Server, complete, free_port, memory_mib
from bench.report import Report, over, rounds

ROUNDS = 6
SETTLED_S = 1.5
"""After the first answer: the hub's second worker may still be starting."""

IMPORTS = {
    "flask": "flask",
    "kiosk": "kiosk.cli, kiosk.web, waitress",
    "hub": "hub.cli, hub.server",
}
"""What each command has imported before it serves."""


def run(world: World, report: Report) -> None:
    """Several starts of each, in turn."""
    kiosk = new_kiosk(world.place("kiosk"), free_port(), 1_000)
    hub = new_hub(world.place("hub"))
    flask_mib = _imports(report)
    starts: dict[str, Callable[[], AbstractContextManager[Server]]] = {
        "kiosk": kiosk.serve,
        "hub_2_workers": lambda: hub.serve(workers=2),
    }
    resident: dict[str, list[float]] = {name: [] for name in starts}
    proportional: dict[str, list[float]] = {name: [] for name in starts}
    start_s: dict[str, list[float]] = {name: [] for name in starts}
    for _ in rounds("idle, starts", ROUNDS, 60):
        for name, serve in starts.items():
            with serve() as server:
                time.sleep(SETTLED_S)
                rss, pss = memory_mib(server.pid)
            resident[name].append(rss)
            proportional[name].append(pss)
            start_s[name].append(server.start_s)
    for name in starts:
        report.figure(f"idle.{name}_start", start_s[name][1:], "s")
        report.figure(f"idle.{name}_rss", resident[name][1:], "MiB")
        report.figure(f"idle.{name}_pss", proportional[name][1:], "MiB")
    report.ratio("idle.hub_2_workers_rss", resident["hub_2_workers"][1:], "<=", 180, "MiB")
    report.ratio("idle.kiosk_rss/import_flask", [each / flask_mib for each in resident["kiosk"][1:]], "<=", 2.5)


def _imports(report: Report) -> float:
    """Import times; answers the memory of a Python that has imported Flask."""
    seconds: dict[str, list[float]] = {name: [] for name in IMPORTS}
    memory: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in rounds("idle, imports", ROUNDS + 2, 40):
        for name, modules in IMPORTS.items():
            code = f"import time; begun = time.perf_counter(); import {modules}; print(time.perf_counter() - begun)"
            done = complete([sys.executable, "-c", code])
            seconds[name].append(float(done.stdout))
            memory[name].append(done.peak_mib)
    for name in IMPORTS:
        report.figure(f"idle.import_{name}", [1000 * each for each in seconds[name][1:]], "ms")
        report.figure(f"idle.import_{name}_memory", memory[name][1:], "MiB")
    report.ratio("idle.import_kiosk/import_flask", over(seconds["kiosk"][1:], seconds["flask"][1:]), "<=", 1.6)
    report.figure("idle.import_hub/import_flask", over(seconds["hub"][1:], seconds["flask"][1:]), "x")
    return sorted(memory["flask"])[len(memory["flask"]) // 2]
