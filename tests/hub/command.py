"""The hub's commands as scripts see them: one JSON object on stdout, people's text on stderr, exit codes."""

import json
from typing import Any

from click.testing import CliRunner, Result

from hub.cli import main


class Command:
    """A terminal at the office."""

    def run(self, *words: object, typed: str | None = None) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], input=typed, catch_exceptions=False)

    def ask(self, *words: object) -> Any:
        """What it answers to a script."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)
