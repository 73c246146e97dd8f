#!/usr/bin/env bash
# DuckDB and Spark read an export and find what the report says; every query of theirs in docs/export.md gives the right answer.
# inputs: Cargo.lock src tests/interop/engines.py docs/export.md tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
debian java default-jre-headless
python=$(python_with duckdb==2.0.0 pyspark==4.3.0)
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
"$python" "$root/tests/interop/engines.py" "$binary" "$work" "$root/docs/export.md"
