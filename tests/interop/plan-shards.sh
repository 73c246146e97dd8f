#!/usr/bin/env bash
# Histories of real test suites, each run split by what the runs before it took: at most 1.10 times the mean, a quarter shorter than by count.
# SHARD_HISTORIES: a folder with one folder a project (see plan_shards.py); `tests/interop/suites/NAME.sh` makes one, in half an hour.
# inputs: src/flakes src/plan/shards.rs src/cli/plan/shard src/state/v1 tests/interop/plan_shards.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
[ -d "${SHARD_HISTORIES:-}" ] || skip "SHARD_HISTORIES names no folder"
python3 "$root/tests/interop/plan_shards.py" "${MAESTRO:-$(maestro)}" "$SHARD_HISTORIES" 4 5 6
