"""Makes a journal with facts that no hub has, by whichever version of the program is on the path:

    PYTHONPATH=<checkout of that version> python tests/data/make_journal.py tests/data/journal-v<N>.sqlite

The journal of every version that was released is kept here: a kiosk may wake up months later with facts in it.
"""

import sys
import tempfile
from pathlib import Path

from uuid_utils.compat import uuid7

from kiosk.actions import arrivals, undoing
from kiosk.actions.arrivals import Stores
from kiosk.store.journal import Journal
from kiosk.store.roster import Roster
from sync.messages import Rehearsal, StreamMark
from tests.kiosk import builders as b


def make(path: Path) -> None:
    """Ada and Bo came, Dita and others are noted, Bo was taken back; the first three are at the hub."""
    with tempfile.TemporaryDirectory() as name:
        b.set_up(Path(name))
        journal, roster = Journal(Path(name) / "journal.sqlite"), Roster(Path(name), b.BOOT)
        stores, bo = Stores(journal, roster), b.arrival(b.BO, 1)
        for number, who in enumerate((b.ADA_SCHOOL, b.DITA, *(f"guest{n}@nowhere.example" for n in range(20)))):
            arrivals.check_in(stores, b.FAIR, b.arrival(who, number, uuid7()))
        arrivals.check_in(stores, b.FAIR, bo)
        undoing.undo(journal, bo.new_id, b.moment(30), uuid7())
        with journal.writing() as page:
            page.append(Rehearsal(id=uuid7(), session_id=b.FAIR, at=b.moment(31)))
        journal.settle(StreamMark(acked_seq=3, acked_hash=journal.hash_at(3) or b""), ())
        journal.close()
        roster.close()
        path.write_bytes((Path(name) / "journal.sqlite").read_bytes())


if __name__ == "__main__":
    make(Path(sys.argv[1]))
