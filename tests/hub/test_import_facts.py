"""Facts that were carried by hand count as those that were handed over, and once."""

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import Engine

from hub.actions import attendance, kiosks, readiness
from hub.database import reading
from hub.schema import facts, streams
from hub.store.events import Session
from sync import chain
from sync.facts_file import Header, lines
from sync.messages import MAX_FACTS
from tests.hub.command import Command
from tests.hub.conftest import Institution
from tests.hub.desk import Desk, enrolled, student


@pytest.fixture
def ada(engine: Engine, institution: Institution) -> UUID:
    return student(engine, institution.id, "Ada", confirmed=["ada@example.edu"])


@pytest.fixture
def bo(engine: Engine, institution: Institution) -> UUID:
    return student(engine, institution.id, "Bo", confirmed=["bo@example.edu"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "front-door.facts"


def export(engine: Engine, desk: Desk, file: Path, first: int = 1, **changed: object) -> Path:
    """What `kiosk export` of this desk would write, from its `first` fact on."""
    hashes = [chain.START, *chain.hashes(chain.START, desk.made)]
    header = Header(
        hub_id=readiness.hub_id(engine),
        kiosk_id=desk.kiosk_id,
        stream_id=desk.stream_id,
        from_seq=first,
        prev_hash=hashes[first - 1],
        count=len(desk.made) - first + 1,
        last_hash=hashes[-1],
    )
    file.write_bytes(b"".join(lines(msgspec.structs.replace(header, **changed), desk.made[first - 1 :])))
    return file


def told(count: int, new: int, parked: int = 0, set_aside: int = 0) -> dict[str, int]:
    return {"facts": count, "new": new, "known": count - new, "parked": parked, "set_aside": set_aside}


def held(engine: Engine) -> int:
    with reading(engine) as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(facts)).scalar_one())


def test_carried_facts_count_and_a_second_time_they_change_nothing(
    command: Command, engine: Engine, desk: Desk, session: Session, institution: Institution, ada: UUID, bo: UUID,
    file: Path,
) -> None:  # fmt: skip
    desk.check_in(session.id, ada)
    desk.check_in(session.id, bo)
    desk.note(session.id, "dita@elsewhere.example")
    desk.made.append(b'{"kind":"from the future"}')
    desk.made.append(b"\xff\xfe")
    export(engine, desk, file)
    assert command.ask("import", "facts", file) == told(5, 5, parked=1, set_aside=2)
    assert _count(engine, institution, session) == 2
    rows = held(engine)
    assert command.ask("import", "facts", file) == told(5, 0)
    assert (held(engine), _count(engine, institution, session)) == (rows, 2)


def _count(engine: Engine, institution: Institution, session: Session) -> int:
    return attendance.count(engine, institution.id, session.id).count.checked_in


def test_what_comes_over_the_network_later_counts_once(
    command: Command, engine: Engine, client: FlaskClient, desk: Desk, session: Session, institution: Institution,
    ada: UUID, bo: UUID, file: Path,
) -> None:  # fmt: skip
    first = desk.check_in(session.id, ada)
    desk.check_in(session.id, bo)
    desk.undo(session.id, [first.id])
    assert command.ask("import", "facts", export(engine, desk, file)) == told(3, 3)
    assert _count(engine, institution, session) == 1
    answer = desk.hand_over(client)
    assert [receipt.verdict for receipt in answer.receipts] == ["counted", "counted", "applied"]
    assert answer.stream.acked_seq == 3
    assert _count(engine, institution, session) == 1


def test_what_came_over_the_network_before_is_known(
    command: Command, engine: Engine, client: FlaskClient, desk: Desk, session: Session, institution: Institution,
    ada: UUID, bo: UUID, file: Path,
) -> None:  # fmt: skip
    first = desk.check_in(session.id, ada)
    desk.hand_over(client)
    desk.undo(session.id, [first.id])
    desk.check_in(session.id, bo)
    assert command.ask("import", "facts", export(engine, desk, file)) == told(3, 2)
    assert _count(engine, institution, session) == 1
    assert desk.hand_over(client, 2).stream.acked_seq == 3
    assert _count(engine, institution, session) == 1


def test_two_files_that_overlap_come_to_what_is_in_both(
    command: Command, engine: Engine, desk: Desk, session: Session, institution: Institution, ada: UUID, bo: UUID,
    file: Path, tmp_path: Path,
) -> None:  # fmt: skip
    desk.check_in(session.id, ada)
    desk.check_in(session.id, ada)
    assert command.ask("import", "facts", export(engine, desk, file)) == told(2, 2)
    desk.check_in(session.id, bo)
    assert command.ask("import", "facts", export(engine, desk, tmp_path / "later", 2)) == told(2, 1)
    assert _count(engine, institution, session) == 2


def test_a_dry_run_says_the_same_and_leaves_nothing(
    command: Command, engine: Engine, desk: Desk, session: Session, institution: Institution, ada: UUID, file: Path
) -> None:
    for _ in range(MAX_FACTS + 1):
        desk.check_in(session.id, ada)
    export(engine, desk, file)
    assert command.ask("import", "facts", file, "--dry-run") == told(MAX_FACTS + 1, MAX_FACTS + 1)
    assert held(engine) == 0
    with reading(engine) as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(streams)).scalar_one() == 0
    assert command.ask("import", "facts", file) == told(MAX_FACTS + 1, MAX_FACTS + 1)


def test_an_import_does_not_pretend_that_the_kiosk_was_heard_from_or_holds_anything_back(
    command: Command, engine: Engine, desk: Desk, session: Session, institution: Institution, ada: UUID, file: Path
) -> None:
    desk.check_in(session.id, ada)
    command.ask("import", "facts", export(engine, desk, file))
    (kiosk,) = kiosks.everyone(engine, institution.id)
    assert (kiosk.last_seen_at, kiosk.waiting) == (None, 0)


def test_a_kiosk_that_was_cut_off_can_still_have_its_facts_carried(
    command: Command, engine: Engine, desk: Desk, session: Session, institution: Institution, ada: UUID, file: Path,
    now: datetime,
) -> None:  # fmt: skip
    desk.check_in(session.id, ada)
    kiosks.revoke(engine, institution.id, desk.kiosk_id, now)
    assert command.ask("import", "facts", export(engine, desk, file)) == told(1, 1)


def test_facts_of_a_kiosk_nobody_knows_are_filed_under_another_one(
    command: Command, engine: Engine, desk: Desk, session: Session, institution: Institution, ada: UUID, file: Path,
    other_institution: Institution, now: datetime,
) -> None:  # fmt: skip
    desk.check_in(session.id, ada)
    export(engine, desk, file, kiosk_id=uuid4())
    refused = command.run("import", "facts", file)
    assert (refused.exit_code, "--kiosk ID" in refused.stderr) == (1, True)
    assert command.run("import", "facts", file, "--kiosk", uuid4()).exit_code == 1
    assert command.ask("import", "facts", file, "--kiosk", desk.kiosk_id) == told(1, 1)
    theirs = enrolled(engine, other_institution.id, now)
    export(engine, desk, file)
    refused = command.run("import", "facts", file, "--kiosk", theirs.kiosk_id)
    assert (refused.exit_code, "another institution" in refused.stderr) == (1, True)


def test_a_file_of_another_hub_is_not_taken(
    command: Command, engine: Engine, desk: Desk, session: Session, ada: UUID, file: Path
) -> None:
    desk.check_in(session.id, ada)
    refused = command.run("import", "facts", export(engine, desk, file, hub_id=uuid4()))
    assert (refused.exit_code, "Nothing was imported" in refused.stderr, held(engine)) == (1, True, 0)


def test_a_damaged_file_is_refused_with_its_line_and_nothing_of_it_is_kept(
    command: Command, engine: Engine, desk: Desk, session: Session, ada: UUID, bo: UUID, file: Path
) -> None:
    desk.check_in(session.id, ada)
    desk.check_in(session.id, bo)
    good = export(engine, desk, file).read_bytes()
    first, second, third = good.splitlines(keepends=True)
    for damaged, said in {
        good.replace(str(bo).encode(), str(ada).encode()): "Line 3 of",
        first + third + second: "Line 2 of",
        first + second: "line 3 is missing",
        good[:-20]: "line 3 is missing",
        b"username\n": "no file that `kiosk export`",
        b"": "no file that `kiosk export`",
    }.items():
        file.write_bytes(damaged)
        refused = command.run("import", "facts", file)
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
    file.unlink()
    assert command.run("import", "facts", file).exit_code == 2
    assert held(engine) == 0


def test_people_are_told_what_came_of_it(
    command: Command, engine: Engine, desk: Desk, session: Session, ada: UUID, file: Path
) -> None:
    desk.check_in(session.id, ada)
    desk.note(session.id, "dita@elsewhere.example")
    desk.made.append(b"{}")
    export(engine, desk, file)
    assert "Nothing was changed" in command.run("import", "facts", file, "--dry-run").stderr
    said = command.run("import", "facts", file).stderr
    assert "3 facts: 3 new, 0 known already" in said
    assert "wait for a decision" in said
    assert "cannot be read" in said
    assert json.loads(command.run("import", "facts", file, "--json").stdout)["known"] == 3
