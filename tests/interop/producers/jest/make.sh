#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
npm_packages jest@30.5.2 jest-junit@17.0.0

# junit NAME TEST... : jest-junit takes its options from the environment
junit() {
    junit_name=$1
    shift
    rm -f ./*.count
    run 1 "$junit_name" env JEST_JUNIT_OUTPUT_FILE="$out/$junit_name.xml" \
        jest --runInBand "$@" --reporters=default --reporters=jest-junit
}
junit basic basic.test.js
junit retry flaky.test.js
# Not well-formed XML.
mkdir -p "$out/malformed"
junit malformed/control_characters control.test.js
export JEST_JUNIT_REPORT_TEST_SUITE_ERRORS=true
junit suite_error broken.test.js
export JEST_JUNIT_INCLUDE_CONSOLE_OUTPUT=true JEST_JUNIT_ADD_FILE_ATTRIBUTE=true JEST_JUNIT_NO_STACK_TRACE=true \
    JEST_JUNIT_CLASSNAME='{filepath}' JEST_JUNIT_TITLE='{title}' JEST_JUNIT_ANCESTOR_SEPARATOR=' › ' \
    JEST_JUNIT_SUITE_NAME='{filename}'
junit options basic.test.js
