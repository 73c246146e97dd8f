#!/usr/bin/env bash
# How long `maestro dora` takes over 50,000 rows, and over the git history of a clone where one is named; and how much memory.
#
#   benches/dora.sh [CLONE]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
clone=${1:-}
[ -x /usr/bin/time ] || { echo "GNU time is needed (Debian: time)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release --locked
maestro=${CARGO_TARGET_DIR:-target}/release/maestro

measure() { /usr/bin/time -f '%e s, %M KB' "$@" 2>&1 >/dev/null | tail -1; }

python3 - "$work/rows.ndjson" <<'PYTHON'
import datetime, hashlib, json, random, sys

random.seed(1)
start = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
at = lambda minutes: (start + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
sha = lambda number: hashlib.sha1(str(number).encode()).hexdigest()
year = 365 * 24 * 60
with open(sys.argv[1], "w") as out:
    write = lambda row: out.write(json.dumps(row) + "\n")
    for number in range(20_000):
        begun = random.randrange(year)
        merged = begun + int(random.lognormvariate(6, 1.2)) + 1
        write({"kind": "pull", "number": number + 1, "created": at(begun), "first_commit": at(begun - 60), "merged": at(merged), "closed": at(merged),
               "merge_sha": sha(number), "base": "main", "author_kind": random.choice(["human", "human", "bot", "agent"])})
    for number in range(10_000):
        when = random.randrange(year)
        write({"kind": "deployment", "id": number, "sha": sha(random.randrange(20_000)), "environment": "production", "production": True,
               "created": at(when), "status": "success", "first_success": at(when + 5)})
    for number in range(20_000):
        when = random.randrange(year)
        write({"kind": "run", "id": number, "attempt": 1, "workflow": "ci", "event": "push", "branch": "main", "sha": sha(number), "created": at(when),
               "started": at(when), "updated": at(when + 9), "conclusion": "success"})
PYTHON
wc -l "$work/rows.ndjson" | sed 's/ .*/ rows/'
for round in 1 2 3; do
    echo "dora --rows: $(measure "$maestro" -C "$work" dora --rows rows.ndjson --now 2026-01-01T00:00:00Z --since 400d)"
done
if [ -n "$clone" ]; then
    echo "$(git -C "$clone" rev-list --count HEAD) commits, $(git -C "$clone" tag | wc -l) tags"
    for round in 1 2 3; do
        echo "dora --source git: $(measure "$maestro" -C "$clone" dora --source git --since 3650d)"
    done
fi
