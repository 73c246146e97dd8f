#!/usr/bin/env bash
# What a pull request gets on the first day: of merged ones at most 0.5 % are stopped though nothing is wrong, and at least 70 % get no comment.
# MAESTRO_MIRRORS: a folder of git directories, OWNER+NAME or OWNER+NAME/repo. MERGED_COUNT of each (60), MERGED_ONLY: names, for a part of them.
# MERGED_POLICY: another policy in place of the one that `init` writes.
# inputs: src/policy src/gate src/change src/setup src/cli/gate src/cli/check_policy src/cli/init tests/interop/merged.py tests/interop/merged.json tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
mirrors=${MAESTRO_MIRRORS:-}
[ -n "$mirrors" ] || skip "MAESTRO_MIRRORS names no folder of git directories"
binary=${MAESTRO:-$(maestro)}
read -r -a only <<<"${MERGED_ONLY:-}"
python3 "$root/tests/interop/merged.py" "$binary" "$mirrors" "$root/tests/interop/merged.json" "${MERGED_COUNT:-60}" "$work" ${only[@]+"${only[@]}"}
