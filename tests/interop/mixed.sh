#!/usr/bin/env bash
# This version and an older one in one run of CI: what either stores, packs, pushes, folds and syncs, the other carries on. No event is lost.
#
# inputs: src/state src/event.rs src/conduct/artifacts.rs
# time: long
#
# The older version is the last commit before maestro spoke to GitHub, when the formats of the state had just been frozen. MAESTRO_OLD and MAESTRO_NEW name
# binaries that are there already.
set -euo pipefail
# shellcheck source=lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
first=3e20720
old=${MAESTRO_OLD:-$cache/mixed-$first/debug/maestro}
if [ ! -x "$old" ]; then
    git -C "$root" rev-parse --quiet --verify "$first^{commit}" >/dev/null || skip "the commit $first is not in this clone"
    git -C "$root" worktree add --quiet --detach "$work/old" "$first"
    (cd "$work/old" && CARGO_TARGET_DIR=$cache/mixed-$first cargo build --quiet --locked) || true
    git -C "$root" worktree remove --force "$work/old"
    [ -x "$old" ] || skip "the commit $first cannot be built here"
fi
new=${MAESTRO_NEW:-$(maestro)}
python3 "$root/tests/interop/mixed.py" "$old" "$new" "$work"
