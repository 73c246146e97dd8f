#!/usr/bin/env bash
# How long it takes to pool the deliveries of many repositories, and how much memory.
#
#   benches/dora-repos.sh [STATES] [ROWS]         (120 states of 2,000 rows each)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
states=${1:-120}
rows=${2:-2000}
[ -x /usr/bin/time ] || { echo "GNU time is needed (Debian: time)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release --locked
maestro=${CARGO_TARGET_DIR:-target}/release/maestro

measure() { /usr/bin/time -f '%e s, %M KB' "$@" 2>&1 >/dev/null | tail -1; }

python3 benches/dora_repos.py "$work" "$states" "$rows"
du -sh "$work" | sed 's/\t.*/ of states/'
ask=(-C "$work" dora --repos all.txt --now 2026-01-01T00:00:00Z --since 365d --format json)
"$maestro" "${ask[@]}" |
    python3 -c 'import json, sys; found = json.load(sys.stdin); print(sum(row["rows"] for row in found["rows"]), "rows of", len(found["repositories"]), "repositories")'
for round in 1 2 3; do
    echo "dora: $(measure "$maestro" "${ask[@]}")"
done
echo "dora --by author, as devlake: $(measure "$maestro" "${ask[@]}" --by author --definition devlake)"
echo "dora explain lead-time-deploy: $(measure "$maestro" -C "$work" dora explain lead-time-deploy --repos all.txt --now 2026-01-01T00:00:00Z --since 365d --format ndjson)"
