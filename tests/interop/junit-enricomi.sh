#!/usr/bin/env bash
# EnricoMi/publish-unit-test-result-action keeps its own results beside its test files; docs/junit.md explains the two that differ.
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
    if theirs == ours:
        equal += 1
    else:
        different.append(oracle.name.replace(".results.json", ".xml"))
        print(f"{file['path']}: theirs {theirs}, ours {ours}")
print(f"equal {equal}, different {len(different)}")
sys.exit(different != ["junit.multiresult.xml", "no-cases-but-tests.xml"] or equal < 20)
PY
