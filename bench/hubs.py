"""Hubs to measure: a data folder with an institution in it, its commands, its server, its kiosks."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from bench import people
from bench.processes import HUB, Done, Server, complete, free_port, served
from hub.database import connect, reading
from hub.schema import students

ADMIN = "ada@example.edu"
PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub's folder. `url` None: SQLite in that folder."""

    folder: Path
    url: str | None = None

    @property
    def database_url(self) -> str:
        return self.url or f"sqlite:///{self.folder / 'hub.sqlite'}"

    def env(self, port: int = 8000) -> dict[str, str]:
        return {
            "HUB_DATA_DIR": str(self.folder),
            "HUB_DATABASE_URL": self.database_url,
            "HUB_URL": f"http://127.0.0.1:{port}",
        }

    def command(self, *words: str, port: int = 8000) -> Done:
        """Runs `hub …`. Raises `Failed`."""
        return complete([*HUB, *words], self.env(port))

    def serve(self, workers: int | None = None) -> AbstractContextManager[Server]:
        """The running server."""
        port = free_port()
        more = [] if workers is None else ["--workers", str(workers)]
        return served([*HUB, "serve", "--port", str(port), *more], port, self.env(port))

    def import_students(self, file: Path) -> Done:
        return self.command("import", "students", str(file), "--json")

    def import_attendees(self, file: Path, session_id: UUID) -> Done:
        return self.command("import", "attendees", str(file), "--session", str(session_id), "--json")

    def new_session(self, name: str) -> UUID:
        """A session that is on now."""
        now = datetime.now(UTC)
        starts, ends = ((now + timedelta(hours=hours)).isoformat() for hours in (-2, 2))
        told = self.command(
            *("events", "create", "--kind", "event", "--name", name, "--starts", starts, "--ends", ends, "--json")
        ).told
        return UUID(told["sessions"][0]["id"])

    def invite(self, name: str) -> str:
        """A code with which a kiosk can enrol."""
        code: str = self.command("kiosks", "invite", "--name", name, "--json").told["code"]
        return code

    def student_ids(self, limit: int) -> list[UUID]:
        engine = connect(self.database_url)
        with reading(engine) as conn:
            found = list(conn.execute(sa.select(students.c.id).order_by(students.c.id).limit(limit)).scalars())
        engine.dispose()
        return found

    def copy(self, folder: Path) -> "Hub":
        """The same hub somewhere else; SQLite only, and not while it runs."""
        shutil.copytree(self.folder, folder)
        return Hub(folder)


def new_hub(folder: Path, url: str | None = None) -> Hub:
    """A hub with an institution and nobody in it."""
    folder.mkdir()
    hub = Hub(folder, url)
    password = folder / "password.txt"
    password.touch(mode=0o600)
    password.write_text(PASSWORD)
    domains = [word for domain in people.DOMAINS for word in ("--domain", domain)]
    hub.command(
        *("init", "--institution", "Example University", *domains, "--admin", ADMIN),
        *("--password-file", str(password), "--json"),
    )
    return hub


@dataclass(frozen=True, slots=True)
class Visited:
    """A hub with tens of thousands of check-ins to one session; nobody uses it any more."""

    hub: Hub
    session_id: UUID


class World:
    """The folder of a run, and what its parts share. Dear things are made once, when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.visited: Visited | None = None
        self._full_hub: Hub | None = None
        self._numbers = 0

    def place(self, name: str) -> Path:
        """A name nothing has yet."""
        self._numbers += 1
        return self.folder / f"{self._numbers:03d}-{name}"

    def students_csv(self, count: int = people.MANY) -> Path:
        path = self.folder / f"students-{count}.csv"
        if not path.exists():
            people.write_csv(path, count)
        return path

    def full_hub(self) -> Hub:
        """A fresh copy of a hub that knows everybody."""
        if self._full_hub is None:
            hub = new_hub(self.place("full-hub"))
            hub.import_students(self.students_csv())
            self.keep(hub)
        assert self._full_hub is not None
        return self._full_hub.copy(self.place("hub"))

    def keep(self, hub: Hub) -> None:
        """Saves importing everybody again: this hub knows them, and is not used by whoever made it any more."""
        self._full_hub = self._full_hub or hub


@contextmanager
def world() -> Iterator[World]:
    """A folder that is gone at the end, on a real disk: what waits for a disk must not be measured in memory."""
    base = os.environ.get("BENCH_DIR") or ("/var/tmp" if os.path.isdir("/var/tmp") else None)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=base, ignore_cleanup_errors=True) as folder:
        yield World(Path(folder))
