#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
pypi behave==1.3.3

run 1 basic behave --no-color --junit --junit-directory "$work/reports" features/basic.feature
cp "$work/reports/TESTS-basic.xml" "$out/basic.xml"
# Not well-formed XML.
mkdir -p "$out/malformed"
run 1 malformed/control_characters behave --no-color --junit --junit-directory "$work/reports" \
    features/control.feature
cp "$work/reports/TESTS-control.xml" "$out/malformed/control_characters.xml"
