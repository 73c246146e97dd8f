#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian cmake make
cmake --version >"$out/version.log"
cmake -S . -B build >"$work/cmake.log" 2>&1 || { tail "$work/cmake.log" >&2; exit 1; }

run 8 basic ctest --test-dir build -E control --output-junit "$out/basic.xml"
rm -f build/*.count
run 8 repeat ctest --test-dir build -R 'flaky|always|passes$' --repeat until-pass:2 --output-junit "$out/repeat.xml"
run 8 control_characters ctest --test-dir build -R 'control|passes$' --output-junit "$out/control_characters.xml"
