"""Files are read in a process of their own: what it may do, and how it ends."""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import get_native_id

import pytest

from hub.errors import UnreadableFile
from hub.readers import How, Row, reading
from hub.readers.child import frames
from hub.readers.frames import Failed, Job, Unreadable
from hub.readers.limits import MAX_BYTES, MEMORY
from hub.readers.reading import open_table
from tests.hub.readers.files import made_by_hand, workbook

LONG = b"username,note\n" + b"ada,a note of some length, so that a pipe does not hold all of them\n" * 40_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "students.csv"
    path.write_bytes(LONG)
    return path


def refusal(path: Path, name: str | None = None) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as refused, open_table(path, name) as table:
        list(table.rows)
    return refused.value


@pytest.fixture
def others() -> set[int]:
    """Who was started from here before."""
    return children()


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{get_native_id()}/children").read_text().split()}


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.csv").reason == "not_found"
    assert refusal(tmp_path / f"{'a' * 300}.csv").reason == "cannot_read"
    (tmp_path / "folder.csv").mkdir()
    assert refusal(tmp_path / "folder.csv").reason == "not_a_file"
    os.mkfifo(tmp_path / "pipe.csv")
    assert refusal(tmp_path / "pipe.csv").reason == "not_a_file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_nobody_may_read_is_refused(file: Path) -> None:
    file.chmod(0)
    assert refusal(file).reason == "no_permission"


def test_rule_82_a_file_larger_than_50_mb_is_refused_unread(file: Path) -> None:
    with file.open("wb") as out:
        out.truncate(MAX_BYTES + 1)
    refused = refusal(file)
    assert (refused.reason, refused.about) == ("too_large", {"max": 50})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("students", "unknown_extension"),
        ("students.pdf", "unknown_extension"),
        ("students.XLS", "old_workbook"),
        ("students.xlsm", "old_workbook"),
        ("students.xlsb", "old_workbook"),
        ("students.xlsx", "not_a_workbook"),
    ],
)
def test_what_a_file_was_called_where_it_came_from_counts(file: Path, name: str, reason: str) -> None:
    assert refusal(file, name).reason == reason


@pytest.mark.parametrize("name", ["a.CSV", "a.txt", "a.tsv"])
def test_text_files_have_several_names(tmp_path: Path, name: str) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(b"a\tb\n1\t2\n")
    with open_table(upload, name) as table:
        assert (table.headers, list(table.rows)) == (["a", "b"], [Row(2, ["1", "2"])])


def test_rows_come_as_they_are_read_and_how_far_that_is_can_be_asked(file: Path) -> None:
    with open_table(file) as table:
        assert table.done() == 0
        first = next(table.rows)
        assert first.number == 2
        assert 0 < table.done() < 0.9
        assert sum(1 for _ in table.rows) == 40_000 - 1
        assert table.done() == 1
    file.write_bytes(b"username,note\n")
    with open_table(file) as table:
        assert (list(table.rows), table.done()) == ([], 1)


def test_what_is_said_about_a_file_gets_to_who_reads_it(file: Path) -> None:
    with open_table(file, how=How(delimiter=";", encoding="cp1252", sheet="s" * 200_000)) as table:
        assert (table.headers, table.format.encoding) == (["username,note"], "cp1252")


def limits_of(process: Path) -> dict[str, str]:
    return {line[:25].strip(): line[25:].split()[0] for line in (process / "limits").read_text().splitlines()}


def test_the_child_may_use_little_and_knows_nothing(
    file: Path, others: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "not to be known")
    with open_table(file, how=How(sheet="not to be known")):
        (child,) = children() - others
        process = Path(f"/proc/{child}")
        limits = limits_of(process)
        assert b"not to be known" not in (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    assert int(limits["Max address space"]) == MEMORY == 256 << 20
    assert limits["Max cpu time"] == "60"
    assert (limits["Max file size"], limits["Max core file size"], limits["Max open files"]) == ("0", "0", "64")


@pytest.mark.parametrize("left", ["early", "by an error"])
def test_the_child_is_gone_when_the_block_is_left(file: Path, others: set[int], left: str) -> None:
    def leave() -> None:
        with open_table(file):
            assert len(children() - others) == 1
            if left == "by an error":
                raise KeyError

    if left == "early":
        leave()
    else:
        with pytest.raises(KeyError):
            leave()
    assert children() == others


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (signal.SIGKILL, "too_much_memory"),
        (signal.SIGABRT, "too_much_memory"),
        (signal.SIGXCPU, "too_slow"),
        (signal.SIGTERM, "reader_failed"),
    ],
)
def test_a_child_that_dies_on_the_way_is_one_refusal(
    file: Path, others: set[int], ended: signal.Signals, reason: str
) -> None:
    with open_table(file) as table:
        (child,) = children() - others
        os.kill(child, ended)
        with pytest.raises(UnreadableFile) as refused:
            list(table.rows)
    assert refused.value.reason == reason
    assert "import that" in refused.value.detail
    assert children() == others


def test_a_child_that_says_nothing_is_given_up(file: Path, others: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    with open_table(file) as table:
        monkeypatch.setattr(reading, "PATIENCE", 0.05)
        (child,) = children() - others
        os.kill(child, signal.SIGSTOP)
        with pytest.raises(UnreadableFile) as refused:
            list(table.rows)
    assert refused.value.reason == "too_slow"
    assert children() == others


def test_while_a_page_waits_a_file_is_given_up_sooner(
    file: Path, others: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_table(file, quickly=True):
        (child,) = children() - others
        assert limits_of(Path(f"/proc/{child}"))["Max cpu time"] == "10"
    monkeypatch.setattr(reading, "QUICK_SECONDS", 0)
    with pytest.raises(UnreadableFile) as refused, open_table(file, quickly=True) as table:
        list(table.rows)
    assert refused.value.reason == "too_slow"
    assert children() == others


def test_a_child_that_cannot_be_started_is_a_refusal_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert refusal(file).reason == "reader_failed"


def test_a_workbook_that_would_take_all_memory_costs_the_child_and_nothing_else(tmp_path: Path) -> None:
    """A kilobyte; what reads workbooks would keep room for 70 million cells, and cannot be told no."""
    path = tmp_path / "far.xlsx"
    cell = b'<row r="%d"><c r="%s" t="str"><v>a</v></c></row>'
    path.write_bytes(made_by_hand(cell % (1, b"A1") + cell % (99_000, b"ZZ99000")))
    assert refusal(path).reason == "too_much_memory"


def test_files_are_read_side_by_side(tmp_path: Path) -> None:
    def names() -> Iterator[Path]:
        for number in range(3):
            path = tmp_path / f"{number}.xlsx"
            path.write_bytes(workbook([["a"], [str(number)]]))
            yield path

    def only_cell(path: Path) -> str:
        with open_table(path) as table:
            return next(table.rows).cells[0]

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(only_cell, names())) == ["0", "1", "2"]


def test_a_fault_of_ours_tells_nothing_of_what_is_in_the_file() -> None:
    (frame,) = frames(BytesIO(b"ada@example.edu"), Job("csv", How()))
    assert isinstance(frame, Failed)
    assert frame.fault.startswith("UnsupportedOperation in text.py, line ")


def test_a_cell_of_a_workbook_has_an_end_too() -> None:
    cell = b'<row r="%d"><c t="str"><v>%s</v></c></row>'
    content = made_by_hand(cell % (1, b"a") + cell % (7, os.urandom(70_000).hex().encode()))
    *_, last = frames(BytesIO(content), Job("xlsx", How()))
    assert isinstance(last, Unreadable)
    assert (last.reason, last.about) == ("cell_too_long", {"line": 7})
