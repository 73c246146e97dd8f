#!/usr/bin/env bash
# A second reading of Cargo, npm and uv workspaces says what the commits of real repositories must select; nothing may be missed.
# PLAN_REPOSITORIES: git directories, one a line, and PLAN_COMMITS of each (1000). Without, this repository is looked at.
# inputs: src/change src/plan src/conduct src/cli/plan tests/interop/plan_oracle.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with PyYAML==6.0.3 tomli==2.4.1)
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
status=0
while read -r repository; do
    "$python" "$root/tests/interop/plan_oracle.py" "$repository" "${PLAN_COMMITS:-1000}" "$binary" || status=1
done <<<"${PLAN_REPOSITORIES:-$root}"
exit "$status"
