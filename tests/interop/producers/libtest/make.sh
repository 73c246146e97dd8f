#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
have cargo rustc || skip "needs cargo and rustc"
export CARGO_TARGET_DIR="$work/target" CARGO_TERM_COLOR=never CARGO_NET_OFFLINE=true RUSTC_BOOTSTRAP=1
rustc --version >"$out/version.log"

# junit STATUS NAME ARGUMENT... : standard output only, cargo's own lines go to standard error
junit() {
    junit_status=$1 junit_name=$2
    shift 2
    # shellcheck disable=SC2016
    run "$junit_status" "$junit_name" sh -c 'to=$1; shift; exec "$@" >"$to"' sh "$out/$junit_name.xml" \
        cargo test "$@" --no-fail-fast -- -Z unstable-options --format junit --test-threads=1
}
junit 101 unit --lib
junit 101 integration --test integration
junit 0 doc --doc

mkdir -p "$out/several" "$out/malformed"
# A document for each of the test binaries, one after the other, and the same with cargo's lines.
junit 101 several/documents --lib --test integration
run 101 several/mixed cargo test --lib --test integration --no-fail-fast -- \
    -Z unstable-options --format junit --test-threads=1
mv "$out/several/mixed.log" "$out/several/mixed.txt"
junit 101 malformed/control_characters --test control
