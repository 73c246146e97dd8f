#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian golang-go gotestsum
go version >"$out/version.log"
dpkg-query -W -f '${Package} ${Version}\n' gotestsum >>"$out/version.log"
export GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOCACHE="$work/go-cache" GOPATH="$work/go" GO111MODULE=on

run 1 basic gotestsum --format standard-verbose --no-color --junitfile "$out/basic.xml" -- -p 1 -count=1 . ./sub ./panics
run 1 reruns gotestsum --format standard-verbose --no-color --rerun-fails=2 --packages ./flaky --junitfile "$out/reruns.xml" -- -p 1 -count=1
run 2 build_error gotestsum --format standard-verbose --no-color --junitfile "$out/build_error.xml" -- -p 1 -count=1 ./broken ./sub
run 1 short_names gotestsum --format standard-verbose --no-color --junitfile "$out/short_names.xml" \
    --junitfile-testsuite-name short --junitfile-testcase-classname relative -- -p 1 -count=1 . ./sub
