#!/usr/bin/env bash
# Gold patches of exercises with one thing wrong, through maestro, git apply, patch and mpatch: MAESTRO_CORPUS=… benches/edits.sh
#
# The cases are those of tests/edits; docs/edits.md says how they are made and counted. mpatch is built in a cache, outside of our dependencies.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${MAESTRO_CORPUS:?names the folder with tasks/exercism-rust}"
export MAESTRO_CORPUS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peer=${XDG_CACHE_HOME:-$HOME/.cache}/maestro-peers/edit-peer
(cd "$root/benches/edit-peer" && cargo build --quiet --release --locked --target-dir "$peer")
(cd "$root" && MAESTRO_EDIT_CASES="$work/cases.json" cargo test --quiet --locked --lib gold_patches_of_exercises -- --nocapture) >"$work/ours.txt" 2>&1 ||
    { cat "$work/ours.txt"; exit 1; }
grep -E '^corrupted:' "$work/ours.txt"
git --version
patch --version | head -1
python3 "$root/benches/edits.py" "$work/cases.json" "$peer/release/edit-peer"
