#!/usr/bin/env bash
# Runs the tests, two at a time; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/ensure_chromium.sh
exec .venv/bin/python -m pytest -n "${WORKERS:-2}" "$@"
