#!/usr/bin/env bash
# `audit` is held against a second reading: of real histories, commit by commit, and of a GitHub whose every job is known, so that estimates can be judged.
# MAESTRO_HISTORIES: a folder with clones, as OWNER+NAME/repo or NAME, and AUDIT_COMMITS of each that are planned and judged one by one (40).
# inputs: src/audit src/cli/audit src/cli/dora/audited.rs src/cli/plan src/setup src/policy src/delivery tests/interop/audit.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-$(maestro)}
python3 "$root/tests/interop/audit.py" "$binary" "$root/src/policy/default.yaml" "$work" "${MAESTRO_HISTORIES:-}" "${AUDIT_COMMITS:-40}"
