"""One exchange, with a hub that keeps its promises and with hubs that keep none."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.engine import LONGEST_ROUND_MS, MOST_BUCKETS, ClockSample, Report, run_once
from sync.errors import (
    CheckinError,
    DeviceRevoked,
    DeviceUnknown,
    ForeignStream,
    Fork,
    Gap,
    HubBusy,
    HubUnreachable,
    NotOurHub,
    ProtocolTooOld,
    Refused,
    TooLarge,
    TryLater,
    Unreadable,
)
from sync.messages import (
    MAX_FACTS,
    Assignment,
    Bucket,
    Digests,
    Entry,
    FeedPage,
    Gone,
    Moment,
    PushAnswer,
    Receipt,
    Start,
    StreamMark,
)
from tests.sync.fakes import (
    ADA,
    BO,
    CEM,
    DITA,
    EPOCH,
    HUB_ID,
    NOON,
    SESSION,
    STREAM,
    MemoryHub,
    MemoryJournal,
    MemoryRoster,
    ScriptedHub,
    check_in,
    check_ins,
    clock,
    person,
    session,
)


def exchange(hub: MemoryHub | ScriptedHub, journal: MemoryJournal, roster: MemoryRoster | None = None) -> Report:
    return run_once(hub, journal, roster or MemoryRoster(), clock)


def taken(acked_seq: int, acked_hash: bytes, receipts: tuple[Receipt, ...] = ()) -> PushAnswer:
    return PushAnswer(
        hub_id=HUB_ID,
        epoch=EPOCH,
        hub_time=NOON,
        stream=StreamMark(acked_seq=acked_seq, acked_hash=acked_hash),
        receipts=receipts,
    )


def page(to: int, *entries: Entry, more: bool = False, start: bool = False, epoch: UUID = EPOCH) -> FeedPage:
    return FeedPage(
        hub_id=HUB_ID,
        epoch=epoch,
        to=to,
        more=more,
        entries=entries,
        start=Start(roster_key=bytes(32)) if start else None,
    )


def says(error: CheckinError) -> Callable[[], PushAnswer]:
    def answer() -> PushAnswer:
        raise error

    return answer


def nothing_new() -> FeedPage | None:
    return None


# --- handing over --------------------------------------------------------------------------------


def test_what_waits_is_handed_over_and_settled() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(3))
    report = exchange(hub, journal)

    assert hub.streams[STREAM] == journal.facts
    assert journal.verdicts == {1: "counted", 2: "counted", 3: "counted"}
    assert (report.sent, report.acked, report.waiting) == (3, 3, 0)
    assert report.problem is None


def test_many_facts_go_in_batches_and_in_order() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(2 * MAX_FACTS + 1))
    report = exchange(hub, journal)

    assert [len(push.facts) for push in hub.pushes] == [MAX_FACTS, MAX_FACTS, 1]
    assert hub.streams[STREAM] == journal.facts
    assert report.waiting == 0


def test_with_nothing_to_hand_over_the_hub_still_hears_where_the_kiosk_stands() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(2))
    exchange(hub, journal)
    exchange(hub, journal)

    heartbeat = hub.pushes[-1]
    assert heartbeat.facts == ()
    assert (heartbeat.from_seq, heartbeat.head_seq) == (3, 2)
    assert heartbeat.prev_hash == journal.hash_at(2)
    assert heartbeat.clock == clock()


def test_after_a_lost_answer_the_same_bytes_are_sent_again_and_count_once() -> None:
    hub, journal = MemoryHub(lost_answers=1), MemoryJournal(check_ins(3))
    first = exchange(hub, journal)
    assert (first.problem, first.waiting) == ("hub_unreachable", 3)

    second = exchange(hub, journal)
    assert (second.problem, second.waiting) == (None, 0)
    assert hub.pushes[0].facts == hub.pushes[1].facts
    assert hub.streams[STREAM] == journal.facts


def test_a_check_in_made_while_the_answer_was_lost_goes_along_the_next_time() -> None:
    hub, journal = MemoryHub(lost_answers=1), MemoryJournal(check_ins(1))
    exchange(hub, journal)
    journal.facts.append(check_in(2, BO))
    exchange(hub, journal)
    assert hub.streams[STREAM] == journal.facts


def test_a_hub_restored_from_an_old_backup_is_filled_again_without_anybody_doing_anything() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(5))
    exchange(hub, journal)
    del hub.streams[STREAM][2:]

    report = exchange(hub, journal)
    assert hub.streams[STREAM] == journal.facts
    assert (report.problem, report.sent, report.waiting) == (None, 3, 0)


def test_a_hub_that_lost_everything_is_filled_again_from_the_first_fact() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(5))
    exchange(hub, journal)
    hub.streams.clear()

    assert exchange(hub, journal).sent == 5
    assert hub.streams[STREAM] == journal.facts


def test_a_copied_disk_goes_on_under_a_new_name_and_both_histories_reach_the_hub() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(2))
    exchange(hub, journal)
    copy = MemoryJournal([*journal.facts, check_in(31)], acked_seq=2)
    journal.facts.append(check_in(3))
    exchange(hub, journal)

    report = exchange(hub, copy)
    assert (report.problem, report.renewed, report.waiting) == (None, True, 0)
    assert hub.streams == {STREAM: check_ins(3), copy.streams[-1]: [*check_ins(2), check_in(31)]}
    assert [push.parent for push in hub.pushes[-2:]] == [None, STREAM]
    assert exchange(hub, journal).renewed is False


def test_a_disk_set_back_to_an_earlier_state_goes_on_under_a_new_name_before_it_makes_anything_new() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(5))
    exchange(hub, journal)
    set_back = MemoryJournal(check_ins(3), acked_seq=3)

    assert exchange(hub, set_back).renewed
    assert hub.streams[STREAM] == check_ins(5)
    assert hub.streams[set_back.streams[-1]] == check_ins(3)


def test_a_stream_that_belongs_to_another_kiosk_now_goes_on_under_a_new_name() -> None:
    hub, journal = MemoryHub(foreign={STREAM}), MemoryJournal(check_ins(3), acked_seq=2)
    assert exchange(hub, journal).problem is None
    assert hub.streams == {journal.streams[-1]: check_ins(3)}


def test_a_gap_to_another_history_is_a_fork_and_moves_no_mark_of_the_old_name() -> None:
    journal = MemoryJournal(check_ins(5), acked_seq=5)
    hub = ScriptedHub([says(Gap(2, b"another history")), says(HubUnreachable("cut"))], [nothing_new])
    report = exchange(hub, journal)

    assert (report.problem, report.renewed) == ("hub_unreachable", True)
    assert (journal.acked_seq, len(journal.streams)) == (0, 2)


def test_a_hub_that_knows_no_name_at_all_is_tried_with_one_new_one_for_each_exchange() -> None:
    journal = MemoryJournal(check_ins(5))
    report = exchange(ScriptedHub([says(Fork(1))], [nothing_new]), journal)
    assert (report.problem, len(journal.streams)) == ("fork", 2)


def test_a_fact_that_has_rotted_is_never_handed_over() -> None:
    hub, journal = MemoryHub(), MemoryJournal(check_ins(3), rotten={2: check_in(99)})
    report = exchange(hub, journal)
    assert (report.problem, report.waiting, hub.streams) == ("chain_broken", 3, {})


@pytest.mark.parametrize(
    "poison", [b"no JSON", b"\xff\xfe", b"[" * 100_000, b""], ids=["text", "bytes", "deep", "empty"]
)
def test_a_fact_that_is_no_json_is_handed_over_as_bytes_and_stops_no_other(poison: bytes) -> None:
    hub, journal = MemoryHub(), MemoryJournal([check_in(1), poison, check_in(3)])
    report = exchange(hub, journal)
    assert (report.problem, report.waiting) == (None, 0)
    assert hub.streams[STREAM] == journal.facts
    assert journal.verdicts == {1: "counted", 2: "set_aside", 3: "counted"}


def test_a_fact_with_which_the_hub_can_read_nothing_is_found_and_handed_over_as_bytes() -> None:
    hub, journal = MemoryHub(chokes_on=check_in(77)), MemoryJournal(check_ins(300))
    journal.facts[201] = check_in(77)
    report = exchange(hub, journal)
    assert (report.problem, report.waiting) == (None, 0)
    assert hub.streams[STREAM] == journal.facts
    assert len(hub.pushes) < 30


def test_a_hub_that_can_read_nothing_at_all_has_to_wait() -> None:
    journal = MemoryJournal(check_ins(3))
    report = exchange(ScriptedHub([says(Unreadable("wrong_shape"))], [nothing_new]), journal)
    assert (report.problem, report.waiting) == ("unreadable", 3)


def test_a_hub_that_speaks_of_a_gap_twice_in_one_exchange_has_to_wait() -> None:
    journal = MemoryJournal(check_ins(5), acked_seq=5)
    hub = ScriptedHub([says(Gap(0, chain.START))], [nothing_new])
    report = exchange(hub, journal)

    assert (report.problem, hub.pushed, report.waiting) == ("gap", 2, 5)


@pytest.mark.parametrize("claimed", [1, 2, 3, 2**53 - 1])
def test_an_answer_whose_hash_is_not_ours_stops_without_moving_a_mark(claimed: int) -> None:
    journal = MemoryJournal(check_ins(2))
    receipts = (Receipt(seq=1, id=ADA, verdict="counted"),)
    hub = ScriptedHub([lambda: taken(claimed, b"not our hash", receipts)], [nothing_new])
    report = exchange(hub, journal)

    assert report.problem == "hub_mismatch"
    assert (journal.acked_seq, journal.verdicts, report.acked) == (0, {}, 0)
    assert (hub.pushed, hub.pulled) == (1, 0)


def test_a_batch_that_is_too_large_is_halved_until_it_passes() -> None:
    hub, journal = MemoryHub(most_facts=30), MemoryJournal(check_ins(100))
    report = exchange(hub, journal)

    assert [len(push.facts) for push in hub.pushes] == [100, 50, 25, 25, 25, 25]
    assert hub.streams[STREAM] == journal.facts
    assert report.waiting == 0


def test_one_fact_that_is_too_large_for_the_hub_is_a_problem_and_not_a_loop() -> None:
    hub, journal = MemoryHub(most_facts=0), MemoryJournal(check_ins(8))
    report = exchange(hub, journal)

    assert (report.problem, report.waiting) == ("too_large", 8)
    assert [len(push.facts) for push in hub.pushes] == [8, 4, 2, 1]


def test_a_hub_that_takes_less_than_it_was_given_is_an_error_and_not_a_loop() -> None:
    journal = MemoryJournal(check_ins(4))
    hub = ScriptedHub([lambda: taken(0, chain.START)], [nothing_new])
    report = exchange(hub, journal)

    assert (report.problem, hub.pushed, report.waiting) == ("hub_mismatch", 1, 4)


def test_what_the_hub_could_not_understand_is_set_aside_and_the_others_go_on() -> None:
    journal = MemoryJournal([check_in(1), b'{"kind":"from_the_future"}', check_in(3)])
    hub = MemoryHub()
    report = exchange(hub, journal)

    assert journal.verdicts == {1: "counted", 2: "set_aside", 3: "counted"}
    assert hub.streams[STREAM] == journal.facts
    assert (report.problem, report.waiting) == (None, 0)


def test_a_journal_that_lost_a_fact_is_reported_and_not_asked_for_ever() -> None:
    class Torn(MemoryJournal):
        def facts_after(self, seq: int, limit: int) -> list[bytes]:
            return []

    journal = Torn(check_ins(2))
    hub = MemoryHub()
    report = exchange(hub, journal)
    assert (report.problem, report.waiting) == ("chain_broken", 2)
    assert len(hub.pushes) <= 1


@pytest.mark.parametrize(
    "error",
    [
        DeviceUnknown(),
        ForeignStream(),
        Fork(1),
        ProtocolTooOld(),
        Refused("something_new"),
        HubUnreachable("cut"),
        HubBusy("status 503", retry_after=7.0),
        NotOurHub("status 302"),
    ],
    ids=lambda error: error.code,
)
def test_a_problem_is_written_down_and_no_fact_is_touched(error: CheckinError) -> None:
    journal, roster = MemoryJournal(check_ins(3)), MemoryRoster({ADA: person(1, ADA)})
    facts = list(journal.facts)
    report = exchange(ScriptedHub([says(error)], [nothing_new]), journal, roster)

    assert (report.problem, report.detail) == (error.code, error.detail)
    assert report.waiting == 3
    assert journal.facts == facts
    assert roster.wiped == 0


@pytest.mark.parametrize("error", [Fork(1), ForeignStream()], ids=lambda error: error.code)
def test_a_stream_the_hub_will_not_take_is_no_reason_to_go_without_a_fresh_list(error: CheckinError) -> None:
    hub = MemoryHub([person(1, ADA)])
    roster = MemoryRoster()
    report = exchange(
        ScriptedHub([says(error)], [lambda: hub.pull(None, 0, None)]), MemoryJournal(check_ins(3)), roster
    )
    assert (report.problem, report.waiting, report.received) == (error.code, 3, 1)
    assert set(roster.known) == {ADA}


def test_the_wait_that_a_busy_hub_asked_for_is_passed_on() -> None:
    busy = HubBusy("status 503", retry_after=7.0)
    report = exchange(ScriptedHub([says(busy)], [nothing_new]), MemoryJournal())
    assert report.retry_after == 7.0


def test_what_was_handed_over_before_the_cut_stays_handed_over() -> None:
    journal = MemoryJournal(check_ins(MAX_FACTS + 5))
    first = journal.hash_at(MAX_FACTS)
    assert first is not None
    hub = ScriptedHub([lambda: taken(MAX_FACTS, first), says(HubUnreachable("cut"))], [nothing_new])
    report = exchange(hub, journal)
    assert (report.problem, report.sent, report.waiting) == ("hub_unreachable", MAX_FACTS, 5)


# --- clocks and assignments ----------------------------------------------------------------------


def ticking(*readings: tuple[str, int]) -> Callable[[], Moment]:
    """A clock that says these runs and milliseconds, one after the other."""
    left = iter(readings)

    def look() -> Moment:
        boot, since_boot_ms = next(left)
        return Moment(wall=NOON, boot=boot, since_boot_ms=since_boot_ms)

    return look


def sampled(*readings: tuple[str, int], facts: int = 0) -> Report:
    return run_once(MemoryHub(), MemoryJournal(check_ins(facts)), MemoryRoster(), ticking(*readings))


def test_the_hubs_clock_is_taken_for_half_way_between_asking_and_hearing() -> None:
    report = sampled(("b", 1_000), ("b", 1_200))
    assert report.sample == ClockSample(
        NOON + timedelta(milliseconds=100), Moment(wall=NOON, boot="b", since_boot_ms=1_200), 200
    )


def test_of_several_answers_the_last_tells_the_time() -> None:
    readings = [("b", 1_000), ("b", 1_200), ("b", 2_000), ("b", 2_010)]
    report = sampled(*readings, facts=MAX_FACTS + 1)
    assert report.sample is not None
    assert report.sample.round_trip_ms == 10


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param([("b", 0), ("b", LONGEST_ROUND_MS + 1)], id="too slow an answer"),
        pytest.param([("b", 5_000), ("another run", 5_001)], id="started anew in between"),
        pytest.param([("b", 5_000), ("b", 4_999)], id="time went back"),
    ],
)
def test_an_answer_that_says_too_little_about_the_clock_says_nothing(readings: list[tuple[str, int]]) -> None:
    assert sampled(*readings).sample is None


def test_a_slow_answer_does_not_take_back_what_a_quick_one_told() -> None:
    readings = [("b", 0), ("b", 20), ("b", 100), ("b", 100 + LONGEST_ROUND_MS + 1)]
    report = sampled(*readings, facts=MAX_FACTS + 1)
    assert report.sample is not None
    assert report.sample.round_trip_ms == 20


def test_without_an_answer_nothing_is_said_of_clock_and_assignment() -> None:
    report = exchange(ScriptedHub([says(HubUnreachable("cut"))], [nothing_new]), MemoryJournal())
    assert (report.sample, report.assignment) == (None, None)


@pytest.mark.parametrize("assignment", [None, Assignment(session_id=SESSION, number=3)], ids=["none", "one"])
def test_where_the_office_wants_the_kiosk_is_passed_on(assignment: Assignment | None) -> None:
    answer = msgspec.structs.replace(taken(0, chain.START), assignment=assignment)
    assert exchange(ScriptedHub([lambda: answer], [nothing_new]), MemoryJournal()).assignment == assignment


# --- catching up ---------------------------------------------------------------------------------


def a_feed() -> list[Entry]:
    return [session(1), person(2, ADA), person(3, BO), person(4, CEM), person(5, DITA)]


def test_a_new_kiosk_reads_the_feed_to_its_end() -> None:
    roster = MemoryRoster()
    report = exchange(MemoryHub(feed=a_feed()), MemoryJournal(), roster)

    assert set(roster.known) == {SESSION, ADA, BO, CEM, DITA}
    assert (roster.at.epoch, roster.at.position) == (EPOCH, 5)
    assert report.received == 5


@given(st.integers(min_value=1, max_value=7))
def test_pages_of_any_size_add_up_to_the_same_roster(size: int) -> None:
    roster = MemoryRoster()
    exchange(MemoryHub(feed=a_feed(), page=size), MemoryJournal(), roster)
    assert set(roster.known) == {SESSION, ADA, BO, CEM, DITA}


def test_who_left_the_school_leaves_the_roster() -> None:
    hub, roster = MemoryHub(feed=a_feed()), MemoryRoster()
    exchange(hub, MemoryJournal(), roster)
    hub.feed.append(Gone(position=6, what="person", key=CEM))
    report = exchange(hub, MemoryJournal(), roster)

    assert CEM not in roster.known
    assert report.received == 1


def test_with_nothing_new_the_hub_is_asked_once() -> None:
    hub, roster = MemoryHub(feed=a_feed()), MemoryRoster()
    exchange(hub, MemoryJournal(), roster)
    asked = hub.pulls
    report = exchange(hub, MemoryJournal(), roster)
    assert (hub.pulls - asked, report.received) == (1, 0)


def test_the_old_roster_serves_until_the_last_page_of_the_new_one_is_in() -> None:
    roster = MemoryRoster({ADA: person(1, ADA)})
    hub = ScriptedHub(
        [lambda: taken(0, chain.START)],
        [lambda: page(2, person(2, BO), more=True, start=True), _cut],
    )
    report = exchange(hub, MemoryJournal(), roster)
    assert (report.problem, set(roster.known)) == ("hub_unreachable", {ADA})

    rest = ScriptedHub([lambda: taken(0, chain.START)], [lambda: page(3, person(3, DITA))])
    exchange(rest, MemoryJournal(), roster)
    assert set(roster.known) == {BO, DITA}


def _cut() -> FeedPage | None:
    raise HubUnreachable("cut")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: page(9, more=True), id="more to come but nothing in it"),
        pytest.param(lambda: page(5, person(5, BO), more=True), id="no further than before"),
        pytest.param(lambda: page(4, person(4, BO)), id="back"),
        pytest.param(lambda: page(9, person(9, BO), epoch=UUID(int=1)), id="another epoch"),
        pytest.param(lambda: page(0, more=True, start=True), id="an empty beginning"),
        pytest.param(lambda: page(2, person(2, BO), more=True, start=True), id="always anew"),
    ],
)
def test_a_feed_page_that_leads_nowhere_ends_the_exchange(answer: Callable[[], FeedPage]) -> None:
    hub, roster = MemoryHub(feed=a_feed()), MemoryRoster()
    exchange(hub, MemoryJournal(), roster)
    before = dict(roster.known)

    lost = ScriptedHub([lambda: taken(0, chain.START)], [answer])
    report = exchange(lost, MemoryJournal(), roster)
    assert report.problem == "hub_mismatch"
    assert lost.pulled <= 2
    assert roster.known == before


def test_a_feed_without_end_lets_the_facts_have_their_turn() -> None:
    position = 0

    def one_more() -> FeedPage:
        nonlocal position
        position += 1
        return page(position, person(position, BO), more=True, start=position == 1)

    hub = ScriptedHub([lambda: taken(0, chain.START)], [one_more])
    report = exchange(hub, MemoryJournal())
    assert report.problem is None
    assert hub.pulled == report.received == 1_000


# --- being cut off -------------------------------------------------------------------------------


def test_a_revoked_kiosk_forgets_everybody_and_keeps_its_facts() -> None:
    hub, journal, roster = MemoryHub(feed=a_feed()), MemoryJournal(check_ins(2)), MemoryRoster()
    exchange(hub, journal, roster)
    journal.facts.append(check_in(3))
    hub.revoked = True
    report = exchange(hub, journal, roster)

    assert (report.problem, report.waiting) == ("device_revoked", 1)
    assert (roster.known, roster.wiped) == ({}, 1)
    assert journal.facts == check_ins(3)


def test_a_roster_that_cannot_be_wiped_is_said_and_the_exchange_still_ends() -> None:
    class Stuck(MemoryRoster):
        def wipe(self) -> None:
            raise TryLater("the disk is read-only")

    report = exchange(MemoryHub(revoked=True), MemoryJournal(check_ins(1)), Stuck())
    assert report.problem == "device_revoked"
    assert report.detail == "the roster could not be wiped: try_later"


def test_a_kiosk_revoked_between_push_and_pull_forgets_everybody_too() -> None:
    def revoked() -> FeedPage | None:
        raise DeviceRevoked

    roster = MemoryRoster({ADA: person(1, ADA)})
    exchange(ScriptedHub([lambda: taken(0, chain.START)], [revoked]), MemoryJournal(), roster)
    assert roster.known == {}


def test_a_token_that_the_hub_does_not_know_does_not_cost_the_roster() -> None:
    roster = MemoryRoster({ADA: person(1, ADA)})
    exchange(ScriptedHub([says(DeviceUnknown())], [nothing_new]), MemoryJournal(), roster)
    assert set(roster.known) == {ADA}


# --- comparing the whole roster ------------------------------------------------------------------


def audit(hub: MemoryHub, roster: MemoryRoster) -> Report:
    return run_once(hub, MemoryJournal(), roster, clock, audit=True)


PEOPLE: list[Entry] = [session(1), person(2, ADA), person(3, BO), person(4, CEM), person(5, DITA)]


def test_a_roster_that_is_the_hubs_is_found_to_be() -> None:
    hub, roster = MemoryHub(PEOPLE), MemoryRoster()
    report = audit(hub, roster)
    assert (report.audited, report.mended, hub.fetched) == (True, 0, [])


def test_somebody_who_is_missing_stale_or_too_many_is_found_and_their_bucket_fetched_again() -> None:
    hub, roster = MemoryHub(PEOPLE), MemoryRoster()
    exchange(hub, MemoryJournal(), roster)
    stranger = UUID(int=7)
    del roster.known[ADA]
    roster.known |= {BO: person(1, BO), stranger: person(2, stranger)}

    report = audit(hub, roster)
    assert (report.problem, report.audited, report.mended) == (None, True, 3)
    assert set(hub.fetched) == {ADA.bytes[-1], BO.bytes[-1], stranger.bytes[-1]}
    assert roster.known == {SESSION: PEOPLE[0], ADA: PEOPLE[1], BO: PEOPLE[2], CEM: PEOPLE[3], DITA: PEOPLE[4]}


def test_a_roster_that_cannot_be_mended_is_fetched_from_the_start() -> None:
    class Stubborn(MemoryRoster):
        def mend(self, bucket: Bucket) -> None:
            pass

    hub, roster = MemoryHub(PEOPLE), Stubborn()
    exchange(hub, MemoryJournal(), roster)
    del roster.known[ADA]

    report = audit(hub, roster)
    assert (report.problem, report.audited) == ("hub_mismatch", False)
    assert ADA not in roster.known
    assert exchange(hub, MemoryJournal(), roster).received == len(PEOPLE)
    assert ADA in roster.known


def test_a_hub_that_goes_on_while_something_is_mended_is_asked_another_time() -> None:
    class Busy(MemoryHub):
        def bucket(self, number: int) -> Bucket:
            found = super().bucket(number)
            self.feed.append(person(6, UUID(int=6)))
            return found

    hub, roster = Busy(PEOPLE[:]), MemoryRoster()
    exchange(hub, MemoryJournal(), roster)
    del roster.known[ADA]
    report = audit(hub, roster)
    assert (report.problem, report.audited, report.mended) == (None, False, 1)
    assert audit(hub, roster).audited


def test_a_roster_that_differs_nearly_everywhere_is_fetched_as_a_whole() -> None:
    hub = MemoryHub([person(number, UUID(int=number)) for number in range(1, MOST_BUCKETS + 2)])
    roster = MemoryRoster()
    exchange(hub, MemoryJournal(), roster)
    roster.known.clear()
    assert audit(hub, roster).problem == "hub_mismatch"
    assert hub.fetched == []
    assert audit(hub, roster).audited


def test_a_hub_that_has_gone_on_meanwhile_is_asked_another_time() -> None:
    class Busy(MemoryHub):
        def digests(self) -> Digests:
            return msgspec.structs.replace(super().digests(), position=99, buckets=())

    report = audit(Busy(PEOPLE), MemoryRoster())
    assert (report.problem, report.audited) == (None, False)


# --- the promise ---------------------------------------------------------------------------------

FACTS = 8
TRUE_HASHES = [chain.START, *chain.hashes(chain.START, check_ins(FACTS))]

errors = st.sampled_from(
    [
        DeviceRevoked(),
        DeviceUnknown(),
        ForeignStream(),
        Fork(2),
        ProtocolTooOld(),
        TooLarge(),
        HubUnreachable("cut"),
        HubBusy("status 503", retry_after=1.0),
        NotOurHub("status 200"),
    ]
)


seqs = st.integers(min_value=0, max_value=FACTS + 2)
hashes = st.one_of(
    st.sampled_from(TRUE_HASHES),
    st.just(b"noise"),
)
true_marks = seqs.map(lambda seq: (seq, TRUE_HASHES[min(seq, FACTS)]))
some_marks = true_marks | st.tuples(seqs, hashes)
push_answers = some_marks.map(lambda mark: taken(*mark)) | some_marks.map(lambda mark: Gap(*mark)) | errors
feed_pages = st.builds(
    page,
    st.integers(min_value=0, max_value=20),
    st.sampled_from([person(3, ADA), session(2), Gone(position=4, what="person", key=BO)]),
    more=st.booleans(),
    start=st.booleans(),
    epoch=st.sampled_from([EPOCH, UUID(int=1)]),
) | st.builds(page, st.integers(min_value=0, max_value=20), more=st.booleans())


def speak_push(said: PushAnswer | CheckinError) -> PushAnswer:
    if isinstance(said, CheckinError):
        raise said
    return said


def speak_pull(said: FeedPage | CheckinError | None) -> FeedPage | None:
    if isinstance(said, CheckinError):
        raise said
    return said


@given(
    pushes=st.lists(push_answers, min_size=1, max_size=12),
    pulls=st.lists(st.none() | feed_pages | errors, min_size=1, max_size=12),
    acked=st.integers(min_value=0, max_value=FACTS),
)
def test_an_exchange_always_ends_and_never_touches_a_fact_whatever_the_hub_says(
    pushes: list[PushAnswer | CheckinError],
    pulls: list[FeedPage | CheckinError | None],
    acked: int,
) -> None:
    journal = MemoryJournal(check_ins(FACTS), acked_seq=acked)
    hub = ScriptedHub(
        [partial(speak_push, said) for said in pushes],
        [partial(speak_pull, said) for said in pulls],
    )
    report = exchange(hub, journal)

    assert journal.facts == check_ins(FACTS)
    assert len(journal.streams) <= 2
    assert 0 <= journal.acked_seq <= FACTS
    assert report.waiting == FACTS - journal.acked_seq
    assert hub.pushed <= 4 * FACTS
    assert hub.pulled <= 50


@given(
    made=st.integers(min_value=0, max_value=30),
    most=st.integers(min_value=1, max_value=10),
    lost=st.integers(min_value=0, max_value=4),
    kept=st.integers(min_value=0, max_value=30),
)
def test_in_the_end_the_hub_holds_every_fact_once_and_in_order(made: int, most: int, lost: int, kept: int) -> None:
    hub, journal = MemoryHub(most_facts=most, lost_answers=lost), MemoryJournal(check_ins(made))
    for _ in range(lost + 1):
        exchange(hub, journal)
    del hub.streams[STREAM][kept:]
    report = exchange(hub, journal)

    assert (report.problem, report.waiting) == (None, 0)
    assert hub.streams[STREAM] == journal.facts
