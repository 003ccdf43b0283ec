"""`make demo`: a hub and a kiosk with an institution that does not exist, until Ctrl-C.

From the environment: DEMO_DIR (.demo), HUB_PORT (8000), KIOSK_PORT (8001), DEMO_STUDENTS (5000).
"""

import fcntl
import os
import secrets
import select
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from scripts import sample
from scripts.demo_programs import Programs, Stopped, Trouble

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ADMIN = f"ada@{sample.STAFF}"
SEED = 1
EVENTS_LAST = timedelta(hours=4)
REGISTERED = 12
"""So many are registered for each session of the fair."""
RECEPTION = (("Take a name tag from the long table", "Prenez un badge sur la grande table"),)
FAIR = (("Hall 1, ground floor", "Hall 1, rez-de-chaussée"), ("Hall 2, first floor", "Hall 2, premier étage"))
"""What comes next, in English and French, for each session."""

LOCK, DONE = "demo.lock", "demo.json"
"""The first thing made in the folder, and the last: with both there, all of it is there."""


@dataclass(frozen=True, slots=True)
class Settings:
    folder: Path
    hub_port: int
    kiosk_port: int
    students: int

    @property
    def hub_url(self) -> str:
        return f"http://127.0.0.1:{self.hub_port}"

    @property
    def kiosk_url(self) -> str:
        return f"http://127.0.0.1:{self.kiosk_port}"

    @property
    def kiosk_dir(self) -> Path:
        """A kiosk remembers its hub's address, so each of the hub's ports has a kiosk of its own."""
        return self.folder / f"kiosk-{self.hub_port}"

    @property
    def password_file(self) -> Path:
        return self.folder / "password.txt"

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin.txt"


class Example(msgspec.Struct, frozen=True):
    """Something to type at the desk, and what it shows."""

    text: str
    shows: str


class State(msgspec.Struct, kw_only=True):
    """What a later start must know. `reception`: the session the desk stands at; `events_until`: from then on today's
    events are no longer now."""

    students: int
    examples: list[Example]
    reception: str = ""
    events_until: datetime = datetime.min.replace(tzinfo=UTC)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Raises `Trouble` naming the variable that cannot be used."""
    settings = Settings(
        folder=(ROOT / (environ.get("DEMO_DIR") or ".demo")).absolute(),
        hub_port=_number(environ, "HUB_PORT", 8000, 65_535),
        kiosk_port=_number(environ, "KIOSK_PORT", 8001, 65_535),
        students=_number(environ, "DEMO_STUDENTS", 5_000, sample.MOST, least=100),
    )
    if settings.hub_port == settings.kiosk_port:
        raise Trouble("HUB_PORT and KIOSK_PORT are the same. Give the kiosk another one.")
    for variable, port in (("HUB_PORT", settings.hub_port), ("KIOSK_PORT", settings.kiosk_port)):
        _check_free(variable, port)
    return settings


def _number(environ: Mapping[str, str], variable: str, default: int, most: int, least: int = 1) -> int:
    text = environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise Trouble(f"{variable} is {text!r}: not a number from {least} to {most}.")
    return int(text)


def _check_free(variable: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Trouble(
                f"Port {port} cannot be used ({error.strerror}). Stop what runs there, "
                f"or choose another:  make demo {variable}={port + 10}"
            ) from error


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds the folder for this demo. Raises `Trouble` when it is somebody else's or another demo runs on it."""
    if folder.exists() and not (folder.is_dir() and ((folder / LOCK).exists() or not any(folder.iterdir()))):
        raise Trouble(f"DEMO_DIR is {folder}, and that holds something else. Choose an empty folder.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Trouble(f"Another demo runs on {folder}. Stop it, or choose another DEMO_DIR.") from error
        yield


def environment(settings: Settings) -> dict[str, str]:
    """What the programs are told. Nothing of a real hub or kiosk of this user gets through."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HUB_", "KIOSK_")) or name.endswith(("_LANGUAGE", "_TIMEZONE"))
    }
    zone = _time_zone()
    return (
        {"HUB_TIMEZONE": zone, "KIOSK_TIMEZONE": zone}
        | kept
        | {
            "HUB_DATA_DIR": str(settings.folder / "hub"),
            "HUB_URL": settings.hub_url,
            "KIOSK_DATA_DIR": str(settings.kiosk_dir),
            # A proxy for the outside world has no business between the two.
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
        }
    )


def _time_zone() -> str:
    name = os.environ.get("TZ") or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def made(settings: Settings) -> State | None:
    """What an earlier start has made; None when there is nothing, or only the half of it."""
    try:
        return msgspec.json.decode((settings.folder / DONE).read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def keep(settings: Settings, state: State) -> None:
    """Write the state down, whole or not at all."""
    written = settings.folder / f"{DONE}.new"
    written.write_bytes(msgspec.json.encode(state))
    written.replace(settings.folder / DONE)


def make(settings: Settings, programs: Programs) -> State:
    """The institution, from nothing. What an unfinished start has left is thrown away."""
    _write_secret(settings.password_file, secrets.token_hex(8))
    institution_id = _init(settings, programs)
    formats = [word for each in sample.CARD_FORMATS for word in ("--format", *each)]
    programs.ask("hub", "card-formats", *formats, "--json")
    programs.say(f"{sample.INSTITUTION} is set up")

    people = list(sample.students(settings.students, SEED))
    file = settings.folder / "students.csv"
    with file.open("w", encoding="utf-8", newline="") as csv:
        sample.write(people, csv)
    result = programs.ask("hub", "import", "students", str(file), "--json")
    programs.say(f"{result['created']:,} of {result['rows']:,} students imported")
    if result["created"] != len(people):
        raise Trouble(f"The sample was not imported whole: {result}")

    added = _add_personal(settings, programs, institution_id, people)
    programs.say(f"{added:,} addresses of their own added")

    def scanned(username: str) -> str:
        return str(programs.ask("hub", "passes", "issue", username, "--json")["passes"][0]["payload"])

    return State(students=len(people), examples=examples(people, scanned))


def clear(folder: Path) -> None:
    """Throw away what an earlier start has made, but for the lock that this one holds."""
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != LOCK:
            each.unlink()


def _write_secret(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as secret:
        secret.write(text + "\n")


def lock_desks(settings: Settings, programs: Programs) -> None:
    """Give the desks a PIN, unless an earlier start has."""
    if settings.pin_file.exists():
        return
    _write_secret(settings.pin_file, _new_pin())
    programs.ask("hub", "desk-pin", "--pin-file", str(settings.pin_file), "--json")
    programs.say("the desks have a PIN")


def _new_pin() -> str:
    # Imported here: later starts do without, and are faster for it.
    from hub.rules.desk_pin import weakness

    pin = f"{secrets.randbelow(10**6):06}"
    return _new_pin() if weakness(pin) else pin


def _init(settings: Settings, programs: Programs) -> UUID:
    domains = [word for domain in sample.DOMAINS for word in ("--domain", domain)]
    who = ("--admin", ADMIN, "--password-file", str(settings.password_file))
    done = programs.ask("hub", "init", "--institution", sample.INSTITUTION, *domains, *who, "--json")
    return UUID(done["institution_id"])


def _add_personal(settings: Settings, programs: Programs, institution_id: UUID, people: list[sample.Student]) -> int:
    """As `hub students add-email` does, a thousand times over: starting the command each time would take minutes."""
    # Imported here: later starts do without, and are faster for it.
    from sqlalchemy import event

    from hub.actions import students
    from hub.database import connect

    engine = connect(f"sqlite:///{settings.folder / 'hub' / 'hub.sqlite'}")
    # A thousand transactions need not wait for the disk each: what a power cut spoils here is made again.
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF").close())
    added = 0
    for each in people:
        for address, confirmed in each.personal:
            programs.pause()
            students.add_email(engine, institution_id, each.username, address, confirmed, datetime.now(UTC))
            added += 1
            if added % 500 == 0:
                programs.say(f"{added:,} addresses added so far")
    engine.dispose()
    return added


def examples(people: list[sample.Student], scanned: Callable[[str], str]) -> list[Example]:
    """What to type: somebody different for each. `scanned` issues a pass to a username and tells what it says."""
    active = (each for each in people if not each.disabled)
    first = next(active)
    second = next(each for each in active if len(each.school_emails) > 1)
    third = next(each for each in active if len(each.identifying) > 2 and each.personal)
    card = next(each for each in active if each.card_id.startswith("0"))
    holder = next(active)
    gone = next(each for each in people if each.disabled)
    return [
        Example(first.school_emails[0], f"{_name(first)}, by the main school address"),
        Example(second.school_emails[1], f"{_name(second)}, by a second one"),
        Example(second.school_emails[0], "the same person by the main one: already checked in"),
        Example(third.identifying[-1], f"{_name(third)}, by a third one, added by the student"),
        Example(card.swipe, f"{_name(card)}, by card: this is what a reader types"),
        Example(scanned(holder.username), f"{_name(holder)}, by a QR pass: this is what a scanner types"),
        Example(gone.school_emails[0], f"{_name(gone)}, archived: is sent to the staff"),
        Example(f"nobody@{sample.PERSONAL_DOMAINS[0]}", "nobody we know: noted, for the office to match"),
    ]


def _name(student: sample.Student) -> str:
    return f"{student.preferred_name or student.first_name} {student.last_name}"


def plan_events(programs: Programs, state: State) -> bool:
    """Events around now, unless an earlier start has made some. Whether it has made any."""
    now = datetime.now().astimezone()
    if now < state.events_until:
        return False
    starts = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    ends = starts + EVENTS_LAST
    times = ("--starts", starts.isoformat(), "--ends", ends.isoformat(), "--json")
    for kind, name, steps in (("event", "Welcome reception", RECEPTION), ("career_fair", "Career fair", FAIR)):
        # Again with the same id would be the same event: each day, and each part of it, has its own.
        external_id = f"demo-{kind}-{starts:%Y-%m-%d-%H}"
        what = ("--kind", kind, "--name", name, "--sessions", str(len(steps)), "--external-id", external_id)
        event = programs.ask("hub", "events", "create", *what, *times)
        for session, (english, french) in zip(event["sessions"], steps, strict=True):
            said = ["--next-step", english, "--next-step-fr", french]
            said += ["--check-out"] if kind == "event" else []
            programs.ask("hub", "events", "set", session["id"], *said, "--json")
            if kind == "event":
                state.reception = session["id"]
            if kind == "career_fair":
                programs.ask("hub", "events", "register", session["id"], *_registered(state), "--json")
    state.events_until = ends - timedelta(hours=1)
    programs.say("today's events are there")
    return True


def _registered(state: State) -> list[str]:
    active = (each.username for each in sample.students(state.students, SEED) if not each.disabled)
    return list(islice(active, REGISTERED))


def open_doors(settings: Settings, programs: Programs, state: State, new_day: bool) -> None:
    """Start everything, make the kiosk a member of the hub if it is not one yet, and send it to the reception."""
    programs.start("hub", "hub", "serve", "--port", str(settings.hub_port))
    programs.start("kiosk", "kiosk", "serve", "--port", str(settings.kiosk_port))
    programs.wait_until_ready("hub", settings.hub_port)
    programs.say(f"the hub answers at {settings.hub_url}")
    missing = programs.wait_until_ready("kiosk", settings.kiosk_port, frozenset({None, "not_enrolled"}))
    if missing:
        code = programs.ask("hub", "kiosks", "invite", "--name", "Front desk", "--json")["code"]
        programs.ask("kiosk", "enrol", settings.hub_url, code, "--json")
    if missing or new_day:
        kiosk_id = programs.ask("kiosk", "status", "--json")["kiosk_id"]
        programs.ask("hub", "kiosks", "assign", kiosk_id, state.reception, "--json", may_fail=True)
    # Once by itself: with its answer the kiosk knows everybody. A kiosk that was cut off shows its page all the same.
    posted = programs.ask("kiosk", "post", "--once", "--json", may_fail=True)
    programs.start("postman", "kiosk", "post")
    programs.wait_until_ready("kiosk", settings.kiosk_port)
    problem = f" (its last exchange: {posted['problem']})" if posted.get("problem") else ""
    programs.say(f"the kiosk answers at {settings.kiosk_url}{problem}")


def block(settings: Settings, state: State) -> str:
    """What people want to know, once everything runs."""
    password = settings.password_file.read_text("utf-8").strip()
    pin = settings.pin_file.read_text("utf-8").strip()
    inside = settings.folder.is_relative_to(Path.cwd())
    folder = settings.folder.relative_to(Path.cwd()) if inside else settings.folder
    lines = [
        "",
        f"{sample.INSTITUTION}: {state.students:,} students, a reception and a career fair going on now",
        "",
        f"  the desk     {settings.kiosk_url}",
        f"               staff unlock it with {pin}   (kept in {folder}/{settings.pin_file.name})",
        f"  the office   {settings.hub_url}",
        f"               sign in as {ADMIN} with {password}   (kept in {folder}/{settings.password_file.name})",
        "",
        "The desk stands at the reception. Type or paste there",
        *(f"  {each.text:<48} {each.shows}" for each in state.examples),
        "",
        "Then",
        "  type hub and Enter here                          stops the hub: the desk goes on, and counts what waits",
        "  type hub and Enter once more                     starts it again: it has everything within a minute",
        "  Ctrl-C                                           stops everything; the next `make demo` goes on from here",
        "",
        f"Logs are in {folder}/logs. To begin afresh: rm -r {folder}",
        "",
    ]
    return "\n".join(lines)


def watch(settings: Settings, programs: Programs) -> None:
    """Until asked to stop, or until a program ends by itself."""
    listening = sys.stdin is not None
    while True:
        programs.check()
        programs.pause(0.1)
        if listening and select.select([sys.stdin], [], [], 0)[0]:
            line = sys.stdin.readline()
            listening = line != ""
            if line.strip().lower() == "hub":
                _switch_hub(settings, programs)


def _switch_hub(settings: Settings, programs: Programs) -> None:
    if programs.runs("hub"):
        programs.stop("hub")
        programs.say("the hub is stopped; type hub and Enter to start it again")
    else:
        programs.start("hub", "hub", "serve", "--port", str(settings.hub_port))
        programs.wait_until_ready("hub", settings.hub_port)
        programs.say("the hub is back")


def run(settings: Settings) -> None:
    """The demo. Raises `Trouble`, or `Stopped` when asked to end."""
    with only_one(settings.folder):
        state = made(settings)
        if state is None:
            clear(settings.folder)
        logs = settings.folder / "logs"
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        with Programs(BIN, logs, environment(settings)) as programs:
            if state is None:
                programs.say(f"making {settings.students:,} students in {settings.folder}; only the first start does")
                state = make(settings, programs)
            else:
                # Again: changes nothing, but for a database that an older version has made.
                _init(settings, programs)
                programs.say(f"{state.students:,} students are there from an earlier start")
            lock_desks(settings, programs)
            new_day = plan_events(programs, state)
            keep(settings, state)
            open_doors(settings, programs, state, new_day)
            print(block(settings, state), flush=True)
            watch(settings, programs)


def main() -> int:
    try:
        run(read_settings(os.environ))
    except Stopped:
        with suppress(OSError):
            print("Everything is stopped.", flush=True)
    except Trouble as trouble:
        print(f"make demo: {trouble}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
