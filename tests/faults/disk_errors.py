"""Disk errors: the first, the second, the third … operation on a file fails, until none is left to fail.

Once, or from then on; with an error, a full disk, or a write in part. Nobody may be told of a success that is not on
the disk, and when the error is gone, what was asked is done, once, without a restart.
"""

import logging
import re
import shutil
import sqlite3
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from errno import EIO, ENOSPC
from http import HTTPStatus
from itertools import product
from pathlib import Path
from random import Random
from secrets import token_urlsafe
from typing import Literal
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from hub import create_app as create_hub
from hub import database, migrations
from hub.actions import events, set_up
from hub.actions.events import NewEvent
from hub.config import read
from kiosk import clock, create_app, phone, postman
from kiosk.actions import arrivals, undoing
from kiosk.actions.arrivals import Stores
from kiosk.config import Config
from kiosk.postman import Round
from kiosk.store import sqlite
from kiosk.store.invitations import Turnstile
from kiosk.store.journal import Journal
from kiosk.store.recent import Kept
from kiosk.store.remembered import Phones
from kiosk.store.roster import Roster
from kiosk.views import Desk
from kiosk.views.desk import VERDICT_HEADER
from sync.messages import FACT, CheckIn, CheckOut, Undo
from tests.faults import vfs
from tests.faults.outcome import Effort, Outcome
from tests.faults.power_cuts import MODES, JournalMode, check_pages, desk_keeps, journaling, office_keeps, scratch
from tests.faults.vfs import Deed, Fault, Operation
from tests.hub import desk as at_desk
from tests.kiosk import builders as b
from tests.kiosk.conftest import AS_PROGRAM
from tests.kiosk.fake_hub import FakeHub
from tests.kiosk.staff import token

Kind = Literal["error", "full", "short"]
KINDS: tuple[Kind, ...] = ("error", "full", "short")
MOST_TOLD = 20

_ERRORS: dict[Deed, int] = {
    "open": vfs.SQLITE_CANTOPEN,
    "create": vfs.SQLITE_CANTOPEN,
    "read": vfs.SQLITE_IOERR_READ,
    "write": vfs.SQLITE_IOERR_WRITE,
    "truncate": vfs.SQLITE_IOERR_TRUNCATE,
    "sync": vfs.SQLITE_IOERR_FSYNC,
    "sync_folder": vfs.SQLITE_IOERR_FSYNC,
    "delete": vfs.SQLITE_IOERR_DELETE,
    "rename": vfs.SQLITE_IOERR_WRITE,
}
_GROWING: tuple[Deed, ...] = ("create", "write")


@dataclass(slots=True)
class Failing:
    """A disk on which the `nth` operation from `armed` on fails; with `lasting`, all that come after it too."""

    nth: int
    kind: Kind
    lasting: bool
    armed: bool = False
    seen: int = 0
    failed: Operation | None = None

    def before(self, operation: Operation) -> Fault | None:
        if not self.armed or (self.kind != "error" and operation.deed not in _GROWING):
            return None
        self.seen += 1
        if self.seen < self.nth or (self.seen > self.nth and not self.lasting):
            return None
        self.failed = self.failed or operation
        if self.kind == "error":
            return Fault(_ERRORS[operation.deed], EIO)
        return Fault(vfs.SQLITE_FULL, ENOSPC, len(operation.data) // 2 if self.kind == "short" else 0)


class Trial(ABC):
    """Something that is asked of a program while its disk fails."""

    name: str
    patience = 1
    """How often it has to be asked on a sound disk before it must be done."""

    @abstractmethod
    def lay_out(self, folder: Path) -> None:
        """What is there before."""

    @abstractmethod
    def begin(self, folder: Path) -> None:
        """Be at work in that folder. Called again when the folder was laid out anew."""

    @abstractmethod
    def ask(self) -> bool:
        """Ask for it; whether it was said to be done. Once more is the same again."""

    @abstractmethod
    def kept(self, folder: Path) -> bool:
        """Whether what was asked is there, after a restart. Raises when that cannot be said, `Doubled` when it is
        there twice."""

    @abstractmethod
    def close(self) -> None:
        """Work no more."""


class Doubled(Exception):
    """Done twice."""


@dataclass(slots=True)
class Found:
    """What came of a lot of failures."""

    tried: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        self.tried += other.tried
        self.wrong += other.wrong
        self.told = [*self.told, *other.told][:MOST_TOLD]


WRONG = ("false successes", "doubled", "corrupt", "stuck afterwards", "unexplained")


def disk_errors(
    effort: Effort, modes: Sequence[JournalMode] = MODES, trials: Callable[[], Iterable[Trial]] | None = None
) -> Outcome:
    """Fail every operation of everything that is asked; with little effort, some of them."""
    refused = vfs.why_not()
    if refused is not None:
        return Outcome("disk errors", {}, {}, told=(refused,))
    found, held = Found(), Found()
    stride = max(1, min(20, round(0.1 / effort.scale)))
    draw = Random(effort.seed)
    with scratch() as folder, quiet():
        for mode in modes:
            for trial in (trials or everything)():
                with journaling(mode), closing(trial):
                    found.add(every_position(trial, folder, f"{trial.name} {mode}", draw.randint(1, stride), stride))
                    held.add(held_by_another(trial, folder, f"{trial.name} {mode}"))
                print(f"disk errors: {found.tried:,} so far ({trial.name}, {mode})", file=sys.stderr, flush=True)
    wrong = found.wrong + held.wrong
    return Outcome(
        what="disk errors",
        tried={"failed operations": found.tried, "held locks": held.tried},
        wrong={each: wrong[each] for each in WRONG},
        told=tuple([*found.told, *held.told][:MOST_TOLD]),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Programs that are told thousands of errors do not log them; and wait for nobody's lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "TIMEOUT_S", 0.01)
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def every_position(
    trial: Trial, folder: Path, name: str, first: int, stride: int, kinds: Sequence[Kind] = KINDS
) -> Found:
    """Fail the `first` operation and each `stride`-th after it, in every way, until there is none left to fail."""
    _lay_out(trial, folder)
    found = Found()
    for kind in kinds:
        for lasting in (False, True):
            nth = first
            while _at(trial, folder, Failing(nth, kind, lasting), name, found):
                nth += stride
    return found


def operations(trial: Trial, folder: Path, kind: Kind) -> int:
    """How many operations there are to fail."""
    _lay_out(trial, folder)
    none_fails = Failing(sys.maxsize, kind, lasting=False)
    _at(trial, folder, none_fails, trial.name, Found())
    return none_fails.seen


def _lay_out(trial: Trial, folder: Path) -> None:
    template = folder / "template"
    shutil.rmtree(template, ignore_errors=True)
    template.mkdir(mode=0o700)
    trial.lay_out(template)


def _at(trial: Trial, folder: Path, failing: Failing, name: str, found: Found) -> bool:
    """One failure; whether there was anything to fail."""
    stage = _fresh(folder, "stage", folder / "template")
    with vfs.watched(stage, failing):
        trial.begin(stage)
        failing.armed = True
        said, wrong = _asked(trial)
        failing.armed = False
        if failing.failed is None:
            return False
        found.tried += 1
        if wrong is None:
            wrong = _judged(trial, folder, said) or _goes_on(trial, folder)
    if wrong is not None:
        code, detail = wrong
        found.wrong[code] += 1
        lasting = " and all after it" if failing.lasting else ""
        place = f"{failing.failed.deed} {Path(failing.failed.path).name}"
        found.told.append(f"{name}: operation {failing.nth}{lasting} ({place}, {failing.kind}): {code}: {detail}")
    return True


Wrong = tuple[str, str] | None
"""Which of `WRONG`, and what exactly."""


def _asked(trial: Trial) -> tuple[bool, Wrong]:
    try:
        return trial.ask(), None
    except Exception as error:
        return False, ("unexplained", f"{type(error).__name__}: {error}")


def _judged(trial: Trial, folder: Path, said: bool) -> Wrong:
    """What a restart now would find."""
    try:
        kept = trial.kept(_fresh(folder, "restarted", folder / "stage"))
    except Doubled as error:
        return "doubled", str(error)
    except Exception as error:
        return "corrupt", f"{type(error).__name__}: {error}"
    # The other way round is allowed: a write whose end nobody saw.
    return ("false successes", "it is not there") if said and not kept else None


def _goes_on(trial: Trial, folder: Path) -> Wrong:
    """Whether all is well when the disk is."""
    for _ in range(trial.patience):
        said, wrong = _asked(trial)
        if wrong is not None:
            return "stuck afterwards", wrong[1]
        if said:
            return _judged(trial, folder, said)
    return "stuck afterwards", "it is not done"


def _fresh(folder: Path, name: str, source: Path) -> Path:
    path = folder / name
    shutil.rmtree(path, ignore_errors=True)
    return shutil.copytree(source, path)


def held_by_another(trial: Trial, folder: Path, name: str) -> Found:
    """Another program writes for longer than anybody waits, into one file after the other."""
    _lay_out(trial, folder)
    found = Found()
    files = sorted((folder / "template").glob("*.sqlite"))
    for path, lock in product(files, ("IMMEDIATE", "EXCLUSIVE")):
        stage = _fresh(folder, "stage", folder / "template")
        trial.begin(stage)
        with closing(sqlite3.connect(stage / path.name, isolation_level=None)) as other:
            other.execute(f"BEGIN {lock}")
            said, wrong = _asked(trial)
            other.execute("ROLLBACK")
        found.tried += 1
        wrong = wrong or _judged(trial, folder, said) or _goes_on(trial, folder)
        if wrong is not None:
            found.wrong[wrong[0]] += 1
            found.told.append(f"{name}: {path.name} held by another: {wrong[0]}: {wrong[1]}")
    return found


# --- the desk

ELI = b.Student("Eli", ("eli@example.edu",))
FLO = b.Student("Flo", ("flo@example.edu",))
HOST = "192.168.7.5"


class Line:
    """A socket for phones that is open, as far as anybody asks."""

    port: int | None = 8002

    def open(self) -> None:
        """It is."""

    def close(self) -> None:
        """It stays."""


@dataclass(slots=True)
class Visit:
    """One browser at the desk, and one phone. Bo is in; Eli was, by mistake."""

    app: Flask
    client: FlaskClient
    phones: Flask
    token: str
    form: str = field(default_factory=lambda: str(uuid4()))

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app.extensions["desk"]
        return desk

    def post(self, path: str, **form: str) -> str:
        """What staff are told by a form of theirs: a code, or the page."""
        data = {"csrf_token": self.token, "session_id": str(b.FAIR), "intent_id": self.form, **form}
        response = _explained(self.client.post(path, data=data))
        if response.status_code != 303:
            return response.text if response.status_code == 200 else str(response.status_code)
        with self.client.session_transaction() as session:
            flashed = session.pop("_flashes", [])
        return str(flashed[-1][0]) if flashed else "303"

    def arrive(self, text: str, way: str = "check-ins", headers: dict[str, str] | None = None) -> str:
        """The verdict that somebody at the desk is shown."""
        data = {"csrf_token": self.token, "identifier": text, "intent_id": self.form}
        path = f"/sessions/{b.FAIR}/{way}"
        response = _explained(self.client.post(path, data=data, headers=headers, follow_redirects=True))
        return response.headers.get(VERDICT_HEADER, str(response.status_code))

    def by_phone(self, text: str) -> str:
        """The page that a phone ends up with."""
        # The same phone, again and again, would have to wait.
        self.phones.extensions["turnstile"] = Turnstile(phone.A_MINUTE_FROM_ONE_PHONE, phone.A_MINUTE_FROM_ALL)
        path = "/p/" + self.desk.invitations.on_screen(clock.now().since_boot_ms)
        site, near = f"http://{HOST}:8002", {"REMOTE_ADDR": "192.168.7.20"}
        mine = self.phones.test_client()
        page = _explained(mine.get(path, base_url=site, environ_overrides=near))
        form = {name: page.text.partition(f'name="{name}" value="')[2].partition('"')[0] for name in _HIDDEN}
        form["identifier"] = text
        answer = mine.post(path, data=form, base_url=site, environ_overrides=near, follow_redirects=True)
        return _explained(answer).text


def _explained(response: TestResponse) -> TestResponse:
    if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RuntimeError(f"{response.request.path} answers 500")
    return response


_HIDDEN = ("csrf_token", "purpose", "lang")

DONE = frozenset({"welcome", "noted", "already_in", "checked_out"})


@dataclass(frozen=True, slots=True)
class Act:
    """What is asked of the desk: whether it says it is done, and whether it is."""

    name: str
    ask: Callable[[Visit], bool]
    kept: Callable[[Journal], bool]


def _is_in(journal: Journal, student: b.Student) -> bool:
    with journal.looking() as page:
        return page.present(b.FAIR, str(student.ref), "") is not None


def _noted(journal: Journal, kind: type[CheckIn] | type[CheckOut] = CheckIn) -> bool:
    facts = [FACT.decode(body) for body in journal.facts_after(0, 1_000)]
    return any(isinstance(fact, kind) and fact.ref is None for fact in facts)


def _came(journal: Journal, *students: b.Student) -> bool:
    """Whether they are in, or were noted while the roster could not be read."""
    return _noted(journal) or all(_is_in(journal, each) for each in students)


def _left(journal: Journal) -> bool:
    return _noted(journal, CheckOut) or not _is_in(journal, b.BOB)


def _stands_at(journal: Journal, session_id: UUID) -> bool:
    session = journal.session()
    return session is not None and session.id == session_id


def _undo(visit: Visit) -> bool:
    return visit.post(f"/staff/recent/{_BO_CAME}/undo") in ("undone", "was_undone")


def _again(visit: Visit) -> bool:
    return visit.post(f"/staff/recent/{_ELI_CAME}/again") in ("in_again", "already_in")


_BADGE = re.compile("badge (good|caution)")
_BO_CAME = UUID("01990000-0000-7000-8000-0000000000b0")
_ELI_CAME = UUID("01990000-0000-7000-8000-0000000000e0")

ACTS = (
    Act("check-in", lambda at: at.arrive(b.ADA_SCHOOL) in DONE, lambda journal: _came(journal, b.ADA)),
    Act(
        "check-in by a program",
        lambda at: at.arrive(b.ADA_SWIPE, headers=AS_PROGRAM) in DONE,
        lambda journal: _came(journal, b.ADA),
    ),
    Act(
        "check-in in the page",
        lambda at: at.arrive(b.ADA_SCHOOL, headers={"HX-Request": "true"}) in DONE,
        lambda journal: _came(journal, b.ADA),
    ),
    Act("unknown address", lambda at: at.arrive(b.DITA) in DONE, _noted),
    Act(
        "check-out",
        lambda at: at.arrive(b.BO, "check-outs") in DONE,
        _left,
    ),
    Act("phone", lambda at: "Ada" in at.by_phone(b.ADA_SCHOOL), lambda journal: _came(journal, b.ADA)),
    Act("undo", _undo, lambda journal: not _is_in(journal, b.BOB)),
    Act("in again", _again, lambda journal: _is_in(journal, ELI)),
    Act(
        "everyone out",
        lambda at: at.post("/staff/everyone-out") == "everyone_out",
        lambda journal: journal.inside(b.FAIR) == 0,
    ),
    Act("walk-in", lambda at: "notice caution" in at.post("/staff/walk-in", identifier=b.DITA), _noted),
    Act(
        "pasted list",
        lambda at: len(_BADGE.findall(at.post("/staff/paste", pasted=f"{b.ADA_SCHOOL}\n{FLO.emails[0]}"))) == 2,
        lambda journal: _came(journal, b.ADA, FLO),
    ),
    Act(
        "another session",
        lambda at: at.post("/sessions", session_id=str(b.WORKSHOP)) == "303",
        lambda journal: _stands_at(journal, b.WORKSHOP),
    ),
)


class AtTheDesk(Trial):
    """One act at a desk that stands at the fair. `cold`: no file is open yet; `off`: not even the program runs."""

    def __init__(self, act: Act, *, cold: bool = False, off: bool = False) -> None:
        self.name = act.name + (", cold" if cold else "") + (", off" if off else "")
        self._act, self._cold, self._off = act, cold, off
        self._folder: Path | None = None
        self._visit: Visit | None = None

    def lay_out(self, folder: Path) -> None:
        b.set_up(folder, (*b.CAST, ELI, FLO))
        with closing(Journal(folder / "journal.sqlite")) as journal, closing(Roster(folder, b.BOOT)) as roster:
            roster.apply(b.page([b.session(check_out=True)], start=False))
            journal.choose(b.session(check_out=True))
            journal.serve_phones(Phones(on=True, address=HOST))
            for who, fact_id in ((b.BOB, _BO_CAME), (ELI, _ELI_CAME)):
                arrivals.check_in(
                    Stores(journal, roster), b.FAIR, arrivals.Arrival(who.emails[0], None, b.moment(), fact_id)
                )
            undoing.undo(journal, _ELI_CAME, b.moment(), uuid7())

    def begin(self, folder: Path) -> None:
        self._folder = folder
        if self._off:
            self.close()
        if self._visit is None and not self._off:
            self._visit = self._opened(folder)
        if self._visit is not None:
            self._visit.form = str(uuid4())
            # What was there before is let go of; a desk that is not cold opens it again.
            self._visit.client.get("/")
            if self._cold:
                self._visit.desk.close()

    def ask(self) -> bool:
        assert self._folder is not None
        visit = self._visit = self._visit or self._opened(self._folder)
        # A page that did not open is opened again.
        visit.token = visit.token or token(visit.client)
        return self._act.ask(visit)

    def kept(self, folder: Path) -> bool:
        with closing(Journal(folder / "journal.sqlite")) as journal:
            desk_keeps(journal)
            check_pages(journal.path)
            often = Counter(_what(each) for each in journal.latest(1_000) if not each.undone)
            if max(often.values()) > 1:
                raise Doubled(str(often))
            return self._act.kept(journal)

    def close(self) -> None:
        if self._visit is not None:
            self._visit.desk.close()
            self._visit = None

    def _opened(self, folder: Path) -> Visit:
        app = create_app(Config(data_dir=folder, misses=0))
        desk: Desk = app.extensions["desk"]
        line = app.extensions["phone_line"] = Line()
        client = app.test_client()
        return Visit(app, client, phone.wire(desk, line), token(client))


def _what(kept: Kept) -> object:
    """What must not be there twice."""
    return kept.fact.undoes if isinstance(kept.fact, Undo) else (kept.subject, type(kept.fact))


# --- the postman


class TheExchange(Trial):
    """The postman hands over three check-ins and fetches a new roster in the place of the old one."""

    name = "exchange"
    patience = 3
    _NEXT = UUID("01900000-0000-7000-8000-00000000000d")
    _OLD, _NEW = b.CAST, (*b.CAST, ELI, FLO)

    def __init__(self) -> None:
        self._rounds: Round | None = None

    def lay_out(self, folder: Path) -> None:
        b.set_up(folder, self._OLD)
        with closing(Journal(folder / "journal.sqlite")) as journal, closing(Roster(folder, b.BOOT)) as roster:
            for who in (b.ADA_SCHOOL, b.BO, b.DITA):
                arrivals.check_in(Stores(journal, roster), b.FAIR, b.arrival(who))

    def begin(self, folder: Path) -> None:
        self.close()
        hub = FakeHub(b.pages(self._NEW, size=3, epoch=self._NEXT))
        self._rounds = Round(hub, Journal(folder / "journal.sqlite"), Roster(folder, b.BOOT))

    def ask(self) -> bool:
        assert self._rounds is not None
        try:
            return postman.go_once(self._rounds).problem is None
        except sqlite.NotRecorded:
            # The postman goes on after that: see `go_on`.
            return False

    def kept(self, folder: Path) -> bool:
        with closing(Journal(folder / "journal.sqlite")) as journal, closing(Roster(folder, b.BOOT)) as roster:
            desk_keeps(journal)
            marks = journal.marks()
            status = roster.status()
            people = None if status is None else status.people
            if people not in (None, len(self._OLD), len(self._NEW)):
                raise RuntimeError(f"a roster of {people} is served")
            return marks.waiting == 0 and people == len(self._NEW)

    def close(self) -> None:
        if self._rounds is not None:
            self._rounds.journal.close()
            self._rounds.roster.close()
            self._rounds = None


# --- the hub


class AtTheOffice(Trial):
    """A kiosk hands over some facts by HTTP."""

    name = "hub"
    _NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)

    def __init__(self) -> None:
        self._client: FlaskClient | None = None
        self._engine: Engine | None = None
        self._desk: at_desk.Desk | None = None

    def lay_out(self, folder: Path) -> None:
        engine = self._connected(folder)
        migrations.upgrade(engine)
        with database.writing(engine) as conn:
            institution_id = set_up.make_institution(conn, "Example University", ["example.edu"], self._NOW)
        talk = NewEvent("event", "A talk", self._NOW, self._NOW + timedelta(hours=2))
        session_id = events.create(engine, institution_id, talk, self._NOW).sessions[0].id
        ada = at_desk.student(engine, institution_id, "Ada", confirmed=[b.ADA_SCHOOL])
        self._desk = at_desk.enrolled(engine, institution_id, self._NOW)
        mistaken = self._desk.check_in(session_id, ada)
        self._desk.undo(session_id, [mistaken.id])
        self._desk.check_in(session_id, ada)
        self._desk.note(session_id, b.DITA)
        engine.dispose()

    def begin(self, folder: Path) -> None:
        if self._engine is None:
            self._engine = self._connected(folder)
            settings = {
                "HUB_DATA_DIR": str(folder),
                "HUB_DATABASE_URL": str(self._engine.url),
                "HUB_SECRET_KEY": token_urlsafe(48),
            }
            self._client = create_hub(read(settings), self._engine).test_client()
        self._engine.dispose()

    def ask(self) -> bool:
        assert self._desk is not None
        assert self._client is not None
        response = self._desk.send(self._client, self._desk.push())
        if response.status_code not in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE):
            raise RuntimeError(f"the hub answers {response.status}")
        return response.status_code == HTTPStatus.OK

    def kept(self, folder: Path) -> bool:
        assert self._desk is not None
        engine = self._connected(folder)
        try:
            _, facts, _ = office_keeps(engine)
        finally:
            engine.dispose()
        check_pages(folder / "hub.sqlite")
        bodies = [row.body for row in facts]
        if bodies not in ([], self._desk.made):
            raise RuntimeError(f"{len(bodies)} of {len(self._desk.made)} facts")
        return bool(bodies)

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _connected(self, folder: Path) -> Engine:
        return database.connect(f"sqlite:///{folder / 'hub.sqlite'}", busy_ms=10)


def everything() -> Iterator[Trial]:
    """All that is tried."""
    for act in ACTS:
        yield AtTheDesk(act)
    yield AtTheDesk(ACTS[0], cold=True)
    yield AtTheDesk(ACTS[0], off=True)
    yield TheExchange()
    yield AtTheOffice()
