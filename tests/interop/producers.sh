#!/usr/bin/env bash
# Runs 28 test tools again and compares what they write with our fixtures.
# inputs: tests/interop/producers fixtures/junit
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
"$root/tests/interop/producers/all.sh" "$work/out"
