"""`kiosk export`: what the hub does not hold yet goes into a file, and stays in the journal."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from uuid_utils.compat import uuid7

from kiosk.actions import carrying
from kiosk.cli import main
from kiosk.store.journal import Journal
from sync import chain, facts_file
from sync.errors import ChainBroken
from sync.facts_file import FactsFile
from sync.identifiers import read_email
from sync.messages import FACT, CheckIn, StreamMark
from sync.seals import seal_to_hub
from tests.kiosk import builders as b
from tests.kiosk import damage


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("KIOSK_DATA_DIR", str(folder))


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder / "front-door.facts"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def told(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def check_in(journal: Journal) -> UUID:
    fact = CheckIn(
        id=uuid7(),
        session_id=b.FAIR,
        method="email",
        at=b.moment(),
        roster_position=6,
        tag=bytes(8),
        sealed_identifier=seal_to_hub(b.HUB_KEY, read_email(b.DITA)),
    )
    with journal.writing() as page:
        page.append(fact, bytes(8).hex())
    return fact.id


def at_hub(journal: Journal, seq: int) -> None:
    digest = journal.hash_at(seq)
    assert digest is not None
    journal.settle(StreamMark(acked_seq=seq, acked_hash=digest), ())


def read(file: Path) -> FactsFile:
    with file.open("rb") as opened:
        return facts_file.read(opened)


@pytest.fixture
def made(folder: Path, journal: Journal) -> list[UUID]:
    """Three check-ins of an enrolled kiosk, of which the hub holds the first."""
    b.set_up(folder)
    ids = [check_in(journal) for _ in range(3)]
    at_hub(journal, 1)
    return ids


def test_what_the_hub_does_not_hold_yet_goes_into_the_file(journal: Journal, made: list[UUID], stick: Path) -> None:
    answer = told(run("export", stick, "--json"))
    marks = journal.marks()
    assert answer == {
        "file": str(stick),
        "facts": 2,
        "from_seq": 2,
        "stream_id": str(marks.stream_id),
    }
    found = read(stick)
    assert [FACT.decode(fact).id for fact in found.facts] == made[1:]
    assert (found.header.hub_id, found.header.kiosk_id) == (b.HUB_ID, b.KIOSK_ID)
    assert (found.header.stream_id, found.header.from_seq) == (marks.stream_id, 2)
    assert (found.header.prev_hash, found.header.last_hash) == (journal.hash_at(1), journal.hash_at(3))
    assert (marks.waiting, [each.name for each in stick.parent.iterdir()]) == (2, [stick.name])
    assert stick.stat().st_mode & 0o777 == 0o600
    assert b.DITA.encode() not in stick.read_bytes()


def test_everything_is_there_for_the_asking(made: list[UUID], stick: Path) -> None:
    assert told(run("export", stick, "--all", "--json"))["facts"] == 3
    assert read(stick).header.prev_hash == chain.START


def test_when_nothing_waits_nothing_is_written(journal: Journal, made: list[UUID], stick: Path) -> None:
    at_hub(journal, 3)
    result = run("export", stick, "--json")
    assert (told(result)["facts"], told(result)["file"]) == (0, None)
    assert "0 facts wait" in result.stderr
    assert not stick.exists()


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(made: list[UUID], stick: Path) -> None:
    stick.write_text("something of mine")
    refused = run("export", stick)
    assert (refused.exit_code, "--force" in refused.stderr, stick.read_text()) == (1, True, "something of mine")
    assert told(run("export", stick, "--force", "--json"))["facts"] == 2
    assert len(read(stick).facts) == 2
    assert run("export", stick.parent).exit_code == 1
    nowhere = run("export", stick.parent / "nowhere" / "a.facts")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)


def test_a_kiosk_that_belongs_to_no_hub_has_nothing_to_carry(journal: Journal, stick: Path) -> None:
    journal.marks()
    refused = run("export", stick)
    assert (refused.exit_code, "kiosk enrol" in refused.stderr) == (1, True)


ALTERED = damage.changed("UPDATE facts SET body = x'fffe' WHERE seq = 2")
MISSING = damage.changed("DELETE FROM facts WHERE seq = 2")


@pytest.mark.parametrize("spoil", [ALTERED, MISSING])
def test_what_the_chain_does_not_vouch_for_is_never_carried(
    journal: Journal, made: list[UUID], stick: Path, spoil: damage.Spoil
) -> None:
    genuine = journal.facts_after(0, 3)
    journal.close()
    spoil(journal.path)
    with pytest.raises(ChainBroken):
        carrying.pack(journal, b.standing())
    journal.close()
    result = run("export", stick, "--json")
    carried = read(stick).facts
    assert (told(result)["facts"], len(set(carried))) == (len(carried), len(carried))
    assert set(carried) <= set(genuine)
    assert "made anew" in result.stderr


def test_a_fact_that_comes_while_others_are_packed_waits_for_the_next_file(journal: Journal, made: list[UUID]) -> None:
    first = carrying.pack(journal, b.standing())
    check_in(journal)
    assert (first.header.count, first.header.last_hash) == (2, journal.hash_at(3))
    assert carrying.pack(journal, b.standing()).header.last_hash == journal.hash_at(4)
