#!/usr/bin/env bash
# The built-in policy stops at most 0.5 % of what people merged.
# POLICY_REPOSITORIES: git directories, one a line, and POLICY_COMMITS of each (100). Without, this repository is looked at.
# inputs: src/policy src/change src/conduct/changed.rs src/cli/check_policy tests/interop/policy_history.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-$(maestro)}
readarray -t repositories <<<"${POLICY_REPOSITORIES:-$root}"
python3 "$root/tests/interop/policy_history.py" "$binary" "$root/src/policy/default.yaml" "${POLICY_COMMITS:-100}" "${repositories[@]}"
