#!/usr/bin/env bash
# How long `maestro plan` takes beside git alone: benches/plan.sh REPOSITORY... (git directories; 50 commits of each)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=${MAESTRO:-${CARGO_TARGET_DIR:-$root/target}/release/maestro}
python3 "$root/benches/plan.py" "$binary" "${PLAN_COMMITS:-50}" "$@"
