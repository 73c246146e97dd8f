#!/usr/bin/env bash
# lxml counts the cases of every JUnit file of the fixtures and of the corpus beside us.
# inputs: src/junit src/cli/flakes/ingest fixtures/junit tests/interop/junit_lxml.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with lxml==6.1.3)
binary=$(maestro)
folders=("$root/fixtures/junit")
if [ -n "${MAESTRO_CORPUS:-}" ]; then
    folders+=("$MAESTRO_CORPUS/junit")
else
    [ "${MAESTRO_REQUIRE:-0}" != 1 ] || skip "MAESTRO_CORPUS is not set"
    echo "MAESTRO_CORPUS is not set: only our own fixtures are compared"
fi
cd "$work"
"$python" "$root/tests/interop/junit_lxml.py" "$binary" "${folders[@]}"
