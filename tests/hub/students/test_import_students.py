"""What a whole import promises, on both databases."""

import csv
import io
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from hub.actions import students
from hub.actions.imports import ImportResult
from hub.actions.imports.running import CHUNK
from hub.database import reading, writing
from hub.errors import HubRefused, UnreadableFile
from hub.readers.failed_rows import FailedRows
from hub.schema import addresses, cards
from hub.schema import students as students_table
from hub.store import feed
from hub.store import students as store
from tests.hub.files import import_file
from tests.hub.students.desk import ADA, BO, CEM, DITA, Office, Row, as_csv, counts, on_sqlite

SHARED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = ("last_name", "preferred_name", "campus_name", "gender", "disabled", "card_id", "additional_email_addresses")
BAD: tuple[Row, ...] = (
    {"username": "", "email_address": "x1@example.edu", "first_name": "X"},
    {"username": "x2", "email_address": "", "first_name": "X"},
    {"username": "x3", "email_address": "x3@elsewhere.edu", "first_name": "X"},
    {"username": "x4", "email_address": "not an address", "first_name": "X"},
    {"username": "x5", "email_address": "x5@example.edu", "first_name": "X", "disabled": "perhaps"},
)


@st.composite
def people(draw: st.DrawFn) -> list[Row]:
    """Rows that have nothing to do with each other."""
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6))
    rows: list[Row] = []
    for name in names:
        row = {"username": name, "email_address": f"{name}@example.edu", "first_name": draw(st.text("AÉß", min_size=1))}
        if draw(st.booleans()):
            row |= {"card_id": f"card-{name}", "additional_email_addresses": f"{name}@students.example.edu"}
        row["disabled"] = draw(st.sampled_from(["", "TRUE", "FALSE"]))
        row["campus_name"] = draw(st.sampled_from(["", "North", "South"]))
        rows.append(row)
    return rows


def everything(office: Office) -> list[object]:
    """All students as they are, without ids and moments."""
    found = [(name, office.stored(name)) for name in [*"abcdefgh", "dita"]]
    return [
        (stored["first_name"], stored["disabled"], stored["attributes"], stored["cards"], office.addresses(name))
        for name, stored in found
        if stored is not None
    ]


@on_sqlite
@SHARED
@given(rows=people())
def test_the_same_file_twice_changes_nothing_the_second_time(office: Office, rows: list[Row]) -> None:
    office.rows(*rows)
    before, position = everything(office), office.position()
    assert counts(office.rows(*rows)) == (0, 0, len(rows), 0, 0)
    assert (everything(office), office.position()) == (before, position)


@on_sqlite
@SHARED
@given(rows=people(), data=st.data())
def test_the_order_of_unrelated_rows_does_not_matter(office: Office, rows: list[Row], data: st.DataObject) -> None:
    there = [*rows, DITA]
    results = []
    for order in (there, data.draw(st.permutations(there))):
        _forget_everybody(office.engine)
        results.append((counts(office.rows(*order)), everything(office)))
    assert results[0] == results[1]


@on_sqlite
@SHARED
@given(rows=people(), bad=st.lists(st.sampled_from(BAD), unique_by=lambda row: row["username"]), data=st.data())
def test_good_rows_land_whatever_the_bad_ones_are(
    office: Office, elsewhere: Office, rows: list[Row], bad: list[Row], data: st.DataObject
) -> None:
    result = office.rows(*data.draw(st.permutations([*rows, *bad])))
    assert (result.skipped + result.failed, result.rows) == (len(bad), len(rows) + len(bad))
    assert [row["username"] for row in rows if office.stored(row["username"]) is None] == []


def test_a_file_longer_than_a_chunk_lands_whole_and_tells_how_far_it_is(office: Office) -> None:
    rows = [
        {"email_address": f"s{n}@example.edu", "username": f"s{n}", "first_name": "S", "card_id": str(n)}
        for n in range(CHUNK + 1)
    ]
    assert counts(office.rows(*rows, {**BO, "card_id": "0"})) == (CHUNK + 1, 0, 0, 1, 0)
    assert office.progress == [CHUNK, CHUNK + 2]
    assert counts(office.rows(*rows)) == (0, 0, CHUNK + 1, 0, 0)
    assert counts(office.rows({**BO, "card_id": "0"})) == (0, 0, 0, 0, 1)


def test_kiosks_are_told_of_every_new_student_and_of_each_change_they_show(office: Office) -> None:
    office.rows(ADA, BO)
    assert _touched(office, 0) == {office.field("ada", "id"), office.field("bo", "id")}
    for change in (
        {"preferred_name": "Countess"},
        {"disabled": "TRUE"},
        {"card_id": "7"},
        {"additional_email_addresses": "a@example.edu"},
        {"email_address": "a@example.edu"},
        {"last_name": "Byron"},
        {"middle_name": "King"},
        {"school_year_name": "Senior"},
    ):
        before = office.position()
        office.rows({**ADA, **change}, BO)
        assert _touched(office, before) == {office.field("ada", "id")}


def test_kiosks_are_not_told_of_what_they_do_not_show(office: Office) -> None:
    office.rows(ADA)
    before = office.position()
    assert counts(office.rows({**ADA, "campus_name": "North", "email_address": "Ada@Example.edu"})) == (0, 1, 0, 0, 0)
    assert office.position() == before


def test_a_dry_run_says_the_same_and_changes_nothing(office: Office) -> None:
    office.rows(ADA)
    before = office.position()
    rows = ({**ADA, "first_name": "Augusta"}, BO, {**CEM, "email_address": "ada@example.edu"})
    dry = office.rows(*rows, dry_run=True)
    assert counts(dry) == (1, 1, 0, 1, 0)
    assert (office.position(), office.stored("bo"), office.field("ada", "first_name")) == (before, None, "Ada")
    assert dry.failed_rows_file is not None
    assert counts(office.rows(*rows)) == counts(dry)


def test_a_file_that_turns_out_unreadable_leaves_no_trace(office: Office) -> None:
    before = office.position()
    with pytest.raises(UnreadableFile):
        office.take(as_csv([ADA, *[{**BO, "email_address": ""}] * CHUNK]) + '"never closed,x,y\n')
    assert office.progress == [CHUNK]
    assert (office.stored("ada"), office.position()) == (None, before)
    assert list(office.failed_dir.iterdir()) == []


def test_rule_102_the_failed_rows_file_repeats_the_input_with_the_message_last(office: Office) -> None:
    office.rows(ADA)
    content = (
        "username;first_name;shoe_size;email_address;additional_email_addresses\r\n"
        'bo;" =Bo; ""B""";36; ada@example.edu;\r\n'
        "cem;Cem\r\n"
        "dita;Dita;37;dita@example.edu;;;;x\r\n"
        "eve;Eve;38;eve@example.edu;\r\n"
    )
    result = office.take(b"\xef\xbb\xbf" + content.encode())
    assert counts(result) == (1, 0, 0, 0, 3)
    assert result.failed_rows_file is not None
    path = Path(result.failed_rows_file)
    assert path.parent == office.failed_dir
    assert path.stat().st_mode & 0o077 == 0
    assert path.read_bytes().decode().splitlines() == [
        "\ufeffusername;first_name;shoe_size;email_address;additional_email_addresses;error_code;error_message",
        'bo;"\' =Bo; ""B""";36; ada@example.edu;;email_taken;'
        '"{""success"":false,""errors"":{""email_address"":[""has already been taken""]}}"',
        "cem;Cem;;;;wrong_number_of_columns;"
        '"{""success"":false,""errors"":{""row"":[""has 2 cells where the header has 5""]}}"',
        "dita;Dita;37;dita@example.edu;;;;x;wrong_number_of_columns;"
        '"{""success"":false,""errors"":{""row"":[""has 8 cells where the header has 5""]}}"',
    ]


def test_a_corrected_failed_rows_file_can_be_imported_as_it_is(office: Office) -> None:
    result = office.rows({**ADA, "first_name": ""}, {**BO, "first_name": ""})
    assert result.failed_rows_file is not None
    corrected = Path(result.failed_rows_file).read_text().replace("ada,", "ada,Ada")
    again = office.take(corrected)
    assert counts(again) == (1, 0, 0, 0, 1)
    assert again.warnings == ()
    assert office.failed_rows(again)[0] == ["email_address", "username", "first_name", "error_code", "error_message"]


WRONG_WIDTH = (
    "email_address,username,first_name,last_name,campus_name\n"
    "dita@example.edu,dita,Dita,North\n"  # the last name is missing: the campus stands in its column
    "bo@example.edu,bo,B,,o,,Bo,South\n"
)


def _kept(result: ImportResult) -> str:
    assert result.failed_rows_file is not None
    return Path(result.failed_rows_file).read_text()


@pytest.mark.parametrize("saved_by_a_spreadsheet", [False, True])
def test_a_row_of_the_wrong_width_is_refused_until_somebody_mends_it(
    office: Office, saved_by_a_spreadsheet: bool
) -> None:
    first = _kept(office.take(WRONG_WIDTH))
    unmended = first
    if saved_by_a_spreadsheet:  # it makes all rows as wide as the widest
        rows = list(csv.reader(io.StringIO(first)))
        out = io.StringIO()
        csv.writer(out).writerows([*row, *[""] * (max(map(len, rows)) - len(row))] for row in rows)
        unmended = out.getvalue()
    result = office.take(unmended)
    assert counts(result) == (0, 0, 0, 0, 2)
    assert [code for code, _ in office.why(result)] == ["wrong_number_of_columns"] * 2
    assert (office.stored("dita"), office.stored("bo")) == (None, None)
    dita, bo = office.failed_rows(result)[1:]
    assert dita[:5] == ["dita@example.edu", "dita", "Dita", "North", ""]
    assert bo[:8] == ["bo@example.edu", "bo", "B", "", "o", "", "Bo", "South"]
    assert [cell for row in (dita, bo) for cell in row].count("wrong_number_of_columns") == 2


def test_a_row_of_the_wrong_width_is_imported_once_its_code_is_blanked(office: Office) -> None:
    dita = _kept(office.take(WRONG_WIDTH.rsplit("bo@", 1)[0]))
    result = office.take(dita.replace("North,,wrong_number_of_columns", ",North,"))
    assert counts(result) == (1, 0, 0, 0, 0)
    assert (office.field("dita", "last_name"), office.field("dita", "attributes")) == (None, {"campus_name": "North"})


def test_a_row_that_is_too_short_again_is_as_wide_as_the_header(office: Office) -> None:
    kept = _kept(office.take(WRONG_WIDTH.rsplit("bo@", 1)[0]))
    again = office.failed_rows(office.take(kept.splitlines()[0] + "\ndita@example.edu,dita\n"))
    assert [len(row) for row in again] == [7, 7]


def test_there_is_no_failed_rows_file_when_all_went_well(office: Office) -> None:
    assert office.rows(ADA).failed_rows_file is None
    assert not office.failed_dir.exists()


def test_when_the_failed_rows_cannot_be_kept_nothing_is_imported(office: Office) -> None:
    office.failed_dir.write_text("a file where the folder should be")
    with pytest.raises(HubRefused, match="Nothing was imported"):
        office.rows(ADA, {**BO, "email_address": ""})
    assert office.stored("ada") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_on_a_full_disk_the_refusal_is_clear_and_nothing_stays(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = FailedRows._open

    def on_a_full_disk(self: FailedRows) -> IO[bytes]:
        opened(self).close()
        return Path("/dev/full").open("wb")

    monkeypatch.setattr(FailedRows, "_open", on_a_full_disk)
    with pytest.raises(HubRefused, match="Nothing was imported"):
        office.rows(ADA, {**BO, "email_address": ""})
    assert office.stored("ada") is None
    assert list(office.failed_dir.iterdir()) == []


def test_failed_rows_that_cannot_be_shown_after_the_import_are_kept_where_they_are(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    result = office.rows(ADA, {**BO, "email_address": ""})
    assert counts(result) == (1, 0, 0, 0, 1)
    assert office.stored("ada") is not None
    assert [code for code, _ in office.why(result)] == ["blank"]
    assert [str(path) for path in office.failed_dir.iterdir()] == [result.failed_rows_file]


def test_two_imports_that_meet_run_one_after_the_other(
    office: Office, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.actions.imports.running.CHUNK", 1)
    office.rows(ADA, BO)
    other_way_round = Office(office.engine, office.institution_id, tmp_path_factory.mktemp("other"), office.now)
    running: list[Future[None]] = []

    def second() -> None:
        other_way_round.rows({**BO, "last_name": "B"}, {**ADA, "last_name": "B"})

    def meet(rows: int) -> None:
        if rows == 1:
            running.append(pool.submit(second))
            wait(running, 0.5)  # long enough for it to lock what this one needs next

    with ThreadPoolExecutor(1) as pool:
        path = office.folder / "first.csv"
        path.write_text(as_csv([{**ADA, "last_name": "A"}, {**BO, "last_name": "A"}]))
        import_file(office.engine, office.institution_id, path, office.now, progress=meet)
        running[0].result(30)
    assert {office.field(name, "last_name") for name in ("ada", "bo")} == {"B"}


def test_a_preferred_address_that_goes_leaves_the_main_one_preferred(office: Office) -> None:
    office.rows(ADA)
    _prefer(office.engine, office, "ada", "ada@example.edu")
    office.rows({**ADA, "email_address": "countess@example.edu"})
    assert office.show("ada").preferred_email == "countess@example.edu"


def test_rule_14_a_removed_imported_address_comes_back_with_an_uncorrected_file(office: Office) -> None:
    row = {**DITA, "additional_email_addresses": "d@example.edu"}
    office.rows(row)
    removed = students.remove_email(office.engine, office.institution_id, "dita", "d@example.edu", office.now)
    assert removed.warning == "still_in_the_sync_file"
    assert counts(office.rows(row)) == (0, 1, 0, 0, 0)
    assert len(office.show("dita").emails) == 2


def _touched(office: Office, after: int) -> set[object]:
    with reading(office.engine) as conn:
        return {line.key for line in feed.after(conn, office.institution_id, after, 100) if line.kind == "person"}


def _forget_everybody(engine: Engine) -> None:
    with writing(engine) as conn:
        for table in (addresses, cards, students_table):
            conn.execute(sa.delete(table))


def _prefer(engine: Engine, office: Office, username: str, address: str) -> None:
    with writing(engine) as conn:
        student = store.named(conn, office.institution_id, [username])[0]
        chosen = next(
            row.id for row in store.addresses_of(conn, office.institution_id, [student.id]) if row.typed == address
        )
        row = {"institution_id": office.institution_id, "id": student.id, "preferred_address_id": chosen}
        store.change(conn, [row])
