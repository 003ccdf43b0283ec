"""What is written on the way is gone afterwards, whatever ends the process that wrote it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from hub import server
from hub.config import Config
from hub.errors import HubRefused, NotWritten
from hub.scratch import clear_abandoned, scratch
from tests.hub.command import Command
from tests.hub.exports.files import ON_SQLITE

KIND = ".kind-"
# As `kill -9` does, at the worst moment: everything is written, and nothing of it is gone yet.
KILLED = """\
import os, signal, sys
from hub.cli import main

what, where, *words = sys.argv[1:]

def kill(event, arguments):
    if event == what and where in str(arguments[0]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
main(words)
"""
# Somebody else clears away just after it was made, and once more just before it is locked.
CLEARED = """\
import sys
from pathlib import Path
from hub.scratch import clear_abandoned, scratch

parent, moments, made = Path(sys.argv[1]), ["open", "fcntl.flock"], []

def clear(event, arguments):
    if event == "tempfile.mkdtemp":
        made.append(arguments)
    elif made and event in moments[:1]:
        later, moments[:] = moments[1:], []
        clear_abandoned(parent, ".kind-")
        moments[:] = later

sys.addaudithook(clear)
with scratch(parent, ".kind-") as folder:
    (folder / "list").write_text("ada@example.edu")
    print("made", len(made), "to use", len(list(parent.iterdir())))
"""


def _ours() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@ON_SQLITE
@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        ("os.remove", ".rehearsal-", ("import", "students", "in.csv", "--dry-run")),
        ("shutil.rmtree", ".export-", ("export", "students", "-o", "out.csv")),
    ],
)
def test_what_a_killed_command_leaves_behind_goes_with_the_next_one_or_when_the_hub_starts(
    command: Command,
    config: Config,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    kind: str,
    words: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_DATA_DIR", str(config.data_dir))
    Path("in.csv").write_text("username,email_address,first_name\nada,ada@example.edu,Ada\n")
    command.ask("import", "students", "in.csv")

    killed = subprocess.run([sys.executable, "-c", KILLED, event, kind, *words], env=_ours())
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(f"{kind}*")
    assert any(b"ada@example.edu" in each.read_bytes() for each in (left / "files").iterdir())
    aside = shutil.copytree(left, tmp_path / "aside")
    assert command.run(*words).exit_code == 0
    assert list(tmp_path.glob(f"{kind}*")) == []

    aside.rename(left)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(HubRefused, match="another --port"):
        server.run(config, engine, "127.0.0.1", taken.getsockname()[1], 1, lambda: None)
    assert list(tmp_path.glob(f"{kind}*")) == []


def test_what_is_in_use_stays_and_nobody_else_reads_it(tmp_path: Path) -> None:
    other = tmp_path / ".other-kind"
    other.mkdir()
    with scratch(tmp_path, KIND) as adas:
        (adas / "list").write_text("ada@example.edu")
        assert adas.parent.stat().st_mode & 0o777 == 0o700
        with scratch(tmp_path, KIND) as bos:
            clear_abandoned(tmp_path, KIND)
            assert list(bos.iterdir()) == []
        assert not bos.exists()
        assert [each.name for each in adas.iterdir()] == ["list"]
    assert list(tmp_path.iterdir()) == [other]


def test_whose_folder_is_cleared_away_before_it_is_held_makes_another(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, "-c", CLEARED, tmp_path], env=_ours(), capture_output=True, text=True)
    assert (told.stdout, told.stderr, list(tmp_path.iterdir())) == ("made 3 to use 1\n", "", [])


def test_where_there_can_be_no_folder_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="nowhere cannot be used: No such file"), scratch(tmp_path / "nowhere", KIND):
        pass
