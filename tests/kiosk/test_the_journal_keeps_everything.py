"""The journal: gapless, chained, append-only, whole after every failure."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from kiosk.store.journal import Journal
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew
from sync import chain
from sync.errors import Unreadable
from sync.messages import FACT, CheckIn, Receipt, StreamMark, Undo
from tests.kiosk import builders as b
from tests.kiosk.disks import full_disk, no_room

SUBJECTS = ("ada", "bo", "cem")
SESSIONS = (b.FAIR, b.WORKSHOP)


def check_in(session_id: UUID = b.FAIR, minutes: int = 0, sealed: bytes | None = None) -> CheckIn:
    return CheckIn(
        id=uuid7(),
        session_id=session_id,
        method="email",
        at=b.moment(minutes),
        roster_position=3,
        ref=uuid4(),
        sealed_identifier=sealed,
    )


def undo(*ids: UUID, session_id: UUID = b.FAIR) -> Undo:
    return Undo(id=uuid7(), session_id=session_id, at=b.moment(), undoes=ids)


def keep(journal: Journal, fact: CheckIn | Undo, subject: str | None = "ada") -> None:
    with journal.writing() as page:
        page.append(fact, subject)


def keep_many(journal: Journal) -> None:
    for _ in range(200):
        keep(journal, check_in())


def assert_whole(journal: Journal) -> None:
    """Sequence without gaps, chain without breaks."""
    marks = journal.marks()
    facts = journal.facts_after(0, marks.head_seq + 10)
    assert len(facts) == marks.head_seq
    hashes = chain.hashes(chain.START, facts)
    assert [journal.hash_at(seq) for seq in range(1, len(facts) + 1)] == hashes
    assert journal.hash_at(0) == chain.START
    assert journal.hash_at(len(facts) + 1) is None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("in"), st.sampled_from(SESSIONS), st.sampled_from(SUBJECTS)),
        st.tuples(st.just("undo"), st.sampled_from(SESSIONS), st.sampled_from(SUBJECTS)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=steps)
def test_whatever_happens_the_stream_is_gapless_and_presence_is_what_was_said(
    steps: list[tuple[str, UUID, str]],
) -> None:
    model: dict[tuple[UUID, str], list[UUID]] = {}
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        for kind, session_id, subject in steps:
            here = model.setdefault((session_id, subject), [])
            if kind == "in":
                fact = check_in(session_id)
                keep(journal, fact, subject)
                here.append(fact.id)
            else:
                keep(journal, undo(*here, session_id=session_id), None)
                here.clear()
        assert_whole(journal)
        for session_id in SESSIONS:
            for subject in SUBJECTS:
                expected = model.get((session_id, subject))
                with journal.writing() as page:
                    seen = page.present(session_id, subject, "a tag")
                assert (seen.id if seen else None) == (expected[0] if expected else None)
        journal.close()


def test_an_undo_takes_back_only_what_it_names(journal: Journal) -> None:
    first, second = check_in(minutes=1), check_in(minutes=2)
    keep(journal, first)
    keep(journal, second)
    keep(journal, undo(first.id), None)
    with journal.writing() as page:
        seen = page.present(b.FAIR, "ada", "")
    assert seen is not None
    assert (seen.id, seen.since) == (second.id, b.moment(2).wall)


def test_facts_are_handed_over_as_first_written(journal: Journal) -> None:
    facts = [check_in(minutes=each) for each in range(5)]
    for fact in facts:
        keep(journal, fact)
    assert [FACT.decode(each) for each in journal.facts_after(0, 99)] == facts
    assert [FACT.decode(each) for each in journal.facts_after(2, 2)] == facts[2:4]


def test_the_hubs_mark_may_go_back_and_no_fact_goes_with_it(journal: Journal) -> None:
    for _ in range(3):
        keep(journal, check_in())
    hashes = [journal.hash_at(seq) or b"" for seq in range(4)]
    receipt = Receipt(seq=2, id=None, verdict="parked:unknown_address")
    journal.settle(StreamMark(acked_seq=3, acked_hash=hashes[3]), [receipt])
    assert journal.marks().waiting == 0
    journal.settle(StreamMark(acked_seq=1, acked_hash=hashes[1]), [])
    assert (journal.marks().acked_seq, journal.marks().waiting) == (1, 2)
    assert len(journal.facts_after(0, 9)) == 3


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM facts", "UPDATE facts SET body = x'00'", "UPDATE facts SET subject = 'bo'"],
)
def test_no_fact_can_be_deleted_or_changed(journal: Journal, folder: Path, statement: str) -> None:
    keep(journal, check_in())
    conn = sqlite3.connect(folder / "journal.sqlite")
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)
    conn.close()
    assert_whole(journal)


def test_a_fact_larger_than_the_wire_allows_is_refused(journal: Journal) -> None:
    with pytest.raises(Unreadable), journal.writing() as page:
        page.append(check_in(sealed=bytes(3000)), "ada")
    assert journal.marks().head_seq == 0


def test_a_full_disk_leaves_nothing_half_written_and_room_heals_it(journal: Journal, folder: Path) -> None:
    keep(journal, check_in())
    with full_disk(journal), pytest.raises(NotRecorded) as caught:
        keep_many(journal)
    assert caught.value.reason == "disk_full"
    held = journal.marks().head_seq
    assert_whole(journal)
    keep(journal, check_in())
    assert journal.marks().head_seq == held + 1
    assert_whole(journal)


def test_a_disk_that_fails_in_the_middle_of_a_write_leaves_nothing_half_written(journal: Journal, folder: Path) -> None:
    keep(journal, check_in())
    with no_room(folder), pytest.raises(NotRecorded) as caught:
        keep_many(journal)
    assert caught.value.reason in ("disk_error", "disk_full")
    assert_whole(journal)
    keep(journal, check_in())
    assert_whole(journal)


def test_a_disk_that_is_nearly_full_is_said_before_it_is_full(journal: Journal) -> None:
    journal.probe()
    with pytest.raises(NotRecorded) as caught:
        journal.probe(least_room=1 << 60)
    assert caught.value.reason == "disk_full"


def test_eight_at_once_lose_nobody(journal: Journal) -> None:
    def come() -> None:
        for _ in range(15):
            keep(journal, check_in())

    threads = [threading.Thread(target=come) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert journal.marks().head_seq == 120
    assert_whole(journal)


def test_keys_and_stream_are_made_once(journal: Journal, folder: Path) -> None:
    stream, key, secret = journal.marks().stream_id, journal.remembered().local_key, journal.secret()
    again = Journal(folder / "journal.sqlite")
    assert (again.marks().stream_id, again.remembered().local_key, again.secret()) == (stream, key, secret)
    assert len(key) == len(secret) == 32
    assert key != secret
    again.close()


def test_what_is_remembered_comes_back(journal: Journal) -> None:
    assert journal.standing() is None
    assert journal.session() is None
    journal.enrolled(b.standing())
    journal.choose(b.session())
    assert journal.standing() == b.standing()
    assert journal.session() == b.session()


def test_its_files_are_for_the_kiosk_alone(journal: Journal, folder: Path) -> None:
    keep(journal, check_in())
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_a_power_cut_after_the_answer_costs_nothing(journal: Journal) -> None:
    with journal._files.reading() as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_a_journal_that_was_moved_away_is_not_written_any_more(journal: Journal, folder: Path) -> None:
    keep(journal, check_in())
    stream, key = journal.marks().stream_id, journal.remembered().local_key
    moved = (folder / "journal.sqlite").rename(folder / "journal.sqlite.damaged")
    before = moved.read_bytes()
    keep(journal, check_in())
    assert journal.marks().head_seq == 1
    assert journal.marks().stream_id != stream
    assert journal.remembered().local_key != key
    assert moved.read_bytes() == before


def test_a_journal_that_was_moved_away_while_somebody_read_it_is_not_written_any_more(
    journal: Journal, folder: Path
) -> None:
    keep(journal, check_in())
    with journal._files.reading():
        moved = (folder / "journal.sqlite").rename(folder / "journal.sqlite.damaged")
        before = moved.read_bytes()
        # Another thread notices, and begins a new one.
        keep(journal, check_in())
    keep(journal, check_in())
    assert moved.read_bytes() == before
    assert journal.marks().head_seq == 2


def test_a_write_that_waited_while_the_journal_was_put_aside_is_not_done_there(journal: Journal, folder: Path) -> None:
    for _ in range(2):
        keep(journal, check_in())
    path = folder / "journal.sqlite"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    refused: list[str] = []

    def write() -> None:
        try:
            keep(journal, check_in())
        except NotRecorded as error:
            refused.append(error.reason)

    writer = threading.Thread(target=write)
    writer.start()
    while journal._files._idle:
        # Until it has taken the connection to this very file.
        pass
    moved = path.rename(folder / "journal.damaged.sqlite")
    holder.execute("ROLLBACK")
    holder.close()
    writer.join()
    assert refused == ["busy"]
    with closing(Journal(moved)) as aside:
        assert aside.marks().head_seq == 2
    keep(journal, check_in())
    assert journal.marks().head_seq == 1


def test_a_journal_that_has_only_its_tables_is_given_its_stream(journal: Journal, folder: Path) -> None:
    keep(journal, check_in())
    journal.close()
    conn = sqlite3.connect(folder / "journal.sqlite")
    conn.executescript(
        "DROP TRIGGER facts_stay; DELETE FROM facts; DELETE FROM stream; DELETE FROM settings;"
        "DELETE FROM _sqlite_migrations WHERE name LIKE 'm002%'; PRAGMA user_version = 1;"
    )
    conn.close()
    again = Journal(folder / "journal.sqlite")
    assert again.marks().head_seq == 0
    assert len(again.remembered().local_key) == len(again.secret()) == 32
    keep(again, check_in())
    again.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"This is not a database. " * 400)


def torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))


def strangers(path: Path) -> None:
    path.unlink()
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE recipes (name TEXT)")
    conn.close()


@pytest.mark.parametrize("spoil", [garbage, torn, strangers])
def test_a_damaged_journal_is_named_and_left_as_it_is(
    journal: Journal, folder: Path, spoil: Callable[[Path], None]
) -> None:
    keep(journal, check_in())
    journal.close()
    path = folder / "journal.sqlite"
    spoil(path)
    before = path.read_bytes()
    again = Journal(path)
    with pytest.raises(StoreDamaged) as caught:
        keep(again, check_in())
    assert caught.value.code == "store_damaged"
    again.close()
    assert path.read_bytes() == before


def test_a_journal_from_a_newer_version_is_named_and_left_as_it_is(journal: Journal, folder: Path) -> None:
    keep(journal, check_in())
    journal.close()
    path = folder / "journal.sqlite"
    newer(path)
    before = path.read_bytes()
    again = Journal(path)
    with pytest.raises(StoreTooNew) as caught:
        again.marks()
    assert caught.value.code == "store_too_new"
    again.close()
    assert path.read_bytes() == before


def newer(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA user_version = 99")
    conn.close()
