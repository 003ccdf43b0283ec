"""What kiosk tests are made of: the cast, and the pages a hub would send about them.

Ada is on the roster with several addresses and a card. Bo comes twice. Cem's account is disabled. Dita is unknown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from kiosk.actions.arrivals import Arrival
from kiosk.store.journal import Journal
from kiosk.store.remembered import Standing
from kiosk.store.roster import Roster
from sync import directory, seals
from sync.identifiers import Card, Identifier, Pass, read_email
from sync.messages import (
    CardFormat,
    DeskLock,
    Enrolled,
    Entry,
    FeedPage,
    Key,
    Moment,
    Person,
    Session,
    Settings,
    Start,
)

BOOT = "6f1c2c1e-0000-4000-8000-000000000001"
HUB_ID = UUID("01900000-0000-7000-8000-00000000000a")
KIOSK_ID = UUID("01900000-0000-7000-8000-00000000000b")
EPOCH = UUID("01900000-0000-7000-8000-00000000000c")
FAIR = UUID("01900000-0000-7000-8000-0000000000f1")
WORKSHOP = UUID("01900000-0000-7000-8000-0000000000f2")
ROSTER_KEY = bytes(range(32))
HUB_PRIVATE, HUB_KEY = seals.new_hub_key()
DIRECTORY_KEY = bytes(range(32, 64))
PIN = "274951"
# Cheap, so that tests unlock in a moment.
LOCK = DeskLock(salt=bytes(16), cost=10, wrapped_key=seals.wrap_key(seals.pin_key(PIN, bytes(16), 10), DIRECTORY_KEY))

ADA_SCHOOL = "ada.lovelace@example.edu"
ADA_HOME = "Ada@Lovelace.example"
ADA_SWIPE = "!9234708294300==124;"
ADA_CARD = "347082"
ADA_PASS = "CHK1:0123456789ABCDEF0123456789ABCDEF"
BO = "bo.diddley@example.edu"
CEM = "cem.karaca@example.edu"
DITA = "dita@nowhere.example"
UNKNOWN_SWIPE = "!9299999994300==124;"

CARD_FORMAT = CardFormat(whole=r"!\d{13}==\d{3};", extract=r"^!\d{2}(\d{6})\d{5}==\d{3};$")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Student:
    """Somebody as the hub knows them."""

    greeting: str
    emails: Sequence[str]
    card: str | None = None
    state: str = "active"
    ref: UUID = field(default_factory=uuid7)
    line: directory.Line | None = None
    qr_pass: str | None = None
    registered: tuple[UUID, ...] = ()

    @property
    def identifiers(self) -> list[Identifier]:
        cards: list[Identifier] = [Card(self.card)] if self.card else []
        passes: list[Identifier] = [Pass(self.qr_pass.removeprefix("CHK1:"))] if self.qr_pass else []
        return [*(read_email(each) for each in self.emails), *cards, *passes]


ADA = Student(
    "Ada",
    (ADA_SCHOOL, ADA_HOME),
    card=ADA_CARD,
    line=directory.Line("Ada Lovelace", "Augusta", "Junior", directory.hint(ADA_SCHOOL)),
    qr_pass=ADA_PASS,
)
BOB = Student("Bo", (BO,), line=directory.Line("Bo Diddley", "", "Senior", directory.hint(BO)))
CEMS = Student("Cem", (CEM,), state="disabled", line=directory.Line("Cem Karaca", "", "Senior", directory.hint(CEM)))
CAST = (ADA, BOB, CEMS)


def moment(minutes: int = 0) -> Moment:
    """A moment so many minutes after noon."""
    return Moment(wall=NOON + timedelta(minutes=minutes), boot=BOOT, since_boot_ms=60_000 * (100 + minutes))


def person(student: Student, position: int, epoch: UUID = EPOCH, key: bytes = ROSTER_KEY) -> Person:
    """The feed's entry about a student, sealed as the hub seals it."""
    looked_up = [seals.lookup(key, each) for each in student.identifiers]
    return Person(
        position=position,
        ref=student.ref,
        state="disabled" if student.state == "disabled" else "active",
        keys=tuple(
            Key(each.tag, seals.seal_greeting(each.box_key, student.greeting, epoch, position)) for each in looked_up
        ),
        directory=None if student.line is None else sealed_line(student.line, position, epoch),
        registered=student.registered,
    )


def sealed_line(line: directory.Line, position: int, epoch: UUID = EPOCH) -> bytes:
    """A line of the directory, sealed as the hub seals it."""
    return seals.seal_directory_line(DIRECTORY_KEY, directory.write(line), epoch, position)


def session(
    session_id: UUID = FAIR,
    position: int = 1,
    starts: datetime = NOON,
    name: str = "Career fair, day 1",
    event: str = "Autumn career fair",
    check_out: bool = False,
) -> Session:
    return Session(
        position=position,
        id=session_id,
        event_id=UUID(int=session_id.int + 1000),
        event=event,
        event_kind="career_fair",
        name=name,
        starts=starts,
        ends=starts + timedelta(hours=3),
        check_out=check_out,
    )


def settings(position: int = 3, lock: DeskLock | None = None) -> Settings:
    return Settings(
        position=position,
        institution="Example University",
        card_formats=(CARD_FORMAT,),
        domains=("example.edu",),
        desk_lock=lock,
    )


def entries(students: Iterable[Student] = CAST, epoch: UUID = EPOCH) -> list[Entry]:
    """Two sessions, the settings, then the students."""
    front: list[Entry] = [
        session(FAIR, 1),
        session(WORKSHOP, 2, NOON + timedelta(days=1), "CV workshop", "CV workshop"),
        settings(3),
    ]
    return front + [person(each, 4 + nth, epoch) for nth, each in enumerate(students)]


def page(entries: Sequence[Entry], *, start: bool = False, more: bool = False, epoch: UUID = EPOCH) -> FeedPage:
    return FeedPage(
        hub_id=HUB_ID,
        epoch=epoch,
        to=entries[-1].position,
        more=more,
        entries=tuple(entries),
        start=Start(roster_key=ROSTER_KEY) if start else None,
    )


def pages(students: Iterable[Student] = CAST, size: int = 1000, epoch: UUID = EPOCH) -> list[FeedPage]:
    """A feed from its beginning, in pages."""
    every = entries(students, epoch)
    cut = [every[at : at + size] for at in range(0, len(every), size)]
    return [page(each, start=nth == 0, more=nth < len(cut) - 1, epoch=epoch) for nth, each in enumerate(cut)]


def load(roster: Roster, students: Iterable[Student] = CAST) -> None:
    for each in pages(students):
        roster.apply(each)


def standing() -> Standing:
    return Standing(
        url="http://hub.invalid",
        enrolled=Enrolled(
            kiosk_id=KIOSK_ID,
            token="a token",
            hub_id=HUB_ID,
            hub_key=HUB_KEY,
            institution="Example University",
        ),
    )


def set_up(folder: Path, students: Iterable[Student] = CAST, lock: DeskLock | None = None) -> None:
    """A kiosk that is enrolled, has its roster, and stands at the fair. With `lock`: `PIN` opens its staff side."""
    journal, roster = Journal(folder / "journal.sqlite"), Roster(folder, BOOT)
    journal.enrolled(standing())
    load(roster, students)
    if lock is not None:
        roster.apply(page([settings(1_000, lock)]))
        journal.lock_with(lock)
    journal.choose(session())
    journal.close()
    roster.close()


def arrival(text: str, minutes: int = 0, intent_id: UUID | None = None) -> Arrival:
    """Somebody with that identifier, so many minutes after noon."""
    return Arrival(text, intent_id, moment(minutes), uuid7())
