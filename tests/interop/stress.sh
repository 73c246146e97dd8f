#!/usr/bin/env bash
# 64 writers and two folders share one remote under kills, refusals, repeats and full disks: nothing is lost, nothing is there twice.
# inputs: Cargo.lock src tests/interop/stress.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
trap 'awk -v work="$work/" "index(\$2, work) == 1 { print \$2 }" /proc/mounts | xargs -r umount -l || true; rm -rf "$work"' EXIT
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
python3 "$root/tests/interop/stress.py" "$binary" "$work"
