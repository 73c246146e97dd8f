#!/usr/bin/env bash
# EnricoMi/publish-unit-test-result-action keeps its own results beside its test files; docs/junit.md and docs/dialects.md explain the six that differ.
# inputs: src/junit src/cli/flakes/ingest tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
[ -n "${MAESTRO_CORPUS:-}" ] || skip "MAESTRO_CORPUS is not set"
folder=$MAESTRO_CORPUS/junit/EnricoMi+publish-unit-test-result-action
[ -d "$folder" ] || skip "the corpus has no EnricoMi folder"
binary=$(maestro)
cd "$folder"
"$binary" --quiet flakes ingest --dry-run --format json . >"$work/ours.json"
python3 - "$work/ours.json" <<'PY'
import json, pathlib, sys

different, equal = [], 0
for file in json.load(open(sys.argv[1]))["files"]:
    oracle = pathlib.Path(file["path"]).with_suffix(".results.json")
    if not oracle.exists():
        continue
    stats = json.load(open(oracle)).get("stats") or {}
    theirs = [stats.get(key) for key in ("runs", "runs_succ", "runs_skip", "runs_fail", "runs_error")]
    if theirs[0] is None:
        continue
    ours = [file[key] for key in ("cases", "passed", "skipped", "failed", "errored")]
    if file["dialect"] != "junit":
        # Its conversions of other forms know failures only.
        theirs, ours = ([*three, fail + error] for *three, fail, error in (theirs, ours))
    if theirs == ours:
        equal += 1
    else:
        different.append(pathlib.Path(file["path"]).name)
        print(f"{file['path']}: theirs {theirs}, ours {ours}")
print(f"equal {equal}, different {len(different)}")
known = [
    "junit.multiresult.xml",
    "no-cases-but-tests.xml",
    # Not runnable: an error, as NUnit means it; there skipped.
    "NUnit-correct.xml",
    # Inconclusive: skipped; there passed.
    "NUnit-issue33493.xml",
    # Aborted: failed; there skipped.
    "yami_YAMILEX_2015-10-24_04_18_59.trx",
    # The header counts three tests, and one is there.
    "testcase2.xml",
]
sys.exit(different != known or equal < 60)
PY
