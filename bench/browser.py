"""In Chromium, before a kiosk that knows 5,000 people: from Enter to the verdict, and what the page weighs."""

from itertools import count, islice

from playwright.sync_api import Browser

from bench import people
from bench.chromium import HAND_S, SCANNER_S, Answer, Desk, chromium, new_page
from bench.desks import new_kiosk
from bench.hubs import World
from bench.processes import Failed, free_port
from bench.report import Report, percentile, rounds

PEOPLE = 5_000
ROUNDS = 4
EACH = 55


def run(world: World, report: Report) -> None:
    """The page, fetched by a browser that never was there and once more; addresses typed and scanned, in turn."""
    with chromium() as browser:
        kiosk = new_kiosk(world.place("kiosk"), free_port(), PEOPLE)
        with kiosk.serve() as server:
            _weigh(browser, server.port, report)
            _time(Desk(new_page(browser), server.port), report)


def _time(desk: Desk, report: Report) -> None:
    newcomers = count()
    found: dict[str, list[list[Answer]]] = {"typed": [], "scanned": []}
    wrong = 0
    for _ in rounds("browser", ROUNDS, 120):
        for way, pace_s in (("typed", HAND_S), ("scanned", SCANNER_S)):
            numbers = list(islice(newcomers, EACH))
            answers = [_answer(desk, number, pace_s) for number in numbers]
            pairs = zip(numbers, answers, strict=True)
            wrong += sum(not answer.says("welcome", people.first_name(number)) for number, answer in pairs)
            found[way].append(answers)
    for way, runs in found.items():
        for percent in (50, 95):
            values = [percentile((each.ms for each in answers), percent) for answers in runs[1:]]
            report.figure(f"browser.{way}_enter_to_verdict_p{percent}", values, "ms")
    report.ratio("browser.wrong_answers", [float(wrong)], "<=", 0, "answers")


def _answer(desk: Desk, number: int, pace_s: float) -> Answer:
    desk.enter(people.address(number), pace_s)
    answers = desk.answers(number + 1)
    if len(answers) != number + 1:
        raise Failed(f"{len(answers)} answers to {number + 1} check-ins")
    return answers[-1]


def _weigh(browser: Browser, port: int, report: Report) -> None:
    page = new_page(browser)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    for cache in ("cold", "warm"):
        sizes.clear()
        page.goto(f"http://127.0.0.1:{port}/", wait_until="networkidle")
        # What the browser has kept is finished with, too, and weighs nothing.
        sent = [size for size in sizes if size]
        report.figure(f"browser.page_{cache}_weight", [sum(sent) / 1000], "kB")
        report.figure(f"browser.page_{cache}_requests", [len(sent)], "requests")
        page.goto("about:blank")
    page.context.close()
