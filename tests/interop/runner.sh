#!/usr/bin/env bash
# GitHub's own evaluator of expressions (@actions/expressions) on the table that holds the mini runner of the tests.
# inputs: tests/suite/runner/expressions.json tests/interop/runner.mjs tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
modules=$cache/npm-actions-expressions-0.3.61
if [ ! -f "$modules/done" ]; then
    rm -rf "$modules" && mkdir -p "$modules"
    (cd "$modules" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund @actions/expressions@0.3.61 esbuild@0.25.8 >&2) ||
        skip "@actions/expressions cannot be installed"
    touch "$modules/done"
fi
cp "$root/tests/interop/runner.mjs" "$modules/runner.mjs"
"$modules/node_modules/.bin/esbuild" "$modules/runner.mjs" --bundle --platform=node --format=cjs --outfile="$work/runner.cjs" --log-level=error
node "$work/runner.cjs" "$root/tests/suite/runner/expressions.json"
