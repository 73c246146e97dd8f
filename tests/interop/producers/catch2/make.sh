#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian g++ catch2
dpkg-query -W -f 'catch2 ${Version}\n' catch2 >"$out/version.log"
g++ -std=c++17 basic.cc -o "$work/basic"

run 7 basic "$work/basic" '~[control]~[.]'
run 7 basic.junit "$work/basic" '~[control]~[.]' -r junit -o "$out/basic.xml"
run 2 control_characters "$work/basic" '[control],[plain]' -r junit -d yes -n 'demo <&> suite' \
    -o "$out/control_characters.xml"
