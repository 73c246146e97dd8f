#!/usr/bin/env bash
# What guppy's determinator says is affected is never missing from a plan, over the commits of real Rust repositories.
# DETERMINATOR_REPOSITORIES: git directories, one a line, and PLAN_COMMITS of each (100). Without, this repository is looked at.
# inputs: src/change src/plan src/conduct src/cli/plan tests/interop/plan_determinator.py tests/interop/determinator tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-$(maestro)}
target=${CARGO_TARGET_DIR:-$root/target}
cargo build --quiet --release --manifest-path "$root/tests/interop/determinator/Cargo.toml" --target-dir "$target/determinator" >&2 ||
    skip "the determinator cannot be built"
status=0
while read -r repository; do
    python3 "$root/tests/interop/plan_determinator.py" "$binary" "$target/determinator/release/determinator-judge" "$repository" "${PLAN_COMMITS:-100}" || status=1
done <<<"${DETERMINATOR_REPOSITORIES:-$root}"
exit "$status"
