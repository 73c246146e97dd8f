#!/usr/bin/env bash
# Mutants of policy, budget, flakes and plan by cargo-mutants: at least 100 of each by a fixed seed, at least 85 % caught; those that run out of time count as
# survivors. MUTANTS_ROOMS names some of the rooms, MUTANTS_COUNT how many are judged, MUTANTS_SEED another seed. With
# MUTANTS_FOLDER, where crates and outcomes stay, MUTANTS_AGAIN=1 judges only what was not caught there before.
# inputs: src/policy docs/policy src/budget src/flakes src/plan tests/interop/mutants.py tests/interop/mutants_within.py tests/interop/mutants.json tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v cargo-mutants >/dev/null || cargo install cargo-mutants --locked --quiet || skip "cargo-mutants cannot be installed"
failed=0
for room in ${MUTANTS_ROOMS:-policy budget flakes plan}; do
    python3 -B "$root/tests/interop/mutants.py" "$root" "${MUTANTS_FOLDER:-$work/mutants}" "$room" "${MUTANTS_COUNT:-104}" "${MUTANTS_SEED:-maestro}" || failed=1
done
exit "$failed"
