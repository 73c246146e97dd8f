#!/usr/bin/env bash
# How the frozen states were made: make.sh MAESTRO FOLDER. Never run it over a folder that is committed: what stands there is what
# was written then, and every later version must read it.
set -euo pipefail
maestro=$1 folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export MAESTRO_NOW=2026-01-05T09:00:00Z
say() { "$maestro" --dir "$work/state" "$@" >/dev/null; }
tests() {
    for number in $(seq "$1" "$2"); do
        echo "<testcase classname=\"net\" name=\"t$number\" time=\"0.$((number % 7))5\"/>"
    done
}
# A whole list, a retry that passed, a skip, a failure, twins.
{
    echo '<testsuites><testsuite name="unit">'
    tests 1 60
    echo '<testcase name="flaky" time="2.5"><flakyFailure message="order 17 timed out after 3000 ms"/></testcase>'
    echo '<testcase name="skipped"><skipped/></testcase>'
    echo '<testcase name="red"><failure message="order 4 timed out after 10 ms"/></testcase>'
    echo '<testcase name="twin"/><testcase name="twin"><error message="no route"/></testcase>'
    echo '</testsuite></testsuites>'
} >a.xml
say flakes ingest a.xml --run 100 --job test --leg linux --commit 1111111111111111111111111111111111111111 --branch main --at 2026-01-01T00:00:00Z
# A list that stands on it, and a partial run.
{
    echo '<testsuites><testsuite name="unit">'
    tests 2 62
    echo '<testcase name="flaky" time="2.5"/><testcase name="skipped"><skipped/></testcase><testcase name="red"/>'
    echo '</testsuite></testsuites>'
} >b.xml
say flakes ingest b.xml --run 101 --attempt 2 --job test --leg linux --commit 2222222222222222222222222222222222222222 --branch topic --at 2026-01-02T00:00:00Z
{ echo '<testsuite name="unit">'; tests 10 20; echo '</testsuite>'; } >c.xml
say flakes ingest c.xml --run 102 --job test --leg linux --branch main --at 2026-01-03T00:00:00.5Z
# A checkpoint: everything takes longer.
sed 's/time="0/time="9/' a.xml >d.xml
say flakes ingest d.xml --run 103 --job test --leg linux --branch main --at 2026-02-01T00:00:00Z
# Something to roll up, and something that comes too late.
echo '{"run":"1","job":"old","at":"2024-03-03T00:00:00Z","suite":"s","test":"t","status":"failed","duration_ms":12}
{"run":"1","job":"old","at":"2024-03-03T00:00:00Z","suite":"s","test":"t","status":"passed","duration_ms":12}' >old.ndjson
say flakes ingest old.ndjson
say state fold
say state compact --local
echo '{"run":"2","job":"old","at":"2024-03-04T00:00:00Z","suite":"s","test":"t","status":"failed"}' >late.ndjson
say flakes ingest late.ndjson
say state fold
mkdir -p "$folder"
cp -r "$work/state/segments/." "$folder"
MAESTRO_FORMAT=json "$maestro" --dir "$work/state" flakes report --all >"$folder/report.json"
