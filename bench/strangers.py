"""Whether the time of an answer tells a known address from an unknown one, over HTTP, at a desk of 5,000 people."""

import random
import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from urllib.parse import urlencode

from uuid_utils.compat import uuid7

from bench import people
from bench.client import Connection, request
from bench.desks import Kiosk, new_kiosk
from bench.hubs import World
from bench.processes import KIOSK, Failed, free_port, served
from bench.report import Report, percentile, say

PEOPLE = 5_000
EACH = 2_000
WARM = 200
SEEN_S = 0.0005
"""A difference that a run must be quiet enough to see."""


def run(world: World, report: Report) -> None:
    """Everybody comes once and is asked for as the page does; known and unknown addresses are as long, and shuffled."""
    kiosk = new_kiosk(world.place("kiosk"), free_port(), PEOPLE)
    port = free_port()
    # At a real desk twenty unknown addresses are enough to be sent to staff.
    with served([*KIOSK, "serve", "--port", str(port)], port, kiosk.env() | {"KIOSK_MISSES": "0"}):
        say(f"strangers: {EACH} known and {EACH} unknown addresses")
        known, unknown = _times(kiosk, port)
    for name, times in (("known", known), ("unknown", unknown)):
        for percent in (50, 95):
            report.figure(f"strangers.{name}_p{percent}", [1000 * percentile(times, percent)], "ms")
    area = auc(known, unknown)
    report.figure("strangers.auc", [area], "AUC")
    report.ratio("strangers.auc_from_a_half", [abs(area - 0.5)], "<=", 0.05, "AUC")
    # On a busy machine nothing can be told apart, and that is no merit of the desk.
    shifted = auc([each + SEEN_S for each in known], known)
    report.ratio("strangers.sees_half_a_ms", [shifted - 0.5], ">=", 0.05, "AUC")


def auc(some: Sequence[float], others: Sequence[float]) -> float:
    """How often one of `some` is larger than one of `others`, equal ones counted half: 0.5 tells nothing apart."""
    ordered = sorted(others)
    larger = sum(bisect_left(ordered, each) + bisect_right(ordered, each) for each in some) / 2
    return larger / (len(some) * len(ordered))


def _times(kiosk: Kiosk, port: int) -> tuple[list[float], list[float]]:
    chance = random.Random(0)
    arrivals = [(number, "welcome") for number in range(WARM + EACH)]
    arrivals += [(PEOPLE + number, "noted") for number in range(WARM + EACH)]
    # Nobody's place on the disk should go with being known.
    first, later = arrivals[:WARM] + arrivals[-WARM:], arrivals[WARM:-WARM]
    chance.shuffle(first)
    chance.shuffle(later)
    times: dict[str, list[float]] = {"welcome": [], "noted": []}
    connection = Connection(port)
    page = _Page(kiosk, connection)
    for nth, (number, verdict) in enumerate([*first, *later]):
        asked = page.check_in(people.address(number))
        begun = time.perf_counter()
        answer = connection.ask(asked)
        seconds = time.perf_counter() - begun
        if answer.headers.get("kiosk-verdict") != verdict:
            raise Failed(f"not {verdict} but {answer.status} {answer.headers.get('kiosk-verdict')}")
        if nth >= len(first):
            times[verdict].append(seconds)
    connection.close()
    return times["welcome"], times["noted"]


class _Page:
    """The desk's page in a browser: what it sends."""

    def __init__(self, kiosk: Kiosk, connection: Connection) -> None:
        answer = connection.ask(request("GET", "/"))
        token = re.search(rb'name="csrf_token" value="([^"]+)"', answer.body)
        if token is None:
            raise Failed(f"the desk's page has no token: {answer.status}")
        self._path = f"/sessions/{kiosk.session_id}/check-ins"
        self._token = token[1].decode()
        self._headers = {
            "Cookie": answer.headers["set-cookie"].partition(";")[0],
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def check_in(self, identifier: str) -> bytes:
        fields = {"csrf_token": self._token, "intent_id": str(uuid7()), "lang": "en", "identifier": identifier}
        return request("POST", self._path, self._headers, urlencode(fields).encode())
