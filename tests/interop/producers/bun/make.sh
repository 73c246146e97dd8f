#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
npm_packages bun@1.4.5
bun --version >"$out/version.log" 2>&1 || skip "bun does not run here"

junit() {
    junit_name=$1
    shift
    run 1 "$junit_name" bun test --reporter=junit --reporter-outfile="$out/$junit_name.xml" "$@"
}
junit basic ./basic.test.js
junit retry ./flaky.test.js
