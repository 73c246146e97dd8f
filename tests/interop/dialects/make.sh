#!/bin/sh
# make.sh OUTDIR: runs the sources of the JUnit producers again with the forms that the runners themselves write.
#
# The reports in fixtures/dialects were made by it; what differs between two runs stays in them. A tool that is missing is
# named as skipped.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }
sources=$(CDPATH='' cd -- "$(dirname -- "$0")/../producers" && pwd -P)
mkdir -p -- "$1"
out=$(CDPATH='' cd -- "$1" && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/maestro-dialects.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
unset CI GITHUB_ACTIONS RUST_BACKTRACE || true

# tool NAME PROGRAM...: a copy of the tool's sources is the current folder, and its reports go to $to
tool() {
    name=$1
    shift
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 || { echo "SKIPPED $name: needs $program" >&2; return 1; }
    done
    rm -rf -- "$work/demo"
    cp -R -- "$sources/$name/src" "$work/demo"
    cd -- "$work/demo"
    # Where the packages of Node.js are.
    [ -z "${MAESTRO_NODE_MODULES:-}" ] || ln -s -- "$MAESTRO_NODE_MODULES" node_modules
    to=$out/$name
    mkdir -p -- "$to"
}

if tool gotestsum go gotestsum; then
    export GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOCACHE="$work/go-cache" GOPATH="$work/go"
    gotestsum --jsonfile "$to/basic.json" -- -p 1 -count=1 . ./sub ./panics >/dev/null 2>&1 || true
    gotestsum --rerun-fails=2 --packages ./flaky --jsonfile "$to/reruns.json" -- -p 1 -count=1 >/dev/null 2>&1 || true
    go test -json -p 1 -count=1 ./broken ./sub >"$to/build_error.json" 2>&1 || true
fi
if tool libtest cargo; then
    export CARGO_TARGET_DIR="$work/target" CARGO_NET_OFFLINE=true RUSTC_BOOTSTRAP=1
    for part in 'unit --lib' 'integration --test integration' 'doc --doc'; do
        # shellcheck disable=SC2086
        set -- $part
        json=$to/$1.json
        shift
        cargo test "$@" -- -Z unstable-options --format json --test-threads=1 >"$json" 2>/dev/null || true
    done
fi
if tool jest jest; then
    jest --runInBand --json --outputFile="$to/basic.json" basic.test.js >/dev/null 2>&1 || true
    jest --runInBand --json --outputFile="$to/retry.json" flaky.test.js >/dev/null 2>&1 || true
    jest --runInBand --json --outputFile="$to/suite_error.json" broken.test.js >/dev/null 2>&1 || true
fi
if tool vitest vitest; then
    vitest run --reporter=json --outputFile="$to/basic.json" basic.test.js >/dev/null 2>&1 || true
    vitest run --reporter=json --outputFile="$to/suite_error.json" broken.test.js >/dev/null 2>&1 || true
fi
if tool playwright playwright; then
    PLAYWRIGHT_JSON_OUTPUT_NAME="$to/basic.json" playwright test --workers=1 --reporter=json basic.spec.js >/dev/null 2>&1 || true
    PLAYWRIGHT_JSON_OUTPUT_NAME="$to/retries.json" playwright test --workers=1 --retries=1 --reporter=json flaky.spec.js \
        >/dev/null 2>&1 || true
fi
if tool node node; then
    node --test --test-reporter=tap basic.test.mjs >"$to/basic.tap" 2>/dev/null || true
fi
if tool ctest cmake ctest; then
    cmake -S . -B build >/dev/null
    ctest --test-dir build -E control -T Test >/dev/null 2>&1 || true
    cp build/Testing/2*/Test.xml "$to/basic.xml"
fi
if tool boost g++ && [ -e /usr/include/boost/test/unit_test.hpp ]; then
    g++ -std=c++17 -O0 basic.cpp -o "$work/basic"
    "$work/basic" --logger="XML,all,$to/basic.xml" >/dev/null 2>&1 || true
fi
# The folder that the tests ran in, as the other fixtures have it.
modules=${MAESTRO_NODE_MODULES:-/nowhere}
find "$out" -type f -exec sed -i "s#$modules#/checkout/node_modules#g; s#$work/demo#/checkout#g; s#$work#/elsewhere#g; s#$(hostname)#runner#g" {} +
