#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
pypi robotframework==7.5

# The status is the number of failed tests.
run 4 basic robot --output "$work/output.xml" --log NONE --report NONE --xunit "$out/basic.xml" suites
# A rerun of the failed tests, merged into the first output.
run 3 rerun robot --rerunfailed "$work/output.xml" --output "$work/rerun.xml" --log NONE --report NONE suites
run 3 rerun_merged python -m robot.rebot --merge --log NONE --report NONE --xunit "$out/rerun_merged.xml" \
    "$work/output.xml" "$work/rerun.xml"
