"""An upload on its way: what may happen to it, what it survives, and that all of it counts or nothing does."""

import io
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from hub.actions import audit, students
from hub.actions.imports import Chosen, carrying_out, jobs
from hub.actions.imports.place import KEPT_FOR, Goal, Place, Progress
from hub.config import Config
from hub.database import writing
from hub.errors import HubRefused, UnknownSession, UnknownStudent, UnreadableFile
from hub.readers import How
from hub.readers.failed_rows import FailedRows
from hub.runner import Runner
from hub.store.events import Session
from hub.store.imports import Kind
from tests.hub.conftest import Institution

WHO = "dita@example.edu"
THREE = b"email_address,username,first_name\nada@example.edu,ada,Ada\nbo@example.edu,bo,Bo\nnobody,cem,Cem\n"


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what has nothing to do with the kind of database."""


def just_end(institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
    """A process that is gone before it did anything."""


@dataclass
class Office:
    """Somebody at the imports page."""

    place: Place
    now: datetime
    began: list[Goal] = field(default_factory=list)

    def upload(
        self,
        content: bytes = THREE,
        name: str = "students.csv",
        kind: Kind = "students",
        session_id: UUID | None = None,
        chosen: Chosen = Chosen(),  # noqa: B008
    ) -> UUID:
        return jobs.take_in(self.place, kind, session_id, name, io.BytesIO(content), chosen, WHO, self.now)

    def do(self, import_id: UUID, *goals: Goal, start: jobs.Start | None = None) -> jobs.Shown:
        for goal in goals:
            jobs.begin(self.place, import_id, goal, WHO, self.now, start or self.here)
        return self.show(import_id)

    def here(self, institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        carrying_out.carry_out(self.place, import_id, goal, lambda: self.now)

    def show(self, import_id: UUID) -> jobs.Shown:
        return jobs.show(self.place, import_id, self.now)

    def has(self, username: str) -> bool:
        try:
            students.show(self.place.engine, self.place.institution_id, username)
        except UnknownStudent:
            return False
        return True


@pytest.fixture
def office(engine: Engine, institution: Institution, tmp_path: Path, now: datetime) -> Office:
    return Office(Place(engine, institution.id, tmp_path / "imports"), now)


def test_an_upload_is_checked_applied_and_undone(office: Office) -> None:
    upload = office.upload()
    assert office.show(upload).row.state == "uploaded"

    checked = office.do(upload, "check")
    assert checked.row.state == "checked"
    assert checked.row.result is not None
    assert (checked.row.result["created"], checked.row.result["failed"]) == (2, 1)
    assert not office.has("ada")

    applied = office.do(upload, "apply")
    assert applied.row.state == "applied"
    assert office.has("ada")
    assert applied.undoable_until == office.now + KEPT_FOR

    undone = office.do(upload, "undo")
    assert undone.row.state == "undone"
    assert undone.row.result is not None
    assert undone.row.result["undone"] == {"undone": 2, "kept": 0}
    assert not office.has("ada")


@on_sqlite
def test_what_was_understood_is_shown_before_anything_is_checked(office: Office) -> None:
    upload = office.upload("email;username;Prénom;Shoe size\nada@example.edu;ada;Zoé;39\n".encode("cp1252"))
    seen = jobs.glance(office.place, upload)
    assert (seen.format.encoding, seen.format.delimiter, seen.format.guessed) == ("cp1252", ";", True)
    assert seen.understood.columns == {0: "email_address", 1: "username", 2: "first_name"}
    assert seen.understood.unknown == ("Shoe size",)
    assert [row.cells for row in seen.rows] == [["ada@example.edu", "ada", "Zoé", "39"]]
    assert seen.missing == ()


@on_sqlite
def test_what_was_misunderstood_can_be_corrected(office: Office) -> None:
    upload = office.upload(b"who;handle;email_address\nAda;ada;ada@example.edu\n")
    assert jobs.glance(office.place, upload).missing == ("username", "first_name")
    jobs.choose(office.place, upload, Chosen(columns={0: "first_name", 1: "username"}), office.now)
    assert jobs.glance(office.place, upload).missing == ()
    assert office.do(upload, "check", "apply").row.state == "applied"
    assert office.has("ada")


@on_sqlite
def test_a_file_that_cannot_be_read_is_refused_with_its_reason_and_can_be_read_otherwise(office: Office) -> None:
    content = "email_address,username,first_name\nada@example.edu,ada,Zoé\n".encode("cp1252")
    upload = office.upload(content, chosen=Chosen(how=How(encoding="utf-8")))
    refused = office.do(upload, "check")
    assert refused.row.state == "refused"
    assert refused.row.result is not None
    assert (refused.row.result["reason"], refused.row.result["about"]) == ("not_utf8", {"line": 2})
    jobs.choose(office.place, upload, Chosen(how=How(encoding="cp1252")), office.now)
    assert office.do(upload, "check").row.state == "checked"


@on_sqlite
def test_nothing_is_applied_that_was_not_checked(office: Office) -> None:
    upload = office.upload()
    with pytest.raises(jobs.NotNow):
        office.do(upload, "apply")
    assert not office.has("ada")


@on_sqlite
def test_what_is_applied_is_applied_once_and_can_no_longer_be_chosen_or_thrown_away(office: Office) -> None:
    upload = office.upload()
    office.do(upload, "check", "apply")
    for no_longer in (
        lambda: office.do(upload, "apply"),
        lambda: jobs.choose(office.place, upload, Chosen(), office.now),
        lambda: jobs.throw_away(office.place, upload, WHO, office.now),
    ):
        with pytest.raises(jobs.NotNow):
            no_longer()
    assert office.show(upload).row.state == "applied"


@on_sqlite
def test_an_upload_that_is_thrown_away_leaves_no_file_and_is_not_listed(office: Office) -> None:
    upload = office.upload()
    jobs.throw_away(office.place, upload, WHO, office.now)
    assert jobs.listed(office.place, office.now) == []
    assert not office.place.files(upload).folder.exists()


def test_an_import_whose_process_is_gone_was_interrupted_and_changed_nothing(office: Office) -> None:
    upload = office.upload()
    assert office.do(upload, "check", start=just_end).row.state == "interrupted"
    office.do(upload, "check")
    jobs.begin(office.place, upload, "check", WHO, office.now, just_end)
    assert [each.state for each in jobs.listed(office.place, office.now)] == ["interrupted"], "the list knows it too"
    office.do(upload, "check")
    assert office.do(upload, "apply", start=just_end).row.state == "interrupted"
    assert not office.has("ada")
    assert office.do(upload, "check", "apply").row.state == "applied"


@on_sqlite
def test_an_undoing_whose_process_is_gone_leaves_the_import_as_it_was(office: Office) -> None:
    upload = office.upload()
    before = office.do(upload, "check", "apply")
    after = office.do(upload, "undo", start=just_end)
    assert (after.row.state, after.row.result) == ("applied", before.row.result)
    assert office.has("ada")


@on_sqlite
def test_while_a_process_is_at_work_its_import_is_under_way_whoever_asks(office: Office) -> None:
    upload = office.upload()
    seen: list[jobs.Shown] = []

    def look(institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        seen.append(office.show(import_id))
        with pytest.raises(jobs.NotNow):
            jobs.begin(office.place, import_id, "check", WHO, office.now, just_end)

    office.do(upload, "check", start=look)
    assert seen[0].row.state == "checking"
    assert seen[0].progress is not None


@on_sqlite
def test_a_machine_that_starts_no_process_says_so_and_the_import_waits(office: Office) -> None:
    def fail(institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    upload = office.upload()
    with pytest.raises(HubRefused):
        office.do(upload, "check", start=fail)
    assert office.show(upload).row.state == "uploaded"


@on_sqlite
@pytest.mark.parametrize(("content", "reason"), [(b"", "empty"), (b"x" * 50_000_001, "too_large")])
def test_an_upload_that_no_import_can_be_is_not_kept(office: Office, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        office.upload(content)
    assert refused.value.reason == reason
    assert jobs.listed(office.place, office.now) == []
    assert [each.name for each in office.place.folder.iterdir()] == []


@on_sqlite
def test_an_attendee_file_for_a_session_that_is_not_there_is_not_kept(office: Office) -> None:
    with pytest.raises(UnknownSession):
        office.upload(kind="attendees", session_id=uuid4())
    assert not office.place.folder.exists()


@on_sqlite
def test_the_same_file_again_is_told_by_its_fingerprint_whatever_its_name(office: Office) -> None:
    first = office.upload()
    office.do(first, "check", "apply")
    again = office.show(office.upload(name="other.csv"))
    assert again.same_file is not None
    assert again.same_file.id == first
    assert office.show(office.upload(THREE + b"\n")).same_file is None


@on_sqlite
def test_a_file_name_is_shown_without_folders_and_control_characters(office: Office) -> None:
    assert office.show(office.upload(name="C:\\secret\\..\\stu\x00dents\u202e.csv")).row.file_name == "students.csv"
    assert office.show(office.upload(name="../../etc/passwd")).row.file_name == "passwd"
    assert office.show(office.upload(name=f"{'x' * 250}.csv")).row.file_name.endswith("x.csv"), "it says what it is"


@on_sqlite
def test_an_import_can_be_undone_for_thirty_days_and_then_its_file_is_gone(office: Office, tmp_path: Path) -> None:
    upload = office.upload()
    office.do(upload, "check", "apply")
    office.now += KEPT_FOR + timedelta(seconds=1)
    with pytest.raises(jobs.TooLate):
        office.do(upload, "undo")
    assert office.show(upload).undoable_until is None
    # The clock of files is the machine's.
    jobs.tidy_all(
        office.place.engine, office.place.folder, datetime.now(office.now.tzinfo) + KEPT_FOR + timedelta(days=1)
    )
    assert not office.place.files(upload).folder.exists()
    assert office.show(upload).row.state == "applied"


def test_an_attendee_file_from_a_sessions_page_may_hold_just_addresses(office: Office, session: Session) -> None:
    office.do(office.upload(), "check", "apply")
    content = b"email\nada@example.edu\nnobody@example.edu\n"
    upload = office.upload(content, "came.csv", "attendees", session.id)
    assert jobs.glance(office.place, upload).missing != ()
    jobs.choose(office.place, upload, Chosen(just_addresses="checked_in"), office.now)
    assert jobs.glance(office.place, upload).missing == ()
    applied = office.do(upload, "check", "apply").row
    assert applied.result is not None
    assert (applied.state, applied.result["created"], applied.result["failed"]) == ("applied", 1, 1)
    assert [each.id for each in jobs.listed(office.place, office.now, session_ids=[session.id])] == [upload]
    assert office.do(upload, "undo").row.state == "undone"


@on_sqlite
def test_who_had_what_applied_and_undone_is_in_the_audit_log(office: Office) -> None:
    upload = office.upload()
    shown = office.do(upload, "check", "apply")
    assert jobs.hand_out(office.place, shown, "bo@example.edu", office.now) is not None
    office.do(upload, "undo")
    another = office.upload()
    jobs.throw_away(office.place, another, WHO, office.now)
    log = audit.latest(office.place.engine, office.place.institution_id)
    assert [(each.who, each.what, each.about["import_id"]) for each in log] == [
        (WHO, "import_throw_away", str(another)),
        (WHO, "import_undo", str(upload)),
        ("bo@example.edu", "export_failed_rows", str(upload)),
        (WHO, "import_apply", str(upload)),
        (WHO, "import_check", str(upload)),
    ]


@on_sqlite
@pytest.mark.parametrize("goal", ["apply", "undo"])
def test_nothing_counts_that_cannot_be_written_into_the_audit_log(office: Office, goal: Goal) -> None:
    upload = office.upload()
    before: tuple[Goal, ...] = ("check",) if goal == "apply" else ("check", "apply")
    office.do(upload, *before)
    with writing(office.place.engine) as conn:
        conn.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(FAIL, 'full'); END")
    after = office.do(upload, goal).row
    assert after.state == ("interrupted" if goal == "apply" else "applied")
    assert office.has("ada") is (goal == "undo")
    assert "full" not in str(after.result), "the database's own words may hold an address"


@on_sqlite
def test_a_student_file_that_a_later_one_builds_upon_is_undone_after_that(office: Office) -> None:
    wrong, right = office.upload(), office.upload(THREE.replace(b"bo@example.edu,bo,Bo\n", b""))
    office.do(wrong, "check", "apply")
    office.now += timedelta(minutes=1)
    assert (office.do(right, "check", "apply").row.result or {})["unchanged"] == 1
    shown = office.show(wrong)
    assert (shown.undoable_until, shown.undo_first and shown.undo_first.id) == (None, right)
    with pytest.raises(jobs.UndoFirst, match=str(right)):
        office.do(wrong, "undo")
    office.do(right, "undo")
    assert office.do(wrong, "undo").row.state == "undone"
    assert not office.has("ada")


@on_sqlite
def test_only_so_many_are_under_way_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 1)
    first, second = office.upload(), office.upload()

    def look(institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        with pytest.raises(jobs.TooMany):
            office.do(second, "check")

    office.do(first, "check", start=look)
    assert office.do(second, "check").row.state == "checked"


@on_sqlite
def test_a_check_that_is_repeated_leaves_one_file_of_failed_rows(office: Office) -> None:
    upload = office.upload()
    for _ in range(3):
        office.do(upload, "check")
    assert len(list(office.place.files(upload).folder.glob("*students*.csv"))) == 1
    last = office.do(upload, "apply").failed_rows
    assert list(office.place.files(upload).folder.glob("*students*.csv")) == [last]


@on_sqlite
def test_failed_rows_are_found_though_whoever_wrote_them_was_stopped_before_they_had_their_name(office: Office) -> None:
    upload = office.upload()
    file = office.do(upload, "check").failed_rows
    assert file is not None
    file.rename(file.with_name(f".{file.name}.part"))
    assert office.show(upload).failed_rows == file


@on_sqlite
def test_an_import_that_is_in_stays_listed_though_its_command_is_stopped_right_then(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(self: FailedRows) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FailedRows, "keep", stopped)
    file = tmp_path / "students.csv"
    file.write_bytes(THREE)
    with pytest.raises(KeyboardInterrupt):
        carrying_out.import_file(office.place, "students", None, file, Chosen(), WHO, lambda: office.now, None)
    (there,) = jobs.listed(office.place, office.now)
    assert (there.state, office.has("ada")) == ("applied", True)
    monkeypatch.undo()
    assert office.do(there.id, "undo").row.state == "undone"


@on_sqlite
def test_who_looks_from_a_machine_without_its_files_calls_no_import_off(office: Office, tmp_path: Path) -> None:
    elsewhere = Place(office.place.engine, office.place.institution_id, tmp_path / "elsewhere")
    upload = office.upload()

    def look(institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        assert [each.state for each in jobs.listed(elsewhere, office.now)] == ["checking"]
        office.here(institution_id, import_id, goal, lock)

    assert office.do(upload, "check", start=look).row.state == "checked"


@on_sqlite
def test_what_is_no_import_in_their_folder_is_nobodys_business(office: Office) -> None:
    found = office.place.folder / "lost+found"
    found.mkdir(parents=True)
    os.utime(found, (0, 0))
    jobs.tidy(office.place, office.now)
    assert found.is_dir()


def test_an_institution_sees_none_of_anothers_imports(
    office: Office, other_institution: Institution, engine: Engine, tmp_path: Path
) -> None:
    upload = office.upload()
    elsewhere = Place(engine, other_institution.id, tmp_path / "imports")
    assert jobs.listed(elsewhere, office.now) == []
    with pytest.raises(jobs.UnknownImport):
        jobs.show(elsewhere, upload, office.now)


@pytest.fixture
def many() -> bytes:
    rows = "".join(f"s{n}@example.edu,s{n},Student {n}\n" for n in range(20_000))
    return f"email_address,username,first_name\n{rows}".encode()


@on_sqlite
def test_the_hub_starts_a_process_that_goes_on_without_it(office: Office, config: Config) -> None:
    runner = Runner(config)
    upload = office.upload()
    jobs.begin(office.place, upload, "check", WHO, office.now, runner.start)
    runner.wait()
    assert office.show(upload).row.state == "checked"
    jobs.begin(office.place, upload, "apply", WHO, office.now, runner.start)
    runner.wait()
    assert office.has("ada")


def test_a_process_that_is_killed_while_it_applies_leaves_nothing_half_done(
    office: Office, config: Config, many: bytes
) -> None:
    upload = office.upload(many)
    office.do(upload, "check")
    runner = Killer(config, lambda: (office.place.files(upload).progress() or Progress(0, 0)).rows > 0)
    jobs.begin(office.place, upload, "apply", WHO, office.now, runner.start)
    runner.kill()
    shown = office.show(upload)
    assert shown.row.state == "interrupted"
    assert not office.has("s0")
    with writing(office.place.engine):
        pass  # Nobody holds the database.
    assert office.do(upload, "check", "apply").row.state == "applied"
    assert office.has("s19999")


class Killer(Runner):
    """Starts a process and kills it once something has happened."""

    def __init__(self, config: Config, happened: Callable[[], bool]) -> None:
        super().__init__(config)
        self._happened = happened

    def kill(self) -> None:
        process: subprocess.Popen[bytes] = self._running[-1]
        while not self._happened():
            assert process.poll() is None, "it was over before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
