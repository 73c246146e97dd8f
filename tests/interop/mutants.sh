#!/usr/bin/env bash
# Mutants of policy, budget, flakes and plan by cargo-mutants: at least 100 of each by a fixed seed, at least 85 % caught; those that run out of time count as
# survivors. MUTANTS_ROOMS names some of the rooms, MUTANTS_COUNT how many are drawn, MUTANTS_SEED another seed.
# inputs: src/policy src/budget src/flakes src/plan tests/interop/mutants.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v cargo-mutants >/dev/null || cargo install cargo-mutants --locked --quiet || skip "cargo-mutants cannot be installed"
unset CARGO_TARGET_DIR
for room in ${MUTANTS_ROOMS:-policy budget flakes plan}; do
    python3 "$root/tests/interop/mutants.py" "$root" "$work/mutants" "$room" "${MUTANTS_COUNT:-130}" "${MUTANTS_SEED:-maestro}"
done
