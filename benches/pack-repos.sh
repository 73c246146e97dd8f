#!/usr/bin/env bash
# How long the weekly page of many repositories takes, how much memory, and how large it is.
#
#   benches/pack-repos.sh [STATES] [ROWS]         (120 states of 2,000 rows each, and 20 clones of a history with tags and runs of tests)
#
# MAESTRO_BINARY: a maestro that is built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
states=${1:-120}
rows=${2:-2000}
[ -x /usr/bin/time ] || { echo "GNU time is needed (Debian: time)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
maestro=${MAESTRO_BINARY:-}
if [ -z "$maestro" ]; then
    cargo build --quiet --release --locked
    maestro=$(realpath "${CARGO_TARGET_DIR:-target}/release/maestro")
fi

measure() { /usr/bin/time -f '%e s (%U s of CPU), %M KB' "$@" 2>&1 >/dev/null | tail -1; }

python3 benches/dora_repos.py "$work" "$states" "$rows"
# Of every sixth a clone, whose git history and runs of tests are read too.
for state in $(seq 0 6 $((states - 1))); do
    clone=$work/clone$state
    git init --quiet --initial-branch=main "$clone"
    python3 - "$clone" <<'PYTHON' | git -C "$clone" fast-import --quiet
import sys

out = []
for number in range(500):
    at = 1735689600 + number * 60000
    out.append(f"commit refs/heads/main\nmark :{number + 1}\ncommitter A <a@b> {at} +0000\ndata 1\nm\nM 100644 inline f{number % 9}\ndata {len(str(number))}\n{number}\n")
    if number % 10 == 9:
        out.append(f"tag v0.{number}.0\nfrom :{number + 1}\ntagger A <a@b> {at} +0000\ndata 1\nt\n")
sys.stdout.write("".join(out))
PYTHON
    git -C "$clone" reset --quiet --hard
    python3 - >"$clone/history.ndjson" <<'PYTHON'
import datetime, json

start = datetime.datetime(2025, 11, 1, tzinfo=datetime.timezone.utc)
for run in range(300):
    at = (start + datetime.timedelta(hours=run * 4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for test in range(20):
        status = "failed" if run % 13 == test else "passed"
        print(json.dumps({"run": run, "attempt": 1, "commit": f"{run:040x}", "branch": "main", "job": "test", "at": at, "suite": "s", "test": f"t{test}",
                          "status": status, "duration_ms": 900}))
PYTHON
    "$maestro" -C "$clone" flakes ingest history.ndjson >/dev/null
    mkdir -p "$clone/.git/maestro/outbox"
    cp "$work/r$state/outbox/"*.ndjson "$clone/.git/maestro/outbox/"
    sed -i "s#^o/r$state r$state\$#o/r$state clone$state#" "$work/all.txt"
done
du -sh "$work" | sed 's/\t.*/ of states/'
ask=(-C "$work" learning-pack --repos all.txt --now 2025-12-18T00:00:00Z --out packs)
"$maestro" "${ask[@]}" | grep -E 'repositories:|repositories read'
for round in 1 2 3; do
    echo "learning-pack --repos: $(measure "$maestro" "${ask[@]}")"
done
wc -c "$work"/packs/repositories-*.html | awk '{ print $1, "bytes of HTML" }'
echo "$(ls "$work/packs" | wc -l) files"
