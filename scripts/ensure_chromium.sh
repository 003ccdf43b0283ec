#!/usr/bin/env bash
# Sees to a Chromium on PATH for the browser tests, or says in one line that they will be skipped.
set -euo pipefail

command -v chromium >/dev/null && exit 0

skipped() {
  echo "No Chromium on PATH ($1): the browser tests will be skipped." >&2
  exit 0
}

command -v apt-get >/dev/null || skipped "install one by hand to run them"
[ "$(id -u)" = 0 ] || skipped "sudo apt-get install chromium brings one"

echo "Installing Chromium for the browser tests (once)." >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium
} >"$log" 2>&1 || skipped "apt-get said: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")"
