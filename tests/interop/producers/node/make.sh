#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
have node || skip "needs node"
node --test --test-reporter=junit --test-reporter-destination="$work/probe.xml" /dev/null >/dev/null 2>&1 ||
    [ -s "$work/probe.xml" ] || skip "this version of node has no junit reporter"

junit() {
    junit_status=$1 junit_name=$2
    shift 2
    run "$junit_status" "$junit_name" node --test --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=junit --test-reporter-destination="$out/$junit_name.xml" "$@"
}
junit 1 basic basic.test.mjs
junit 1 file_error broken.test.mjs
# These two are not well-formed XML.
mkdir -p "$out/malformed"
junit 1 malformed/control_characters control.test.mjs
junit 1 malformed/cdata_end cdata_end.test.mjs
