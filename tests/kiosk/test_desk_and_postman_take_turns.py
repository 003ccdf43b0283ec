"""The desk and the postman write to one journal, from two processes: never both at once."""

import subprocess
import sys
from pathlib import Path
from threading import Thread

from kiosk.store.journal import Journal

ANOTHER_WRITER = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    conn.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("may write")
"""


def another_process(path: Path) -> str:
    """What another process hears that wants to write now."""
    command = [sys.executable, "-c", ANOTHER_WRITER, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_thread_that_opens_the_journal_takes_no_lock_from_the_one_that_writes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.marks()
    with journal.writing():
        assert another_process(journal.path) == "database is locked"
        opens_another_connection = Thread(target=journal.marks)
        opens_another_connection.start()
        opens_another_connection.join()

        assert another_process(journal.path) == "database is locked"
    assert another_process(journal.path) == "may write"
    journal.close()
