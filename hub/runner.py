"""Starts the processes that carry imports out, so that no page waits for one and none slows the pages down."""

import os
import subprocess
import sys
from uuid import UUID

from hub.actions.imports.place import Goal
from hub.config import Config


class Runner:
    """Starts processes of this hub, and notices when they have ended."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, institution_id: UUID, import_id: UUID, goal: Goal, lock: int) -> None:
        """Have an import carried out, by a process that holds its lock and outlives this one. Raises `OSError`."""
        self._running = [each for each in self._running if each.poll() is None]
        command = ["imports", "carry-out", str(import_id), goal, "--institution", str(institution_id)]
        environment = os.environ | {
            "HUB_DATA_DIR": str(self._config.data_dir),
            "HUB_DATABASE_URL": self._config.database_url,
        }
        self._running.append(
            subprocess.Popen(
                [sys.executable, "-m", "hub", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[lock],
                start_new_session=True,
            )
        )

    def wait(self) -> None:
        """Until everything that was started has ended."""
        for each in self._running:
            each.wait()
        self._running.clear()
