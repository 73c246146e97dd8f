#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian lua-busted
busted --version >"$out/version.log"

run 1 basic busted --no-sort -o TAP spec/basic_spec.lua
run 1 basic.junit busted --no-sort -o junit -Xoutput "$out/basic.xml" spec/basic_spec.lua
run 1 load_error busted -o junit -Xoutput "$out/load_error.xml" spec/broken_spec.lua
