#!/usr/bin/env bash
# Makes .venv as requirements/dev.txt says, hashes checked, with this project in it as it stands here.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" --version 2>&1). Try: make install PYTHON=python3.11" >&2
  exit 1
}

[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
echo "Filling .venv (about half a minute; at once when little changed)." >&2
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install -qq --require-hashes --requirement requirements/dev.txt
# The build back end came with the lock, so nothing is downloaded here.
.venv/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
touch .venv/.installed
