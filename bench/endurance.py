"""A busy door: a scan a second for ten minutes in Chromium, while the postman hands over to a real hub.

Left out of `make bench`, because it takes longer than all the rest: `make bench ONLY=endurance`. `BENCH_SCANS=60` makes
a trial of one minute.
"""

import os
import time
from contextlib import ExitStack

from bench import people
from bench.chromium import SCANNER_S, Answer, Desk, chromium, new_page
from bench.desks import Kiosk
from bench.hubs import Hub, World, new_hub
from bench.processes import KIOSK, beside, complete
from bench.report import Report, percentile, say
from kiosk import clock
from kiosk.actions import setting_up
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster

SCANS = int(os.environ.get("BENCH_SCANS", "600"))
PAUSE_S = 1.0
AGAIN = 5
"""Every so many scans, somebody who has come before comes once more."""

PEOPLE = 5_000


def run(world: World, report: Report) -> None:
    """What went in is compared with what was shown, with what the journal kept and with what the hub counts."""
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        hub = new_hub(world.place("hub"))
        hub.import_students(world.students_csv(PEOPLE))
        server = stack.enter_context(hub.serve())
        kiosk = Kiosk(world.place("kiosk"), hub.new_session("The great fair"))
        complete([*KIOSK, "enrol", f"http://127.0.0.1:{server.port}", hub.invite("front door")], kiosk.env())
        complete([*KIOSK, "post", "--once"], kiosk.env())
        _stand(kiosk)
        door = stack.enter_context(kiosk.serve())
        desk = Desk(new_page(browser), door.port)
        with beside([*KIOSK, "post"], kiosk.env()):
            answers = _scan(desk)
        complete([*KIOSK, "post", "--once"], kiosk.env())
        _tell(kiosk, hub, answers, report)


def _scan(desk: Desk) -> list[Answer]:
    begun = time.perf_counter()
    for nth, (number, _) in enumerate(_arrivals()):
        if nth % 60 == 0:
            say(f"endurance: {nth} of {SCANS} scans")
        # The scanner waits for nobody: an answer that is late does not hold up the next scan.
        desk.wait_until(begun + nth * PAUSE_S)
        desk.enter(people.address(number), SCANNER_S)
    return desk.answers(SCANS)


def _arrivals() -> list[tuple[int, str]]:
    """Who comes, and what they should be told."""
    arrivals: list[tuple[int, str]] = []
    newcomers = 0
    for nth in range(1, SCANS + 1):
        if nth % AGAIN == 0:
            arrivals.append((newcomers // 2, "already_in"))
        else:
            arrivals.append((newcomers, "welcome"))
            newcomers += 1
    return arrivals


def _tell(kiosk: Kiosk, hub: Hub, answers: list[Answer], report: Report) -> None:
    expected = _arrivals()
    came = {number for number, _ in expected}
    journal = Journal(kiosk.folder / "journal.sqlite")
    kept = [each.subject for each in journal.latest(2 * SCANS)]
    journal.close()
    counted = hub.command("count", str(kiosk.session_id), "--json").told["checked_in"]
    right = sum(
        answer.says(verdict, people.first_name(number))
        for answer, (number, verdict) in zip(answers, expected, strict=False)
    )
    times = [each.ms for each in answers]
    for percent in (50, 95, 99):
        report.figure(f"endurance.scan_to_verdict_p{percent}", [percentile(times, percent)], "ms")
    report.figure("endurance.scans", [len(expected)], "scans")
    report.ratio("endurance.lost_at_the_desk", [len(came) - len(set(kept))], "<=", 0, "people")
    report.ratio("endurance.lost_at_the_hub", [len(came) - counted], "<=", 0, "people")
    report.ratio("endurance.doubled", [len(kept) - len(set(kept))], "<=", 0, "check-ins")
    report.ratio("endurance.wrong_answers", [max(len(expected), len(answers)) - right], "<=", 0, "answers")


def _stand(kiosk: Kiosk) -> None:
    journal, roster = Journal(kiosk.folder / "journal.sqlite"), Roster(kiosk.folder, clock.boot())
    setting_up.choose_session(journal, roster, kiosk.session_id)
    journal.close()
    roster.close()
