#!/usr/bin/env bash
# How much CPU nx, Turborepo and maestro take to say what a change affects: benches/plan-peers.sh REPOSITORY [COMMITS] (a git directory; a pnpm workspace)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=${MAESTRO:-${CARGO_TARGET_DIR:-$root/target}/release/maestro}
packages=${XDG_CACHE_HOME:-$HOME/.cache}/maestro-peers
if [ ! -f "$packages/done" ]; then
    mkdir -p "$packages"
    (cd "$packages" && npm init --yes >/dev/null && npm install --silent nx@24.0.6 turbo@2.11.11)
    touch "$packages/done"
fi
python3 "$root/benches/plan_peers.py" "$binary" "$packages" "$1" "${2:-20}"
