#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
npm_packages deno@2.9.6
deno --version >"$out/version.log" 2>&1 || skip "deno does not run here"
export DENO_NO_UPDATE_CHECK=1 DENO_DIR="$work/deno"

run 1 basic deno test --no-remote --junit-path="$out/basic.xml" basic_test.js
run 1 load_error deno test --no-remote --junit-path="$out/load_error.xml" broken_test.js
