#!/usr/bin/env bash
# A really full disk (a small tmpfs): exit 74, a hint, and what was stored before stays whole.
# inputs: src/state src/adapters src/cli/flakes/ingest tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
[ "$(id -u)" = 0 ] || skip "only root may mount a tmpfs"
mkdir "$work/disk"
mount -t tmpfs -o size=256k tmpfs "$work/disk" || skip "a tmpfs cannot be mounted here"
trap 'umount "$work/disk"; rm -rf "$work"' EXIT
binary=$(maestro)
cd "$work"
echo '<testsuite name="s"><testcase name="first"/></testsuite>' >small.xml
{
    echo '<testsuite name="s">'
    for n in $(seq 20000); do echo "<testcase name=\"a_rather_long_name_of_a_test_$n\"/>"; done
    echo '</testsuite>'
} >large.xml
"$binary" flakes ingest --dir disk small.xml
status=0
"$binary" flakes ingest --dir disk large.xml 2>err.txt || status=$?
cat err.txt
[ "$status" -eq 74 ] || { echo "exit $status, not 74"; exit 1; }
grep -q 'hint: the disk is full' err.txt
"$binary" state verify --dir disk
"$binary" flakes report --all --dir disk | grep -q 'first'
echo "a full disk is exit 74, and what was stored is whole"
