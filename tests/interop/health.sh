#!/usr/bin/env bash
# lizard orders real diffs by complexity as we do, and diff-cover comes to the same patch coverage.
# HEALTH_REPOSITORIES: git directories, one a line, and HEALTH_DIFFS of each (10). Without, this repository is looked at.
# inputs: src/health src/supply/coverage src/change/lines.rs tests/interop/health.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-$(maestro)}
python=$(python_with lizard==1.24.3 diff-cover==11.0.1)
readarray -t repositories <<<"${HEALTH_REPOSITORIES:-$root}"
"$python" "$root/tests/interop/health.py" "$binary" "$work" "${HEALTH_DIFFS:-10}" "${repositories[@]}"
