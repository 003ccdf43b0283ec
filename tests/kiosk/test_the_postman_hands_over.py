"""The engine over the real journal and roster, and the postman's own manners."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from kiosk import postman
from kiosk.actions import arrivals
from kiosk.actions.arrivals import Stores
from kiosk.postman import AnotherPostman, InTime, Round
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from kiosk.store.salvage import make_sound
from kiosk.store.sqlite import NotRecorded, StoreDamaged
from sync.digests import Line, bucket_of, digests
from sync.errors import DeviceRevoked, DeviceUnknown, HubUnreachable, NotOurHub
from sync.messages import Bucket, Digests, Entry, Moment, Person, Push, PushAnswer, Session
from tests.kiosk import builders as b
from tests.kiosk import damage
from tests.kiosk.fake_hub import FakeHub

OTHER_EPOCH = UUID("01900000-0000-7000-8000-00000000000d")


@pytest.fixture
def rounds(journal: Journal, roster: Roster) -> Round:
    """A postman's round at an enrolled kiosk with an empty roster, and a hub with the cast in its feed."""
    journal.enrolled(b.standing())
    journal.choose(b.session())
    return Round(FakeHub(b.pages(size=2)), journal, roster)


def hub_of(rounds: Round) -> FakeHub:
    assert isinstance(rounds.hub, FakeHub)
    return rounds.hub


def come(rounds: Round, *who: str) -> list[str]:
    return [arrivals.check_in(Stores(rounds.journal, rounds.roster), b.FAIR, b.arrival(each)).code for each in who]


def test_what_was_noted_offline_arrives_and_the_roster_is_fetched(rounds: Round) -> None:
    assert come(rounds, b.ADA_SCHOOL, b.DITA) == ["noted", "noted"]
    report = postman.go_once(rounds)
    assert (report.sent, report.waiting, report.received, report.problem) == (2, 0, 6, None)
    assert come(rounds, b.BO, b.ADA_HOME, b.CEM) == ["welcome", "welcome", "see_staff"]
    exchange = rounds.journal.exchange()
    assert exchange is not None
    assert exchange.well_at == exchange.at


def test_the_hub_can_open_what_the_kiosk_sealed(rounds: Round) -> None:
    from sync import seals
    from sync.messages import FACT, CheckIn

    come(rounds, f" {b.DITA.upper()} ")
    postman.go_once(rounds)
    fact = FACT.decode(hub_of(rounds).facts[0])
    assert isinstance(fact, CheckIn)
    assert fact.ref is None
    assert fact.sealed_identifier is not None
    assert seals.open_at_hub(b.HUB_PRIVATE, fact.sealed_identifier) == ("email", b.DITA.upper(), "")


def test_a_lost_answer_doubles_nothing(rounds: Round) -> None:
    postman.go_once(rounds)
    come(rounds, b.BO, b.ADA_SCHOOL)
    hub_of(rounds).lose = 3
    problems = [postman.go_once(rounds).problem for _ in range(4)]
    assert problems == ["hub_unreachable"] * 3 + [None]
    assert len(hub_of(rounds).facts) == 2
    assert hub_of(rounds).present() == {b.BOB.ref, b.ADA.ref}
    assert rounds.journal.marks().waiting == 0


def test_a_hub_from_an_old_backup_is_filled_again(rounds: Round) -> None:
    postman.go_once(rounds)
    come(rounds, b.BO, b.ADA_SCHOOL, b.DITA)
    postman.go_once(rounds)
    everything = list(hub_of(rounds).facts)
    del hub_of(rounds).facts[1:]
    assert postman.go_once(rounds).problem is None
    assert hub_of(rounds).facts == everything
    assert rounds.journal.marks().waiting == 0


def test_a_new_epoch_gives_a_new_roster_and_the_desk_never_stops(rounds: Round) -> None:
    postman.go_once(rounds)
    hub = hub_of(rounds)
    newcomer = b.Student("Zoe", ("zoe@example.edu",))
    feed = b.pages([newcomer], size=1, epoch=OTHER_EPOCH)
    for nth, page in enumerate(feed):
        hub.feed = feed[: nth + 1]
        rounds.roster.apply(page)
        expected = None if page.more else "Zoe"
        found = rounds.roster.recognise("zoe@example.edu").found
        assert (found.greeting if found else None) == expected
        assert come(rounds, b.BO)[0] in ("welcome", "already_in", "noted")
    assert rounds.roster.recognise(b.BO).found is None


def test_a_damaged_roster_is_fetched_again_from_zero(rounds: Round, folder: Path) -> None:
    postman.go_once(rounds)
    rounds.roster.close()
    (path,) = [each for each in folder.iterdir() if each.suffix == ".sqlite" and "roster" in each.name]
    path.write_bytes(b"\xa5" * 20_000)
    report = postman.go_once(rounds)
    assert (report.problem, report.received) == (None, 6)
    assert come(rounds, b.BO) == ["welcome"]


def test_a_kiosk_the_hub_does_not_know_keeps_checking_in(rounds: Round) -> None:
    postman.go_once(rounds)
    hub_of(rounds).says = DeviceUnknown()
    assert postman.go_once(rounds).problem == "device_unknown"
    assert come(rounds, b.BO) == ["welcome"]
    assert rounds.journal.marks().waiting == 1


def test_a_withdrawn_kiosk_forgets_the_people_and_keeps_the_facts(rounds: Round, folder: Path) -> None:
    postman.go_once(rounds)
    come(rounds, b.BO)
    hub_of(rounds).says = DeviceRevoked()
    assert postman.go_once(rounds).problem == "device_revoked"
    assert not [each for each in folder.iterdir() if each.name.startswith("roster-")]
    assert rounds.journal.marks().waiting == 1
    assert come(rounds, b.BO) == ["see_staff"]
    # Losing the network afterwards is no pardon.
    hub_of(rounds).says = HubUnreachable()
    postman.go_once(rounds)
    assert come(rounds, b.BO) == ["see_staff"]
    hub_of(rounds).says = None
    postman.go_once(rounds)
    assert come(rounds, b.ADA_SCHOOL) == ["welcome"]


def test_a_page_of_somebody_elses_network_changes_nothing(rounds: Round) -> None:
    hub_of(rounds).says = NotOurHub("status 200 without a hub's word")
    come(rounds, b.DITA)
    assert postman.go_once(rounds).problem == "not_our_hub"
    exchange = rounds.journal.exchange()
    assert exchange is not None
    assert (exchange.problem, exchange.well_at) == ("not_our_hub", None)
    assert rounds.journal.marks().waiting == 1


def test_an_idle_kiosk_spares_its_card(rounds: Round) -> None:
    postman.go_once(rounds)
    first = rounds.journal.exchange()
    postman.go_once(rounds)
    assert rounds.journal.exchange() == first


def test_one_folder_has_one_postman(folder: Path) -> None:
    folder.mkdir()
    with postman.only_one(folder), pytest.raises(AnotherPostman), postman.only_one(folder):
        pass
    with postman.only_one(folder):
        pass


def test_the_postman_ends_when_told(rounds: Round) -> None:
    stop = threading.Event()
    walk = threading.Thread(target=postman.go_on, args=(rounds, stop, lambda: False))
    walk.start()
    stop.set()
    walk.join(timeout=30)
    assert not walk.is_alive()


def test_the_postman_gives_up_on_a_damaged_journal_that_is_found_sound(rounds: Round, folder: Path) -> None:
    rounds.journal.close()
    (folder / "journal.sqlite").write_bytes(b"ruined" * 1000)
    found = iter([False, False])
    with pytest.raises(StoreDamaged):
        postman.go_on(rounds, threading.Event(), lambda: next(found))
    assert not list(found)


class LastHub(FakeHub):
    """Sets `stop` once it was given something."""

    def __init__(self) -> None:
        super().__init__(b.pages())
        self.stop = threading.Event()

    def push(self, stream_id: UUID, push: Push) -> PushAnswer:
        if push.facts:
            self.stop.set()
        return super().push(stream_id, push)


@pytest.fixture
def unsent(journal: Journal, roster: Roster) -> Round:
    """What a desk noted for a hub that was out of reach, and sends now."""
    journal.enrolled(b.standing())
    journal.choose(b.session())
    rounds = Round(LastHub(), journal, roster, now=b.moment)
    come(rounds, *(f"guest{number}@nowhere.example" for number in range(30)))
    journal.close()
    return rounds


def send(rounds: Round, mend: Callable[[], bool]) -> None:
    hub = rounds.hub
    assert isinstance(hub, LastHub)
    postman.go_on(rounds, hub.stop, mend)


@pytest.mark.parametrize("spoil", [damage.page_in_the_middle, damage.one_bit, damage.header])
def test_a_postman_at_work_has_a_damaged_journal_mended_and_goes_on(unsent: Round, spoil: damage.Spoil) -> None:
    spoil(unsent.journal.path)
    send(unsent, lambda: make_sound(unsent.journal.path, b.NOON) is not None)
    salvaged = unsent.journal.salvaged()
    assert salvaged is not None
    assert (salvaged.carried, unsent.journal.marks().waiting) == (len(hub_of(unsent).facts), 0)


def test_a_postman_goes_on_with_what_another_program_has_mended(unsent: Round) -> None:
    sound = unsent.journal.path.read_bytes()
    damage.header(unsent.journal.path)

    def mend() -> bool:
        unsent.journal.path.write_bytes(sound)
        return make_sound(unsent.journal.path, b.NOON) is not None

    send(unsent, mend)
    assert len(hub_of(unsent).facts) == 30


def test_a_postman_waits_while_a_damaged_journal_cannot_be_mended(unsent: Round) -> None:
    damage.header(unsent.journal.path)
    hindrances = [NotRecorded("busy")]

    def mend() -> bool:
        if hindrances:
            raise hindrances.pop()
        return make_sound(unsent.journal.path, b.NOON) is not None

    send(unsent, mend)
    assert len(hub_of(unsent).facts) == 30


def test_a_folder_that_cannot_be_listed_is_reported_and_ends_no_postman(journal: Journal, tmp_path: Path) -> None:
    journal.enrolled(b.standing())
    (tmp_path / "a file").touch()
    roster = Roster(tmp_path / "a file", b.BOOT)
    assert postman.go_once(Round(FakeHub(b.pages()), journal, roster)).problem == "not_recorded"


def test_an_unfinished_roster_that_cannot_be_removed_is_reported_and_ends_no_postman(
    rounds: Round, folder: Path
) -> None:
    rounds.roster.apply(b.pages(size=2)[0])
    (path,) = folder.glob("roster-*.loading")
    path.with_name(path.name + "-shm").mkdir()
    after_a_restart = Round(rounds.hub, rounds.journal, Roster(folder, "another boot"))
    assert postman.go_once(after_a_restart).problem == "not_recorded"


def test_check_ins_go_on_while_a_roster_loads(rounds: Round) -> None:
    b.load(rounds.roster)
    many = [b.Student(f"S{n}", (f"s{n}@example.edu",)) for n in range(60)]
    for nth, page in enumerate(b.pages(many, size=5, epoch=OTHER_EPOCH)):
        if page.more:
            rounds.roster.apply(page)
            assert come(rounds, f"guest{nth}@nowhere.example", b.BO)[0] == "noted"
    assert come(rounds, b.ADA_SCHOOL) == ["welcome"]


def test_the_log_names_nobody(rounds: Round, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    come(rounds, b.ADA_SCHOOL, b.DITA, b.CEM)
    postman.go_once(rounds)
    assert "sent 3, received 6, 0 waiting" in caplog.text
    for word in ("ada", "dita", "cem", "@"):
        assert word not in caplog.text.lower()


def test_a_hub_that_talks_for_ever_is_given_up(rounds: Round) -> None:
    class Dripping(FakeHub):
        def push(self, stream_id: UUID, push: Push) -> PushAnswer:
            threading.Event().wait()
            raise AssertionError

    report = postman.go_once(replace(rounds, hub=InTime(Dripping(), 0.05)))
    assert (report.problem, report.detail) == ("hub_unreachable", "it talks too slowly")
    assert postman.go_once(replace(rounds, hub=InTime(rounds.hub))).problem is None


def test_a_copied_journal_goes_on_under_a_new_name_with_the_same_facts(rounds: Round) -> None:
    come(rounds, b.ADA_SCHOOL, b.DITA)
    facts = rounds.journal.facts_after(0, 10)
    before = rounds.journal.marks()
    rounds.journal.start_new_stream()
    after = rounds.journal.marks()
    assert (after.parent, after.acked_seq, after.head_seq) == (before.stream_id, 0, 2)
    assert after.stream_id != before.stream_id
    assert rounds.journal.facts_after(0, 10) == facts
    assert rounds.journal.fault() is None


class Clockwork:
    """Clocks that somebody turns."""

    def __init__(self) -> None:
        self.minutes = 0

    def __call__(self) -> Moment:
        return b.moment(self.minutes)


class Auditing(FakeHub):
    """Says how its roster is made up, as often as it is asked."""

    asked = 0

    def digests(self) -> Digests:
        self.asked += 1
        lines = [line for page in self.feed for entry in page.entries for line in [_line(entry)] if line is not None]
        position = self.feed[-1].to
        return Digests(hub_id=b.HUB_ID, epoch=b.EPOCH, position=position, buckets=digests(lines, b.ROSTER_KEY))

    def bucket(self, number: int) -> Bucket:
        every = [entry for page in self.feed for entry in page.entries]
        entries = tuple(each for each in every if (line := _line(each)) and bucket_of(line[1]) == number)
        position = self.feed[-1].to
        return Bucket(hub_id=b.HUB_ID, epoch=b.EPOCH, position=position, number=number, entries=entries)


def _line(entry: Entry) -> Line | None:
    match entry:
        case Person():
            return "person", entry.ref, entry.position
        case Session():
            return "session", entry.id, entry.position
    return None


def test_the_whole_roster_is_compared_at_the_first_exchange_and_then_once_an_hour(rounds: Round) -> None:
    hub, now = Auditing(b.pages()), Clockwork()
    auditing = replace(rounds, hub=hub, now=now)
    for now.minutes, asked in ((0, 1), (30, 1), (61, 2), (90, 2), (-50, 3)):
        assert postman.go_once(auditing).problem is None
        assert hub.asked == asked


@pytest.mark.parametrize(
    "rot",
    [
        "UPDATE people SET state = 'disabled'",
        "UPDATE people SET position = position + 1",
        "UPDATE keys SET greeting = zeroblob(40)",
        "DELETE FROM keys WHERE tag = (SELECT min(tag) FROM keys)",
        "DELETE FROM people WHERE ref = (SELECT min(ref) FROM people)",
        "UPDATE sessions SET body = CAST(replace(body, 'CV', 'VC') AS BLOB)",
    ],
)
def test_what_has_rotted_in_a_roster_is_found_and_fetched_again(rounds: Round, folder: Path, rot: str) -> None:
    hub, now = Auditing(b.pages()), Clockwork()
    auditing = replace(rounds, hub=hub, now=now)
    postman.go_once(auditing)
    known = rounds.roster.status()
    (file,) = folder.glob("roster-*.sqlite")
    before = content(file)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(rot)
    assert content(file) != before
    rounds.roster._counted = None
    rounds.roster.status()

    now.minutes = 61
    report = postman.go_once(auditing)
    assert (report.problem, report.mended > 0) == (None, True)
    assert content(file) == before
    assert rounds.roster.status() == known
    assert come(rounds, b.BO) == ["welcome"]


def content(file: Path) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(file)) as db:
        return [
            db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ("people", "keys", "sessions")
        ]
