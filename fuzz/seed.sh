#!/bin/sh
# Fills corpus/junit with the reports found in the folders that are given, each under its digest.
# A file counts as a report when it names an element or key of a form that is read and is at most 64 KB, the fuzzer's -max_len.
#
#   fuzz/seed.sh fixtures/junit fixtures/dialects [FOLDER...]
set -eu

if [ "$#" -eq 0 ]; then
    echo "usage: $0 FOLDER..." >&2
    exit 2
fi

corpus=$(dirname "$0")/corpus/junit
mkdir -p "$corpus"
names='<(testsuites?|testcase|testrun|TestRun|test-run|test-results|test-suite|assembl(y|ies)|Site)|TAP version|^(not )?ok |"(Action|event|testResults|reportFormat|specs)"'
before=$(find "$corpus" -type f | wc -l)

find "$@" -type f -size -129 | while IFS= read -r file; do
    [ "$(wc -c < "$file")" -le 65536 ] || continue
    # UTF-16 has a zero byte beside each letter; without the zeros both look the same.
    tr -d '\000' < "$file" | LC_ALL=C grep -qE "$names" || continue
    digest=$(git hash-object --no-filters "$file")
    [ -e "$corpus/$digest" ] || cat "$file" > "$corpus/$digest"
done

after=$(find "$corpus" -type f | wc -l)
echo "$((after - before)) new seeds, $after in $corpus"
