#!/usr/bin/env bash
# A really full disk (a small tmpfs): exit 74, a hint, and what was stored before stays whole.
# inputs: src/state src/adapters src/cli src/error.rs tests/interop/lib.bash
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

# A repository on a disk that is full to the last byte: whatever writes says so, and whatever only reads still answers.
umount "$work/disk"
mount -t tmpfs -o size=4m tmpfs "$work/disk"
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init --quiet "$work/disk"
cd "$work/disk"
echo 'A repository.' >README.md
git add README.md
git commit --quiet --message Begin
"$binary" flakes ingest "$work/small.xml"
dd if=/dev/zero of=filling bs=1k 2>/dev/null || true
dd if=/dev/zero of=filling2 bs=1 2>/dev/null || true
writers=(
    "flakes ingest $work/large.xml"
    "flakes quarantine add first --reason r"
    "budget set --per-pr 5"
    "init"
    "provenance keygen --out new.pem"
    "observe dashboards --out observability"
    "state export --out exported"
    "state pack packed.ndjson"
    "plan --report json=plan.json"
)
for writer in "${writers[@]}"; do
    status=0
    # shellcheck disable=SC2086 # a command is words
    "$binary" $writer >/dev/null 2>"$work/err.txt" || status=$?
    [ "$status" -eq 74 ] || { cat "$work/err.txt"; echo "maestro $writer: exit $status, not 74"; exit 1; }
    grep -q '^hint: ' "$work/err.txt" || { cat "$work/err.txt"; echo "maestro $writer: no hint"; exit 1; }
done
for reader in "flakes report --all" "state verify" "plan --base HEAD" "budget status" "config show" "explain"; do
    # shellcheck disable=SC2086 # a command is words
    "$binary" $reader >/dev/null 2>&1 || { echo "maestro $reader: does not answer on a full disk"; exit 1; }
done
cd "$work"
rm disk/filling disk/filling2
"$binary" -C disk state verify
echo "${#writers[@]} commands that write say that the disk is full; those that read answer"
