#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
have cargo cargo-nextest || skip "needs cargo and cargo-nextest"
export CARGO_TARGET_DIR="$demo/target" CARGO_TERM_COLOR=never CARGO_NET_OFFLINE=true NEXTEST_SHOW_PROGRESS=none
cargo nextest --version >"$out/version.log"

junit() {
    junit_status=$1 junit_name=$2 junit_profile=$3
    shift 3
    rm -f ./*.count "$demo/target/nextest/$junit_profile/junit.xml"
    run "$junit_status" "$junit_name" cargo nextest run --profile "$junit_profile" "$@"
    cp "$demo/target/nextest/$junit_profile/junit.xml" "$out/$junit_name.xml"
}
junit 100 basic default
junit 100 retries retries -E 'kind(test) - test(=times_out)'
junit 100 flaky_fail flaky-fail -E 'test(flaky) + test(always) + binary(integration) & test(=passes)'
junit 100 all_output all-output --lib
# A failed iteration does not make this fail.
junit 0 stress default --stress-count 2 -E 'test(flaky) + binary(integration) & test(=passes)'
# Setup scripts, and tests that did not run.
junit 0 setup_scripts default --config-file scripts.toml --lib -E 'test(nested) + test(is_ignored) + test(=tests::passes)'
junit 105 setup_script_failed broken --config-file scripts.toml --lib
