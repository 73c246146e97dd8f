#!/bin/sh
# all.sh OUTDIR [TOOL...]: runs the test tools again (all of them when none is named).
#
#   OUTDIR/raw/TOOL    what the tool wrote, and its console output (*.log)
#   OUTDIR/junit/TOOL  the same reports without what differs between two runs
#
# The counts of the new reports are compared with fixtures/junit/TOOL/expected.json.
# A tool that cannot be installed is named as skipped; with MAESTRO_REQUIRE=1 that is a failure.
# With MAESTRO_UPDATE=1 the new reports replace those in fixtures/junit.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 OUTDIR [TOOL...]" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
fixtures=$here/../../../fixtures/junit
mkdir -p -- "$1"
outdir=$(CDPATH='' cd -- "$1" && pwd -P)
shift
if [ $# -eq 0 ]; then
    for make in "$here"/*/make.sh; do
        set -- "$@" "$(basename -- "$(dirname -- "$make")")"
    done
fi

done_tools='' skipped='' failed=''
for tool in "$@"; do
    rm -rf -- "$outdir/raw/$tool" "$outdir/junit/$tool"
    status=0
    "$here/$tool/make.sh" "$outdir/raw/$tool" || status=$?
    if [ "$status" -eq 77 ]; then
        skipped="$skipped $tool"
        continue
    fi
    if [ "$status" -ne 0 ] ||
        ! python3 "$here/normalise.py" "$tool" "$outdir/raw/$tool" "$outdir/junit/$tool"; then
        failed="$failed $tool"
        continue
    fi
    if [ "${MAESTRO_UPDATE:-0}" = 1 ]; then
        mkdir -p -- "$fixtures/$tool"
        (cd -- "$outdir/junit/$tool" && find . -type f) | while IFS= read -r file; do
            mkdir -p -- "$(dirname -- "$fixtures/$tool/$file")"
            cp -- "$outdir/junit/$tool/$file" "$fixtures/$tool/$file"
        done
    fi
    if python3 "$here/check.py" "$fixtures/$tool" "$outdir/junit/$tool"; then
        done_tools="$done_tools $tool"
    else
        failed="$failed $tool"
    fi
done

echo "done:${done_tools:- none}"
[ -z "$skipped" ] || echo "skipped:$skipped"
[ -z "$failed" ] || echo "failed:$failed"
[ -z "$failed" ] || exit 1
if [ -n "$skipped" ] && [ "${MAESTRO_REQUIRE:-0}" = 1 ]; then
    echo "MAESTRO_REQUIRE=1 does not allow to skip a tool" >&2
    exit 1
fi
