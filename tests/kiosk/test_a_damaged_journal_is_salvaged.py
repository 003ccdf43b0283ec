"""A journal that is not what was written is found out at the start, and everything that can be read goes on."""

import errno
import json
import os
import sqlite3
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from kiosk import words
from kiosk.actions import arrivals, undoing
from kiosk.actions.arrivals import Stores
from kiosk.cli import main
from kiosk.mender import Mender
from kiosk.store import journal as journal_file
from kiosk.store import sqlite, vouching
from kiosk.store.journal import Journal
from kiosk.store.recent import Newer
from kiosk.store.remembered import Exchange, Salvaged
from kiosk.store.roster import Roster
from kiosk.store.salvage import make_sound
from kiosk.store.soundness import Head, Noted, read
from kiosk.store.sqlite import NotOurs, NotRecorded, StoreDamaged, StoreTooNew
from kiosk.store.vouching import Found
from kiosk.views import Desk
from sync import chain
from sync.messages import CheckIn, StreamMark, encode
from tests.faults import vfs
from tests.kiosk import builders as b
from tests.kiosk import damage
from tests.kiosk.damage import Spoil
from tests.kiosk.disks import small_disk

GUESTS = 40


@pytest.fixture
def path(folder: Path) -> Path:
    """The journal of a desk at which some have checked in, and not all of it is sent."""
    b.set_up(folder)
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT)
    stores = Stores(journal, roster)
    for number in range(GUESTS):
        arrivals.check_in(stores, b.FAIR, b.arrival(f"guest{number}@nowhere.example", number, uuid7()))
    ada, bo = b.arrival(b.ADA_SCHOOL), b.arrival(b.BO)
    arrivals.check_in(stores, b.FAIR, ada)
    arrivals.check_in(stores, b.FAIR, bo)
    undoing.undo(journal, bo.new_id, b.moment(50), uuid7())
    journal.settle(StreamMark(acked_seq=5, acked_hash=journal.hash_at(5) or b""), ())
    journal.close()
    roster.close()
    return folder / "journal.sqlite"


FACTS = GUESTS + 3


def facts(path: Path) -> list[bytes]:
    with closing(Journal(path)) as journal:
        return list(journal.facts_after(0, 1000))


def salvaged(path: Path) -> Salvaged:
    told = make_sound(path, b.NOON)
    assert told is not None
    assert make_sound(path, b.NOON) is None
    return told


def test_a_sound_journal_is_left_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    assert make_sound(path, b.NOON) is None
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


def test_statistics_of_sqlite_are_no_damage(path: Path) -> None:
    damage.changed("ANALYZE")(path)
    assert make_sound(path, b.NOON) is None


def test_facts_that_come_while_all_are_looked_at_are_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "_BLOCK", 1)
    with closing(Journal(path)) as journal, closing(Roster(path.parent, b.BOOT)) as roster:

        def come() -> None:
            for nth in range(20):
                arrivals.check_in(Stores(journal, roster), b.FAIR, b.arrival(f"late{nth}@nowhere.example", nth))
                journal.settle(StreamMark(acked_seq=nth, acked_hash=journal.hash_at(nth) or b""), ())

        desk = threading.Thread(target=come)
        desk.start()
        found = {journal.fault()}
        while desk.is_alive():
            found.add(journal.fault())
        desk.join()
        assert found | {journal.fault()} == {None}
        assert journal.marks().head_seq == FACTS + 20


def test_a_kiosk_without_a_journal_has_nothing_to_salvage(folder: Path) -> None:
    assert make_sound(folder / "journal.sqlite", b.NOON) is None
    assert not folder.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        damage.header,
        damage.first_page,
        damage.leftover,
        damage.one_bit,
        damage.changed("DELETE FROM stream"),
        damage.changed("DELETE FROM undone"),
        damage.changed("INSERT INTO undone SELECT id FROM facts WHERE seq = 1"),
        damage.changed("UPDATE stream SET head_seq = 7"),
        damage.changed("UPDATE stream SET acked_hash = zeroblob(32)"),
        damage.changed("UPDATE facts SET subject = 'somebody else' WHERE seq = 3"),
        damage.changed("UPDATE facts SET kind = 'check_out' WHERE seq = 3"),
        damage.changed("UPDATE facts SET occurred = '2020-01-01T00:00:00+00:00' WHERE seq = 3"),
        damage.changed("UPDATE facts SET hash = zeroblob(32) WHERE seq = 3"),
        damage.changed("UPDATE facts SET hash = zeroblob(32) WHERE seq = (SELECT max(seq) FROM facts)"),
        damage.changed("UPDATE facts SET seq = 900 WHERE seq = 3"),
        damage.changed("DROP TABLE undone"),
        damage.changed("PRAGMA application_id = 7"),
        damage.changed("PRAGMA user_version = 99"),
    ],
)
def test_whatever_is_spoilt_no_fact_is_lost_that_can_be_read(path: Path, spoil: Spoil) -> None:
    before = facts(path)
    spoil(path)
    told = salvaged(path)
    # Without the stream's own row nobody knows whether that was all.
    assert told.whole or told.why == "stream: missing"
    assert facts(path) == before
    with closing(Journal(path)) as journal:
        assert journal.fault() is None
        assert journal.standing() == b.standing()
        assert journal.session() is not None


@pytest.mark.parametrize("spoil", [damage.header, damage.one_bit, damage.changed("DROP TABLE undone")])
def test_what_was_salvaged_goes_on_as_a_stream_of_its_own(path: Path, spoil: Spoil) -> None:
    with closing(Journal(path)) as journal:
        was, key = journal.marks(), journal.remembered().local_key
        latest = journal.latest(1000)
    spoil(path)
    spoilt = path.read_bytes()
    told = salvaged(path)
    assert (told.carried, told.missing, told.altered, told.unproven) == (FACTS, 0, 0, 0)
    assert told.whole
    kept = path.with_name(told.kept_as)
    assert kept.read_bytes() == spoilt
    assert kept.stat().st_mode & 0o777 == path.stat().st_mode & 0o777 == 0o600
    with closing(Journal(path)) as journal:
        marks = journal.marks()
        assert (marks.head_seq, marks.acked_seq, marks.parent) == (FACTS, 0, was.stream_id)
        assert journal.remembered().local_key == key
        assert [(each.fact, each.subject, each.undone) for each in journal.latest(1000)] == [
            (each.fact, each.subject, each.undone) for each in latest
        ]


def test_a_log_that_sqlite_throws_away_is_read_first_and_kept(path: Path) -> None:
    before = facts(path)
    damage.all_but_its_log(path)
    log = path.with_name("journal.sqlite-wal").read_bytes()
    told = salvaged(path)
    assert facts(path) == before
    assert path.with_name(f"{told.kept_as}-wal").read_bytes() == log


def test_whoever_was_in_is_in_and_the_same_form_is_the_same_check_in(path: Path, folder: Path) -> None:
    roster = Roster(folder, b.BOOT)
    intent = uuid7()
    with closing(Journal(path)) as journal:
        arrivals.check_in(Stores(journal, roster), b.FAIR, b.arrival("late@nowhere.example", 55, intent))
    damage.first_page(path)
    salvaged(path)
    with closing(Journal(path)) as journal:
        stores = Stores(journal, roster)
        assert arrivals.check_in(stores, b.FAIR, b.arrival(b.ADA_HOME, 60)).code == "already_in"
        assert arrivals.check_in(stores, b.FAIR, b.arrival(b.BO, 60)).code == "welcome"
        assert arrivals.check_in(stores, b.FAIR, b.arrival("late@nowhere.example", 56, intent)).code == "noted"
        assert journal.marks().head_seq == FACTS + 2
    roster.close()


@pytest.mark.parametrize("spoil", [damage.without_its_end, damage.page_in_the_middle])
def test_what_is_gone_is_counted_and_the_rest_goes_on(path: Path, spoil: Spoil) -> None:
    before = facts(path)
    spoil(path)
    told = salvaged(path)
    after = facts(path)
    assert after == [each for each in before if each in after]
    assert 0 < told.carried == len(after) < FACTS
    assert told.missing == FACTS - len(after) == sum(last - first + 1 for first, last in told.gaps)
    assert not told.whole


def test_a_fact_that_was_altered_is_not_passed_on(path: Path, folder: Path) -> None:
    before = facts(path)
    altered = before[2].replace(b'"method":"email"', b'"method":"staff"')
    damage.changed(f"UPDATE facts SET body = x'{altered.hex()}' WHERE seq = 3")(path)
    told = salvaged(path)
    assert (told.carried, told.altered, told.gaps) == (FACTS - 1, 1, ((3, 3),))
    assert facts(path) == before[:2] + before[3:]
    side = folder / told.kept_as.replace(".sqlite", ".facts.jsonl")
    assert side.stat().st_mode & 0o777 == 0o600
    (line,) = side.read_text().splitlines()
    assert (json.loads(line)["why"], b64decode(json.loads(line)["body"])) == ("altered", altered)


@pytest.mark.parametrize("spoil", [damage.garbage, damage.empty])
def test_of_a_file_with_nothing_in_it_nobody_knows_what_is_missing(path: Path, spoil: Spoil) -> None:
    spoil(path)
    told = salvaged(path)
    assert (told.carried, told.missing, told.whole) == (0, None, False)
    assert "standing" in told.forgotten


def test_an_empty_file_of_a_kiosk_that_never_was_one_is_a_new_journal(folder: Path) -> None:
    folder.mkdir()
    (folder / "journal.sqlite").touch()
    assert make_sound(folder / "journal.sqlite", b.NOON) is None


@pytest.mark.parametrize(
    "spoil",
    [
        damage.changed("DELETE FROM settings"),
        damage.changed("UPDATE settings SET value = replace(value, 'hub_key', 'hub_lock') WHERE key = 'standing'"),
        damage.changed("UPDATE settings SET value = replace(value, 'a token', 'no token') WHERE key = 'standing'"),
    ],
)
def test_a_kiosk_that_forgot_its_hub_is_enrolled_again_and_keeps_its_facts(path: Path, spoil: Spoil) -> None:
    before = facts(path)
    spoil(path)
    told = salvaged(path)
    assert "standing" in told.forgotten
    with closing(Journal(path)) as journal:
        assert journal.standing() is None
        assert len(journal.secret()) == 32
        journal.enrolled(b.standing())
        assert journal.waiting().check_ins == FACTS - 1
    assert facts(path) == before


@pytest.mark.parametrize("what", ["'a token'", "'Career fair, day 1'"])
def test_one_wrong_bit_in_a_setting_is_put_right(path: Path, what: str) -> None:
    damage.changed(f"UPDATE settings SET value = replace(value, {what}, {what.replace('a', 'c', 1)})")(path)
    told = salvaged(path)
    assert (told.whole, told.forgotten) == (True, ())
    with closing(Journal(path)) as journal:
        assert (journal.standing(), journal.session()) == (b.standing(), b.session())


def test_another_program_s_database_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    path = folder / "journal.sqlite"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotOurs):
        make_sound(path, b.NOON)
    assert path.read_bytes() == before
    assert not list(folder.glob("*damaged*"))


def test_a_newer_version_s_journal_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('journal', 'm099', '')")
        conn.execute("PRAGMA user_version = 99")
        conn.commit()
    with pytest.raises(StoreTooNew):
        make_sound(path, b.NOON)


# --- killed, or two at once

_OF_FILES = {"open", "write", "link", "rename", "unlink", "fsync", "lockf", "close"}
_OF_SQLITE = {"execute", "executemany", "connect", "deserialize"}


def killed_at(step: int, of: set[str], path: Path) -> bool:
    """Whether the salvage was over before it came to that step of those."""
    child = os.fork()
    if child == 0:
        left = [step]

        def count(_frame: object, event: str, called: object) -> None:
            if event == "c_call" and getattr(called, "__name__", "") in of:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)

        sys.setprofile(count)
        make_sound(path, b.NOON)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_killed_at_any_step_it_still_has_what_was_in_the_log(path: Path) -> None:
    before = facts(path)
    damage.all_but_its_log(path)
    left = {each.name: each.read_bytes() for each in path.parent.glob("journal*")}
    step, over = 1, False
    while not over:
        for each in path.parent.glob("journal*"):
            each.unlink()
        for name, content in left.items():
            path.with_name(name).write_bytes(content)
        over = killed_at(step, _OF_FILES, path)
        make_sound(path, b.NOON)
        assert facts(path) == before, step
        assert any(each.read_bytes() == left[log_of(path)] for each in path.parent.glob("*damaged*-wal")), step
        step += 1
    assert step > 10


def log_of(path: Path) -> str:
    return f"{path.name}-wal"


@pytest.mark.parametrize(("of", "stride", "least"), [(_OF_FILES, 1, 10), (_OF_SQLITE, 17, 100)])
def test_killed_at_any_step_it_is_done_at_the_next_start(path: Path, of: set[str], stride: int, least: int) -> None:
    before = facts(path)
    damage.one_bit(path)
    spoilt = path.read_bytes()
    step, over = 1, False
    while not over:
        for each in path.parent.glob("journal*"):
            each.unlink()
        path.write_bytes(spoilt)
        over = killed_at(step, of, path)
        assert path.exists(), step
        make_sound(path, b.NOON)
        assert facts(path) == before, step
        assert any(each.read_bytes() == spoilt for each in path.parent.glob("journal.damaged-*.sqlite")), step
        step += stride
    assert step > least


def test_of_two_that_start_together_one_salvages(path: Path) -> None:
    damage.one_bit(path)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            os._exit(3 if make_sound(path, b.NOON) else 4)
        children.append(child)
    ended = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert ended == [3, 4]
    assert len(facts(path)) == FACTS


@pytest.mark.parametrize("mode", ["TRUNCATE", "WAL"])
def test_another_program_that_is_idle_is_in_nobody_s_way(
    path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What SQLite would be asked for where it is new enough.
    monkeypatch.setattr(sqlite, "_journal_mode", lambda: mode)
    with idle_program(path):
        damage.one_bit(path)
        assert salvaged(path).whole
    assert len(facts(path)) == FACTS


@contextmanager
def idle_program(path: Path) -> Iterator[None]:
    """Another process that has used the journal, keeps its connection, and ends with this."""
    (ready, is_ready), (end, is_over) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(is_over)
        other = Journal(path)
        other.note(Exchange(at=b.NOON))
        os.write(is_ready, b".")
        os.read(end, 1)
        os._exit(0)
    for handle in (is_ready, end):
        os.close(handle)
    assert os.read(ready, 1)
    yield
    os.close(is_over)
    os.close(ready)
    os.waitpid(child, 0)


# --- a disk that fails


@dataclass(frozen=True)
class Unreadable:
    """A disk that cannot read the first page of a file."""

    path: Path

    def before(self, operation: vfs.Operation) -> vfs.Fault | None:
        refused = operation.deed == "read" and operation.path == str(self.path) and operation.offset < damage.PAGE
        return vfs.Fault(vfs.SQLITE_IOERR_READ, errno.EIO) if refused else None


def test_what_the_disk_cannot_read_is_missing_and_the_rest_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = facts(path)
    spoilt = path.read_bytes().index(before[0]) // damage.PAGE * damage.PAGE
    pread = os.pread

    def failing(handle: int, size: int, at: int) -> bytes:
        if at <= spoilt < at + size:
            raise OSError(errno.EIO, "Input/output error")
        return pread(handle, size, at)

    damage.page_in_the_middle(path)
    monkeypatch.setattr(os, "pread", failing)
    told = salvaged(path)
    assert 0 < told.carried < FACTS
    assert set(facts(path)) < set(before)


@pytest.mark.skipif(vfs.why_not() is not None, reason=str(vfs.why_not()))
def test_a_page_that_sqlite_cannot_read_is_damage(path: Path) -> None:
    with vfs.watched(path.parent, Unreadable(path)):
        told = make_sound(path, b.NOON)
    assert told is not None
    assert (told.why, told.carried) == ("disk: a page cannot be read", FACTS)


def test_a_salvage_that_finds_no_room_leaves_nothing_behind(tmp_path: Path, path: Path) -> None:
    size = path.stat().st_size
    with small_disk(tmp_path / "small", size + 64 * 1024) as disk:
        full = disk / path.name
        full.write_bytes(path.read_bytes())
        damage.one_bit(full)
        for _ in range(3):
            with pytest.raises(NotRecorded, match="disk_full"):
                make_sound(full, b.NOON)
            assert {each.name for each in disk.iterdir()} == {path.name, "salvage.lock"}


# --- told


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))
    for name in ("KIOSK_LANGUAGE", "KIOSK_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.usefixtures("environment")
def test_the_command_says_what_became_of_it(path: Path) -> None:
    sound = run("salvage", "--json")
    assert (sound.exit_code, json.loads(sound.stdout)) == (0, {"salvaged": None})
    damage.page_in_the_middle(path)
    result = run("salvage", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)["salvaged"]
    assert told["carried"] + told["missing"] == FACTS
    assert "are missing: number" in result.stderr
    status = json.loads(run("status", "--json").stdout)
    assert status["salvaged"] == told
    assert told["kept_as"] in run("status").stdout
    (path.parent / told["kept_as"]).unlink()
    assert json.loads(run("status", "--json").stdout)["salvaged"] is None


@pytest.mark.usefixtures("environment")
def test_the_postman_salvages_first(path: Path) -> None:
    damage.header(path)
    result = run("post", "--once", "--json")
    assert "made anew" in result.stderr
    assert json.loads(result.stdout)["waiting"] == FACTS


@pytest.mark.usefixtures("environment")
def test_a_desk_that_meets_damage_has_it_mended_and_goes_on(path: Path, bare_app: Flask, folder: Path) -> None:
    desk: Desk = bare_app.extensions["desk"]
    mender = Mender(folder, lambda: 1)
    desk.journal.when_damaged(mender.mend)
    client = bare_app.test_client()
    assert client.get("/").status_code == 200
    damage.header(path)
    page = client.get("/")
    assert (page.status_code, "store_damaged" in page.text) == (503, True)
    mender.close()
    assert client.get("/").status_code == 200
    assert desk.journal.marks().head_seq == FACTS
    # What it could not mend it does not try again and again.
    damage.header(path)
    assert client.get("/").status_code == 503
    mender.close()
    assert client.get("/").status_code == 503


@pytest.mark.usefixtures("environment")
def test_a_salvage_that_cannot_begin_is_tried_again(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mender = Mender(folder, lambda: 1)
    with closing(Journal(path)) as journal:
        damage.header(path)
        journal.when_damaged(mender.mend)
        python = sys.executable
        for program, remedied in (("/nowhere/python", False), (python, True)):
            monkeypatch.setattr(sys, "executable", program)
            with pytest.raises(StoreDamaged):
                journal.marks()
            mender.close()
            assert bool(list(folder.glob("*damaged*"))) == remedied
        assert journal.marks().head_seq == FACTS


def test_a_fact_that_only_a_newer_version_knows_is_shown_as_such(path: Path, client: FlaskClient) -> None:
    body = facts(path)[-1].replace(b'{"kind":"undo"', b'{"kind":"visit"')
    visit = Noted(str(uuid7()), None, str(b.FAIR), "visit", b.NOON.isoformat())
    with closing(Journal(path)) as journal:
        with journal._files.writing() as db:
            journal_file._keep(db, visit, None, body, ())
        assert journal.fault() is None
        assert isinstance(journal.latest(1)[0].fact, Newer)
    answer = client.get("/staff/recent")
    assert (answer.status_code, "Recorded by a newer version" in answer.text) == (200, True)
    assert not list(path.parent.glob("*damaged*"))


def test_staff_are_told_until_the_damaged_file_is_taken_away(path: Path, client: FlaskClient) -> None:
    assert "as they were first written" in client.get("/staff/preflight").text
    damage.page_in_the_middle(path)
    told = salvaged(path)
    for page in ("/staff/preflight", "/staff/status"):
        text = client.get(page).text
        assert "missing or uncertain" in text
        assert told.kept_as in text
    (path.parent / told.kept_as).unlink()
    assert "missing or uncertain" not in client.get("/staff/status").text


def test_a_second_salvage_does_not_hide_what_the_first_has_lost(path: Path, client: FlaskClient) -> None:
    damage.page_in_the_middle(path)
    first = make_sound(path, b.NOON)
    damage.one_bit(path)
    second = make_sound(path, b.NOON + timedelta(hours=1))
    assert first is not None
    assert second is not None
    assert (second.missing, second.lost, second.whole) == (0, first.lost, False)
    assert words.salvaged(second).splitlines()[0] == words.salvaged(first).splitlines()[0]
    text = client.get("/staff/status").text
    assert all(name in text for name in (first.kept_as, second.kept_as))
    (path.parent / first.kept_as).unlink()
    with closing(Journal(path)) as journal:
        told = journal.salvaged()
    assert told is not None
    assert (told.files, told.whole) == ((second.kept_as,), True)


def test_every_missing_number_is_named_or_counted(path: Path) -> None:
    told = Salvaged(
        at=b.NOON,
        why="",
        kept_as="a.sqlite",
        carried=9,
        mended=0,
        unproven=0,
        altered=5,
        missing=5,
        gaps=((2, 3),),
        forgotten=(),
    )
    said = words.salvaged(told)
    assert "5 are missing: number 2 to 3 and 3 more." in said
    assert "5 of the missing ones can be read" in said


def test_staff_are_told_what_the_chain_says(path: Path, client: FlaskClient) -> None:
    damage.one_bit(path)
    assert "not as it was first written: fact" in client.get("/staff/preflight").text


def test_a_setting_that_cannot_be_read_is_damage_and_no_accident(path: Path) -> None:
    damage.changed("UPDATE settings SET value = '{' WHERE key = 'session'")(path)
    with closing(Journal(path)) as journal, pytest.raises(StoreDamaged):
        journal.remembered()


# --- what the chain vouches for


def fact(number: int) -> bytes:
    return encode(
        CheckIn(
            id=UUID(int=number + 2**80),
            session_id=b.FAIR,
            method="card",
            at=b.moment(number),
            roster_position=number,
            ref=UUID(int=number),
        )
    )


def stream(length: int) -> tuple[list[Found], Head]:
    bodies = [fact(number) for number in range(1, length + 1)]
    hashes = chain.hashes(chain.START, bodies)
    found = []
    for seq, (body, after) in enumerate(zip(bodies, hashes, strict=True), 1):
        said = read(body)
        assert said is not None
        found.append(Found(seq, said.noted, None, body, after))
    return found, Head("a stream", length, hashes[-1], 0, chain.START)


def numbers(judged: vouching.Judged, how: str = "") -> list[int]:
    return [each.seq for each in judged.kept if not how or each.how == how]


@pytest.mark.parametrize("seq", range(1, 9))
def test_of_two_facts_with_one_number_the_one_that_leads_to_the_head_goes_on(seq: int) -> None:
    found, head = stream(9)
    before = found[seq - 2].hash if seq > 1 else chain.START
    body = fact(100 + seq)
    said = read(body)
    assert said is not None
    # A write that was taken back lies there still, and follows from what was before.
    other = Found(seq, said.noted, None, body, chain.advance(before, body))
    judged = vouching.judge([other, *found], head)
    assert [each.body for each in judged.kept] == [each.body for each in found]
    assert (judged.altered, judged.gaps) == ([other], [])


def test_after_a_gap_one_fact_cannot_be_proven_and_goes_on_all_the_same() -> None:
    found, head = stream(9)
    judged = vouching.judge(found[:3] + found[5:], head)
    assert numbers(judged, "unproven") == [6]
    assert numbers(judged, "proven") == [1, 2, 3, 7, 8, 9]
    assert judged.gaps == [(4, 5)]


def test_after_a_gap_a_fact_that_contradicts_what_is_noted_beside_it_stays_behind() -> None:
    found, head = stream(9)
    other = found[5]._replace(noted=found[5].noted._replace(subject="somebody else"))
    judged = vouching.judge([*found[:3], other, *found[6:]], head)
    assert numbers(judged) == [1, 2, 3, 7, 8, 9]
    assert judged.altered == [other]


def test_any_bit_that_was_flipped_is_put_right() -> None:
    found, head = stream(4)
    for at in range(0, len(found[1].body), 7):
        body = bytearray(found[1].body)
        body[at] ^= 1 << at % 8
        judged = vouching.judge([found[0], found[1]._replace(body=bytes(body)), *found[2:]], head)
        assert [each.body for each in judged.kept] == [each.body for each in found]
        assert numbers(judged, "mended") == [2]


def test_two_bits_are_not_put_right() -> None:
    found, head = stream(4)
    body = bytes([found[1].body[0] ^ 3]) + found[1].body[1:]
    judged = vouching.judge([found[0], found[1]._replace(body=body), *found[2:]], head)
    assert numbers(judged) == [1, 3, 4]
    assert [each.seq for each in judged.altered] == [2]


def test_facts_without_a_number_go_where_the_chain_goes_on_with_them() -> None:
    found, head = stream(9)
    loose = [each._replace(seq=0) for each in reversed(found[3:6])]
    judged = vouching.judge(found[:3] + found[6:], head, loose)
    assert numbers(judged, "proven") == list(range(1, 10))
    assert [each.body for each in judged.kept] == [each.body for each in found]


def test_a_forged_fact_finds_no_place() -> None:
    found, head = stream(3)
    said = read(fact(4))
    assert said is not None
    forged = Found(0, said.noted, None, fact(4), bytes(32))
    judged = vouching.judge(found, head, [forged])
    assert (numbers(judged), judged.altered) == ([1, 2, 3], [forged])


def test_how_far_the_stream_went_is_not_believed_of_a_number_alone() -> None:
    found, head = stream(3)
    assert vouching.judge(found, head._replace(head_seq=2**40)).gaps == []
    assert vouching.judge(found[:2], head).gaps == [(3, 3)]
