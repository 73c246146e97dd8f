#!/usr/bin/env bash
# Real test runners leave out exactly the tests of mode `skip`: the skipped set is the quarantined set.
# inputs: src/flakes/runners src/flakes/quarantine.rs src/cli/flakes/quarantine tests/interop/quarantine_skip.py tests/interop/runners.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with pytest==9.2.0)
command -v cargo-nextest >/dev/null || skip "cargo-nextest is missing"
"$python" "$root/tests/interop/quarantine_skip.py" "${MAESTRO:-$(maestro)}" "$work"
