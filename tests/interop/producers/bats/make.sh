#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian bats
bats --version >"$out/version.log"


# bats does not wait for the program that writes the report.
junit() {
    junit_name=$1
    shift
    rm -f ./*.count "$work/report.xml"
    run 1 "$junit_name" bats --formatter tap --report-formatter junit -o "$work" "$@"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! tail -n 1 "$work/report.xml" | grep -q '</testsuites>' || break
        sleep 0.5
    done
    cp "$work/report.xml" "$out/$junit_name.xml"
}
junit basic -r basic.bats nested
junit retries flaky.bats
junit broken_setup_file broken.bats
mkdir -p "$out/malformed"
junit malformed/control_characters control.bats
