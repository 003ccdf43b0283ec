#!/usr/bin/env bash
# Resolves pyproject.toml into requirements/*.txt. Needs a package network; changes nothing else.
# Arguments are handed to uv, for example: scripts/lock.sh --upgrade-package flask
set -euo pipefail
cd "$(dirname "$0")/.."

UV_VERSION=0.13.8
PYTHON=${PYTHON:-python3}

[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
.venv/bin/uv --version 2>/dev/null | grep -qF "uv $UV_VERSION" ||
  .venv/bin/python -m pip install -qq "uv==$UV_VERSION"

mkdir -p requirements

compile() {
  local name=$1
  shift
  echo "requirements/$name.txt"
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-emit-index-url --output-file "requirements/$name.txt" "$@" pyproject.toml
}

# From the largest set to the smallest: the others are held to what the first one chose, so that
# what is tested is what is deployed.
compile dev --extra kiosk --extra hub --extra postgres --extra test --extra dev "$@"
compile test --extra kiosk --extra hub --extra postgres --extra test --constraints requirements/dev.txt
compile hub --extra hub --extra postgres --constraints requirements/dev.txt
compile kiosk --extra kiosk --constraints requirements/dev.txt

if grep -n '://' requirements/*.txt; then
  echo "a lock file names an address: locks must work behind any package index" >&2
  exit 1
fi
if grep -in '^sqlalchemy==' requirements/kiosk.txt; then
  echo "SQLAlchemy came in with the kiosk: the desk does without it" >&2
  exit 1
fi
