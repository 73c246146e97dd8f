#!/bin/sh
. "$(dirname -- "$0")/../lib.sh"
debian g++ libgtest-dev
dpkg-query -W -f 'libgtest-dev ${Version}\n' libgtest-dev >"$out/version.log"
for p in basic control latin1; do
    g++ -std=c++17 "$p.cc" -o "$work/$p" -lgtest -lgtest_main -pthread
done

run 1 basic "$work/basic" --gtest_output="xml:$out/basic.xml" --gtest_also_run_disabled_tests
run 1 disabled "$work/basic" --gtest_output="xml:$out/disabled.xml" --gtest_filter='Basic.*Pass*:Basic.*Disabled*:Basic.*Fails'
# Only the last repetition is in the file: the flaky test passes in it.
rm -f ./*.count
run 1 repeat "$work/basic" --gtest_output="xml:$out/repeat.xml" --gtest_filter='Flaky.*:Basic.Passes' --gtest_repeat=2
run 1 control_characters "$work/control" --gtest_output="xml:$out/control_characters.xml"
# Not well-formed XML: not UTF-8.
mkdir -p "$out/malformed"
run 1 malformed/latin1 "$work/latin1" --gtest_output="xml:$out/malformed/latin1.xml"
