#!/usr/bin/env bash
# Everything that can be said about the code without running it. Runs all of it, then says which part failed.
set -uo pipefail
cd "$(dirname "$0")/.."

BIN=.venv/bin
failed=()

check() {
  local name=$1
  shift
  echo "== $name"
  "$@" || failed+=("$name")
}

types() {
  local places=()
  for place in sync kiosk hub ui bench scripts tests; do
    if [ -d "$place" ]; then places+=("$place"); fi
  done
  "$BIN/mypy" "${places[@]}"
}

templates() {
  if [ -z "$(find kiosk hub ui -name '*.html' -print -quit)" ]; then
    echo "no templates yet"
    return 0
  fi
  "$BIN/djlint" --quiet --lint kiosk hub ui
}

check "format" "$BIN/ruff" format --check --quiet .
check "lint" "$BIN/ruff" check --quiet .
check "types" types
check "imports" "$BIN/lint-imports" --no-logo
check "templates" templates
check "vendored files" "$BIN/python" scripts/vendor.py --check
check "translations" "$BIN/python" scripts/catalogues.py --check

if [ ${#failed[@]} -gt 0 ]; then
  echo "make check failed: $(printf '%s; ' "${failed[@]}" | sed 's/; $//')" >&2
  exit 1
fi
echo "make check: all well"
