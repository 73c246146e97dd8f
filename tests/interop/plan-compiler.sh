#!/usr/bin/env bash
# Touching any file that a compiler read selects the packages that read it, and all that depend on them.
# PLAN_CHECKOUTS: Rust repositories, one a line. Without, this one is looked at.
# inputs: src/change src/plan src/conduct src/cli/plan tests/interop/plan_compiler.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
mapfile -t checkouts <<<"${PLAN_CHECKOUTS:-$root}"
[ -n "${PLAN_CHECKOUTS:-}" ] || export PLAN_TARGET=$cache/plan-compiler
python3 "$root/tests/interop/plan_compiler.py" "$binary" "${checkouts[@]}"
