#!/usr/bin/env bash
# How long it takes to fold 100,000 events of a year, how much memory, and one more.
#
#   benches/fold.sh [COUNT] [FILES]         (100,000 events in 1,000 files)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
count=${1:-100000}
files=${2:-1000}
[ -x /usr/bin/time ] || { echo "GNU time is needed (Debian: time)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release --locked
maestro=${CARGO_TARGET_DIR:-target}/release/maestro

measure() { /usr/bin/time -f '%e s, %M KB' "$@" 2>&1 >/dev/null | tail -1; }

for round in 1 2 3; do
    rm -rf "$work/state"
    python3 benches/fold.py "$work/state" "$count" "$files"
    echo "$count events in $files files: $(measure "$maestro" --dir "$work/state" -C "$work" -q state fold)"
    python3 benches/fold.py "$work/state" 1 1 "$count"
    echo "one more: $(measure "$maestro" --dir "$work/state" -C "$work" -q state fold)"
done
du -sh "$work/state/segments" | sed 's/\t.*/ of segments/'
