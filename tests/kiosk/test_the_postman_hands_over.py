"""The engine over the real journal and roster, and the postman's own manners."""

import threading
from pathlib import Path
from uuid import UUID

import pytest

from kiosk import postman
from kiosk.actions import arrivals
from kiosk.actions.arrivals import Stores
from kiosk.postman import AnotherPostman, Round
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from kiosk.store.sqlite import StoreDamaged
from sync.errors import DeviceRevoked, DeviceUnknown, HubUnreachable, NotOurHub
from tests.kiosk import builders as b
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
    walk = threading.Thread(target=postman.go_on, args=(rounds, stop))
    walk.start()
    stop.set()
    walk.join(timeout=30)
    assert not walk.is_alive()


def test_the_postman_gives_up_on_a_damaged_journal(rounds: Round, folder: Path) -> None:
    rounds.journal.close()
    (folder / "journal.sqlite").write_bytes(b"ruined" * 1000)
    with pytest.raises(StoreDamaged):
        postman.go_on(rounds, threading.Event())


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
