"""The product, broken on purpose in ways that others have been broken: random schedules must catch every one of them.

A harness that cannot fail proves nothing.
"""

import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.actions import receive, student_slices
from hub.rules import acceptance, chain
from hub.rules.acceptance import Judgement, Known
from hub.store import facts, feed
from kiosk import postman
from kiosk.actions import arrivals
from kiosk.rules.verdicts import Verdict, Welcome
from kiosk.store import roster_rows
from kiosk.store.journal import Journal, Page
from kiosk.store.sqlite import NotRecorded
from sync import engine
from sync.chain import START, hashes
from sync.errors import Gap, NotOurHub, Unreadable
from sync.messages import Fact, Push, Receipt, StreamMark
from tests.faults.outcome import Effort, Outcome

Broken = Callable[[], AbstractContextManager[Any]]
TOO_FAR_OFF = timedelta(days=365)


def trusts_its_own_mark() -> AbstractContextManager[Any]:
    """A mark never goes back, whatever the hub says."""
    settle = Journal.settle

    def forward_only(journal: Journal, mark: StreamMark, receipts: Sequence[Receipt]) -> None:
        if mark.acked_seq >= journal.marks().acked_seq:
            settle(journal, mark, receipts)

    return patch.object(Journal, "settle", forward_only)


@contextmanager
def deletes_on_acknowledgement() -> Iterator[None]:
    """What the hub has is not kept any longer."""
    settle, hash_at = Journal.settle, Journal.hash_at

    def then_delete(journal: Journal, mark: StreamMark, receipts: Sequence[Receipt]) -> None:
        settle(journal, mark, receipts)
        with journal._files.writing() as db:
            db.execute("DROP TRIGGER IF EXISTS facts_stay")
            db.execute("DELETE FROM facts WHERE seq <= ?", [mark.acked_seq])

    def from_the_head(journal: Journal, seq: int) -> bytes | None:
        known = journal._ask("SELECT acked_hash FROM stream WHERE acked_seq = ?", seq)
        return known[0][0] if known else hash_at(journal, seq)

    with patch.object(Journal, "settle", then_delete), patch.object(Journal, "hash_at", from_the_head):
        yield


@contextmanager
def numbers_by_the_greatest_number() -> Iterator[None]:
    """The next number is one more than the greatest that is there, also after what the hub has was deleted."""
    append = Page.append

    def from_what_is_there(page: Page, fact: Fact, subject: str | None = None, intent_id: UUID | None = None) -> None:
        page._db.execute(
            "UPDATE stream SET head_seq = (SELECT coalesce(max(seq), 0) FROM facts),"
            " head_hash = coalesce((SELECT hash FROM facts ORDER BY seq DESC LIMIT 1), ?)",
            [START],
        )
        append(page, fact, subject, intent_id)

    with deletes_on_acknowledgement(), patch.object(Page, "append", from_what_is_there):
        yield


@contextmanager
def knows_no_fact_again() -> Iterator[None]:
    """The hub takes a fact that comes a second time for another one."""
    meaning = receive._meaning

    def another_id(*said: Any) -> dict[str, Any]:
        return meaning(*said) | {"id": uuid7()}

    with patch.object(facts, "held", lambda *_: {}), patch.object(receive, "_meaning", another_id):
        yield


def checks_no_fork() -> AbstractContextManager[Any]:
    """The hub compares numbers and no hashes."""

    def by_number(push: Push, acked_seq: int, acked_hash: bytes, _held: object) -> list[bytes]:
        if push.from_seq - 1 > acked_seq:
            raise Gap(acked_seq, acked_hash)
        return hashes(push.prev_hash, (bytes(fact) for fact in push.facts))

    return patch.object(chain, "new_hashes", by_number)


@contextmanager
def counts_positions_only() -> Iterator[None]:
    """A kiosk's place in the feed is a bare number, and nobody compares rosters."""
    with (
        patch.object(feed, "mark_at", lambda *_: UUID(int=1)),
        patch.object(postman, "_is_due", lambda *_: False),
    ):
        yield


def shows_success_before_it_is_written() -> AbstractContextManager[Any]:
    """What the disk refuses is shown as done."""
    record = arrivals.record

    def hopeful(stores: Any, stand: Any, who: Any, arrival: Any) -> Verdict:
        try:
            return record(stores, stand, who, arrival)
        except NotRecorded:
            return Welcome("", arrival.new_id)

    return patch.object(arrivals, "record", hopeful)


def takes_a_portal_for_the_hub() -> AbstractContextManager[Any]:
    """An answer of somebody else, a 404 among them, is as good as the hub's."""
    hand_over = engine._hand_over

    def content(hub: Any, journal: Any, clock: Any, report: Any) -> None:
        try:
            hand_over(hub, journal, clock, report)
        except NotOurHub:
            head = journal.marks().head_seq
            journal.settle(StreamMark(acked_seq=head, acked_hash=journal.hash_at(head)), ())

    return patch.object(engine, "_hand_over", content)


def takes_the_hubs_word_for_its_own_rows() -> AbstractContextManager[Any]:
    """The digests of the hub are adopted and not made from what is here."""
    return patch.object(engine, "_differing", lambda *_: [])


def proves_no_row() -> AbstractContextManager[Any]:
    """A row of the roster that has changed by itself counts as good."""
    return patch.object(roster_rows, "_proof", lambda *_: bytes(8))


def settles_nothing() -> AbstractContextManager[Any]:
    """What is parked stays parked."""
    return patch.object(facts, "settle_claims", lambda *_: None)


def lets_clocks_decide() -> AbstractContextManager[Any]:
    """A fact whose kiosk's clock is far off does not count."""

    def by_the_clock(fact: Fact, known: Known) -> Judgement:
        if abs(fact.at.wall - datetime(2026, 11, 21, tzinfo=UTC)) > TOO_FAR_OFF:
            return Judgement("parked:disabled")
        return acceptance.judge(fact, known)

    return patch.object(receive, "judge", by_the_clock)


def lets_one_bad_fact_stop_the_others() -> AbstractContextManager[Any]:
    """The hub refuses a push with a fact that it cannot read."""
    read = receive.read_fact

    def strict(*said: Any) -> receive.Delivered:
        delivered = read(*said)
        if delivered.fact is None:
            raise Unreadable("wrong_shape")
        return delivered

    return patch.object(receive, "read_fact", strict)


def gives_who_comes_back_another_id() -> AbstractContextManager[Any]:
    """A student whom a backup did not know is somebody else when imported again."""
    return patch.object(student_slices, "student_id", lambda *_: uuid7())


def goes_on_under_its_old_name() -> AbstractContextManager[Any]:
    """A copied kiosk never takes a stream of its own."""
    return patch.object(Journal, "start_new_stream", lambda _: None)


BROKEN: dict[str, Broken] = {
    each.__name__: each
    for each in (
        trusts_its_own_mark,
        deletes_on_acknowledgement,
        numbers_by_the_greatest_number,
        knows_no_fact_again,
        checks_no_fork,
        counts_positions_only,
        shows_success_before_it_is_written,
        takes_a_portal_for_the_hub,
        takes_the_hubs_word_for_its_own_rows,
        proves_no_row,
        settles_nothing,
        lets_clocks_decide,
        lets_one_bad_fact_stop_the_others,
        gives_who_comes_back_another_id,
        goes_on_under_its_old_name,
    )
}


def variants(effort: Effort) -> Outcome:
    """Every broken variant, until it is caught (goal: within 1,000 schedules each)."""
    # Not fewer than CI can afford: a variant that is caught by luck alone would fail a build at random.
    most = effort.share(1_000, least=150)
    told, caught = [], 0
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        tries = [pool.submit(first_caught, name, effort.seed * 1_000_000, most) for name in BROKEN]
        for name, tried in zip(BROKEN, tries, strict=True):
            number, wrong = tried.result()
            caught += number is not None
            told.append(f"{name}: caught by schedule {number}: {wrong}" if number else f"{name}: NOT CAUGHT in {most}")
            print(f"  {told[-1]}", file=sys.stderr, flush=True)
    return Outcome("broken variants", {"variants": len(BROKEN)}, {"not caught": len(BROKEN) - caught}, told=tuple(told))


def first_caught(name: str, first_seed: int, most: int) -> tuple[int | None, str]:
    """The number of the first schedule in which a variant goes wrong, and how; None: none of so many."""
    from tests.faults.schedules import live

    with ExitStack() as quiet:
        logging.disable(logging.WARNING)
        quiet.callback(logging.disable, logging.NOTSET)
        for number in range(1, most + 1):
            try:
                wrong, _ = live(first_seed + number, name)
            except Exception as error:  # a variant may also break down
                return number, type(error).__name__
            if any(wrong.values()):
                return number, ", ".join(f"{count} {what}" for what, count in wrong.items() if count)
    return None, ""
