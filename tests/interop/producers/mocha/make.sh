#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
npm_packages mocha@11.8.0 mocha-junit-reporter@2.2.1

# The status is the number of failed tests.
junit() {
    junit_status=$1 junit_name=$2 junit_options=$3
    shift 3
    run "$junit_status" "$junit_name" mocha "$@" --reporter spec
    rm -f ./*.count
    run "$junit_status" "$junit_name.junit" mocha "$@" --reporter mocha-junit-reporter \
        --reporter-options "mochaFile=$out/$junit_name.xml$junit_options"
}
junit 6 basic '' --retries 1 basic.spec.js
junit 6 jenkins ',jenkinsMode=true,outputs=true,attachments=true,testCaseSwitchClassnameAndName=true' \
    --retries 1 basic.spec.js
junit 1 control_characters '' control.spec.js

# mocha's own reporter; the second file is not well-formed XML.
mkdir -p "$out/malformed"
rm -f ./*.count
run 6 xunit mocha --retries 1 basic.spec.js --reporter xunit --reporter-option "output=$out/xunit.xml"
run 1 malformed/xunit_control_characters mocha control.spec.js --reporter xunit \
    --reporter-option "output=$out/malformed/xunit_control_characters.xml"
