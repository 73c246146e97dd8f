#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian g++ libboost-test-dev
dpkg-query -W -f 'libboost-test-dev ${Version}\n' libboost-test-dev >"$out/version.log"
g++ -std=c++17 -O0 basic.cpp -o "$work/basic"

run 201 basic "$work/basic" --logger="JUNIT,error,$out/basic.xml"
