#!/usr/bin/env bash
# How well flaky tests are told from broken ones and from outages, on histories made up from the true failure rates of
# FlakeFlagger's tests (10,000 runs each), beside simple rules and beside the best that is possible.
#
#   MAESTRO_CORPUS=… benches/detector.sh [SEEDS]        (default: "1 2 3 4 5")
#
# The head of benches/detector/make.rs says how histories are made, docs/benchmarks.md what came out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${MAESTRO_CORPUS:?names the folder with flaky/flakeflagger_test_results.csv}"
export MAESTRO_CORPUS
read -ra seeds <<<"${1:-1 2 3 4 5}"
detector() { cargo bench --quiet --locked --features bench --bench detector -- "$@"; }

echo "## With one retry of each failure"
detector retry all "${seeds[@]}"
echo "## Regressions that pass on a retry as well, one time in ten"
detector stays all "${seeds[@]}"
echo "## Without retries"
detector alone all "${seeds[@]}"
echo "## Intervals, thirty seeds"
mapfile -t thirty < <(seq 1 30)
detector intervals all "${thirty[@]}"
echo "## Speed"
detector speed all 1

echo "## The binary, on one of these histories"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
detector export all 1 >"$work/history.ndjson" 2>"$work/library.txt"
cargo build --quiet --release --locked
MAESTRO=$(realpath "${CARGO_TARGET_DIR:-target}/release/maestro")
"$MAESTRO" -q flakes ingest --dir "$work/state" "$work/history.ndjson" >"$work/ingested.txt"
"$MAESTRO" -q flakes report --all --dir "$work/state" --format json >"$work/report.json"
python3 - "$work" <<'PY'
import json, sys
work = sys.argv[1]
rows = json.load(open(f"{work}/report.json"))["tests"]
said = sorted(f"{r['suite']} {r['test']} {r['verdict']} {r['flaky_probability']:.4f}" for r in rows if r["verdict"] != "healthy")
library = sorted(line.rstrip("\n") for line in open(f"{work}/library.txt"))
for one in sorted(set(said) ^ set(library)): print(("binary: " if one in said else "library: ") + one)
print(f"the binary says the same of {len(said)} tests as the library: {'yes' if said == library else 'no'}")
PY
