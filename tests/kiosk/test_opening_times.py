"""When a session lets people in: by the hub's time, never by a device's date, and never without being sure."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from kiosk.actions import arrivals
from kiosk.actions.arrivals import Arrival, Stores
from kiosk.rules.clocks import ahead, true_time
from kiosk.rules.verdicts import Occasion, SeeStaff, Welcome, decide
from kiosk.store.journal import Journal
from kiosk.store.remembered import Exchange
from kiosk.store.roster import Roster
from sync.engine import ClockSample
from sync.messages import Moment
from tests.kiosk import builders as b

# Half an hour of tolerance before a session that starts at noon, a quarter of an hour after it ends at three.
OPENS, CLOSES = b.NOON - timedelta(minutes=30), b.NOON + timedelta(hours=3, minutes=15)
TALK = msgspec.structs.replace(b.session(b.FAIR, 500), opens=OPENS, closes=CLOSES)
TICK = timedelta(milliseconds=1)


class Known:
    state = "active"
    greeting = "Ada"
    registered = ()


def said(now: datetime | None, by_hand: bool = False) -> str:
    """What Ada is told at that time."""
    verdict = decide(None, Known(), None, Occasion(TALK, (), now, by_hand), uuid7())
    assert isinstance(verdict, Welcome | SeeStaff)
    return verdict.reason if isinstance(verdict, SeeStaff) else verdict.code


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - TICK, "not_open_yet"),
        (OPENS, "welcome"),
        (b.NOON, "welcome"),
        (CLOSES, "welcome"),
        (CLOSES + TICK, "closed"),
        (OPENS - timedelta(days=400), "not_open_yet"),
        (CLOSES + timedelta(days=400), "closed"),
    ],
)
def test_both_ends_of_the_window_belong_to_it(now: datetime, expected: str) -> None:
    assert said(now) == expected


@pytest.mark.parametrize("now", [OPENS - TICK, CLOSES + TICK])
def test_staff_let_somebody_in_by_hand_at_any_time(now: datetime) -> None:
    assert said(now, by_hand=True) == "welcome"


def test_a_kiosk_that_is_not_sure_of_the_time_sends_nobody_away() -> None:
    assert said(None) == "welcome"


def test_the_time_is_the_hubs_however_wrong_the_devices_date_is() -> None:
    years = timedelta(days=9 * 365)
    at_the_exchange = moved(b.moment(0), years)
    sample = ClockSample(hub_time=b.NOON, moment=at_the_exchange, round_trip_ms=40)
    # Ten minutes on, somebody has set the date back to where it began.
    later = b.moment(10)
    assert true_time(sample, later) == b.NOON + timedelta(minutes=10)
    assert true_time(sample, moved(later, years)) == b.NOON + timedelta(minutes=10)
    assert ahead(sample, moved(later, years)) == years


def test_after_a_restart_nobody_knows_the_time_until_the_next_exchange() -> None:
    sample = ClockSample(hub_time=b.NOON, moment=b.moment(0), round_trip_ms=40)
    restarted = msgspec.structs.replace(b.moment(10), boot="another run")
    assert true_time(sample, restarted) is None
    assert true_time(None, b.moment(10)) is None


def moved(moment: Moment, by: timedelta) -> Moment:
    """The same moment on a device whose date is that far ahead."""
    return msgspec.structs.replace(moment, wall=moment.wall + by)


@pytest.fixture
def stores(journal: Journal, roster: Roster) -> Stores:
    journal.enrolled(b.standing())
    b.load(roster)
    roster.apply(b.page([TALK]))
    return Stores(journal, roster)


def compared(journal: Journal, hub_time: datetime) -> None:
    """At `b.moment()` the hub said that it is this late."""
    sample = ClockSample(hub_time=hub_time, moment=b.moment(), round_trip_ms=40)
    journal.note(Exchange(at=b.NOON, sample=sample))


def come(stores: Stores, moment: Moment, by_hand: bool = False) -> str:
    verdict = arrivals.check_in(stores, b.FAIR, Arrival(b.ADA_SCHOOL, None, moment, uuid7(), by_hand))
    return getattr(verdict, "reason", verdict.code)


def test_the_desk_opens_and_closes_by_the_hubs_time(stores: Stores) -> None:
    # The device's date says noon, within the window; it is in truth an hour before.
    compared(stores.journal, b.NOON - timedelta(hours=1))
    assert come(stores, b.moment(29)) == "not_open_yet"
    assert stores.journal.marks().head_seq == 0
    assert come(stores, b.moment(30)) == "welcome"
    # Who is in is told so, also after the end.
    assert come(stores, b.moment(600)) == "already_in"


def test_setting_the_date_lets_nobody_in_and_sends_nobody_away(stores: Stores) -> None:
    compared(stores.journal, CLOSES)
    assert come(stores, moved(b.moment(1), -timedelta(hours=2))) == "closed"
    compared(stores.journal, b.NOON)
    assert come(stores, moved(b.moment(1), timedelta(days=3650))) == "welcome"


def test_staff_at_the_desk_overrule_the_times(stores: Stores) -> None:
    compared(stores.journal, CLOSES + timedelta(minutes=1))
    assert come(stores, b.moment()) == "closed"
    assert come(stores, b.moment(), by_hand=True) == "welcome"


def test_a_desk_that_never_reached_the_hub_lets_people_in(stores: Stores) -> None:
    assert come(stores, b.moment(6000)) == "welcome"


def test_nobody_is_kept_in_by_a_closing_time(stores: Stores) -> None:
    compared(stores.journal, b.NOON)
    come(stores, b.moment())
    compared(stores.journal, CLOSES + timedelta(hours=1))
    session = stores.roster.session(b.FAIR)
    assert session is not None
    stores.roster.apply(b.page([msgspec.structs.replace(session, position=2_000, check_out=True)]))
    assert arrivals.check_out(stores, b.FAIR, b.arrival(b.ADA_SCHOOL)).code == "checked_out"


def test_the_page_of_sessions_says_when_each_lets_people_in(client: FlaskClient, folder: Path) -> None:
    roster = Roster(folder, b.BOOT)
    roster.apply(b.page([TALK, msgspec.structs.replace(b.session(b.WORKSHOP, 501), opens=OPENS)]))
    roster.close()
    page = client.get("/sessions").text
    assert page.count("Check-in from ") == 2
    assert page.count(" to ") >= 1
