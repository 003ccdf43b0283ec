from pathlib import Path

import pytest

from scripts.vendor import ROOT, File, Package, digest, problems, read_list, third_party


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.js").write_bytes(b"let a")
    (tmp_path / "THIRD_PARTY.md").write_text(third_party(LIST))
    return tmp_path


LIST = [Package("a", "1.0.0", "MIT", (File("dist/a.js", "a.js", digest(b"let a")),))]


def test_files_as_the_list_says_are_no_problem(folder: Path) -> None:
    assert problems(LIST, folder) == []


def test_a_changed_file_is_noticed(folder: Path) -> None:
    (folder / "a.js").write_bytes(b"let b")
    assert problems(LIST, folder) == ["a.js is not the file of a 1.0.0"]


def test_a_missing_file_is_noticed(folder: Path) -> None:
    (folder / "a.js").unlink()
    assert problems(LIST, folder) == ["a.js is missing"]


def test_a_file_nobody_listed_is_noticed(folder: Path) -> None:
    (folder / "b.js").write_bytes(b"")
    assert problems(LIST, folder) == ["b.js is in no package of vendor.toml"]


def test_what_is_committed_here_is_what_the_list_says() -> None:
    packages = read_list(ROOT / "vendor.toml")
    assert problems(packages, ROOT / "ui" / "static" / "vendor") == []
    note = (ROOT / "ui" / "static" / "vendor" / "THIRD_PARTY.md").read_text("utf-8")
    assert "| htmx.org | 4.0.1 | 0BSD |" in note
