#!/usr/bin/env bash
# How fast maestro reads and stores test reports, next to other readers of JUnit XML.
#
#   A  one file of 1,000,000 cases: `flakes ingest` into a fresh folder, then `flakes report` from it
#   B  10,000 files of 10 cases in one folder
#   C  `--version` and `--help`: what a start costs
#
# Every result is checked: maestro must count what the generator wrote, and the report must count
# what was ingested. The counts of the others are printed when they differ. Peers only read and
# count; maestro also takes secrets out and writes its state. Programs take turns in every round, so
# that a busy moment of the machine meets all of them.
#
# Repeat with, from the checkout:
#
#   cargo build --release && benches/ingest.sh >> docs/benchmarks.md  (and drop the older figures)
#
# Needs Linux with python3 (venv), cargo, and the Debian packages time, hyperfine and ripgrep. The
# first run installs the peers with pip and cargo. Progress goes to standard error. Options:
#
#   BENCH_MAESTRO  the binary           [${CARGO_TARGET_DIR:-target}/release/maestro]
#   BENCH_WORK     where peers, reports and state are kept; about 400 MB, outside the checkout
#                                       [${TMPDIR:-/tmp}/maestro-bench]
#   BENCH_PARTS    which parts to run   [A B C]
#   BENCH_CASES    cases in A [1000000]      BENCH_FILES   files in B [10000]
#   BENCH_RUNS_A   runs of maestro [5]       BENCH_RUNS_PEER  runs of a peer in A [3];
#                                            one that takes over BENCH_SLOW seconds [10] runs once
#   BENCH_RUNS_B   runs of each [5]          BENCH_RUNS_C  runs of each, a multiple of 10 [60]
#
# shellcheck disable=SC2016  # backquotes of Markdown in single quotes
set -eu
set -o pipefail
export LC_ALL=C

checkout=$(cd "$(dirname "$0")/.." && pwd -P)
maestro=${BENCH_MAESTRO:-${CARGO_TARGET_DIR:-$checkout/target}/release/maestro}
parts=${BENCH_PARTS:-A B C}
cases=${BENCH_CASES:-1000000}
files=${BENCH_FILES:-10000}
runs_a=${BENCH_RUNS_A:-5}
runs_peer=${BENCH_RUNS_PEER:-3}
slow=${BENCH_SLOW:-10}
runs_b=${BENCH_RUNS_B:-5}
runs_c=${BENCH_RUNS_C:-60}

# Nothing of the user's settings may reach the program that is measured.
for name in "${!MAESTRO_@}"; do unset "$name"; done
unset name

say() { printf '%s\n' "$*" >&2; }
die() {
    say "ingest.sh: $*"
    exit 1
}

for need in cargo python3 time hyperfine rg; do
    type -P "$need" >/dev/null || die "$need is missing; see the head of this file"
done
[ -x "$maestro" ] || die "no release binary: run \`cargo build --release\`, or set BENCH_MAESTRO"

mkdir -p "${BENCH_WORK:=${TMPDIR:-/tmp}/maestro-bench}"
work=$(cd "$BENCH_WORK" && pwd -P)
case $work/ in "$checkout"/*) die "BENCH_WORK must lie outside the checkout" ;; esac
# State would go into a git repository around it.
export GIT_CEILING_DIRECTORIES=${work%/*}
raw=$work/raw
rm -rf "$raw" "$work/state"
mkdir -p "$raw"

# A copy, so that a build in the meantime does not change what is measured.
cp "$maestro" "$work/maestro"
maestro=$work/maestro

# ---- peers and reports -----------------------------------------------------------------------------

python=$work/venv/bin/python
if ! "$python" -c 'import lxml, junitparser, test_results_parser' 2>/dev/null; then
    say "installing Python peers"
    python3 -m venv --clear "$work/venv"
    "$python" -m pip install -q --disable-pip-version-check lxml junitparser test-results-parser >&2
fi
say "building Rust peers"
(cd "$checkout/benches/peers" && CARGO_TARGET_DIR=$work/target cargo build -q --release --locked)
peers=$work/target/release/peers
count=$checkout/benches/peers/count.py
generator=$checkout/benches/gen_junit.py

cd "$work"

# generate NAME ARGUMENTS...: reports NAME and their counts NAME.json, unless there from this generator.
generate() {
    local name=$1 stamp
    shift
    stamp="$(cksum <"$generator") $*"
    if [ "$(cat "$name.stamp" 2>/dev/null)" != "$stamp" ]; then
        say "writing $name"
        rm -rf "$name"
        python3 -B "$generator" "$name" "$@" >"$name.json"
        printf '%s' "$stamp" >"$name.stamp"
    fi
}

# ---- measuring -------------------------------------------------------------------------------------

# measure NAME COMMAND...: adds "wall cpu rss" (s, s, KiB) to raw/NAME; output in raw/NAME.out.
measure() {
    local name=$1 wall user system
    local TIMEFORMAT='%3R %3U %3S'
    shift
    { time env time -q -f %M -o "$raw/rss" "$@" >"$raw/$name.out" 2>"$raw/$name.err"; } 2>"$raw/clock" || {
        cat "$raw/$name.err" >&2
        die "$name failed: $*"
    }
    read -r wall user system <"$raw/clock"
    awk -v w="$wall" -v u="$user" -v s="$system" '{ print w, u + s, $1 }' "$raw/rss" >>"$raw/$name"
    say "  $name $(tail -n 1 "$raw/$name")"
}

# peer NAME ROUND COMMAND...: like measure, but a slow peer runs once and none more often than asked.
peer() {
    local name=$1 round=$2
    shift 2
    [ "$round" -le "$runs_peer" ] || return 0
    if [ "$round" -gt 1 ] && awk -v s="$slow" 'NR == 1 { exit !($1 > s) }' "$raw/$name"; then return 0; fi
    measure "$name" "$@"
}

# totals NAME: "cases passed failed skipped attempts" of a JSON result of maestro.
totals() {
    "$python" -c '
import json, sys
totals = json.load(sys.stdin)["totals"]
print(*(totals[key] for key in ("cases", "passed", "failed", "skipped", "attempts")))' <"$raw/$1.out"
}

# written NAME: the same of what the generator wrote. A skipped case is no attempt, a flaky one two.
written() {
    "$python" -c '
import json, sys
c = json.load(sys.stdin)
print(c["cases"], c["passed"], c["failed"], c["skipped"], c["cases"] - c["skipped"] + c["flaky"])' <"$1.json"
}

same() { [ "$2" = "$3" ] || die "$1: counted \"$2\" (cases passed failed skipped attempts), not \"$3\""; }

# column NAME FIELD: the median and the least of a field of raw/NAME.
column() {
    awk -v f="$2" '{ print $f }' "$raw/$1" | sort -n |
        awk '{ v[NR] = $1 } END { h = int((NR + 1) / 2); print NR % 2 ? v[h] : (v[h] + v[h + 1]) / 2, v[1] }'
}
median() { column "$1" "$2" | cut -d' ' -f1; }

# ratio NAME BASE FIELD: the median of NAME to BASE within a round. A peer may run in the first rounds only.
ratio() {
    paste -d' ' <(awk -v f="$3" '{ print $f }' "$raw/$1") <(awk -v f="$3" '{ print $f }' "$raw/$2") |
        awk 'NF == 2 { print $1 / ($2 > 0 ? $2 : 0.001) }' >"$raw/ratios"
    median ratios 1
}

# peak NAME: the greatest RSS in MB of all runs.
peak() { awk '$3 > m { m = $3 } END { printf "%.0f", m * 1024 / 1e6 }' "$raw/$1"; }

# row NAME BASE EXPECTED LABEL: a row of a table; ratios to BASE.
row() {
    local counted='same'
    if [ -n "$3" ] && [ "$(cat "$raw/$1.out")" != "$3" ]; then counted=$(cat "$raw/$1.out"); fi
    awk -v label="$4" -v runs="$(wc -l <"$raw/$1")" -v wall="$(column "$1" 1)" -v cpu="$(column "$1" 2)" \
        -v rwall="$(ratio "$1" "$2" 1)" -v rcpu="$(ratio "$1" "$2" 2)" -v rss="$(peak "$1")" -v counted="$counted" '
        BEGIN {
            split(wall, w, " "); split(cpu, c, " ")
            printf "| %s | %.2f (%.2f) | %.2f | %.2f (%.2f) | %.2f | %s | %d | %s |\n", label, \
                w[1], w[2], rwall, c[1], c[2], rcpu, rss, runs, counted
        }'
}

head_row() {
    echo '| program | wall s | ratio | CPU s | ratio | RSS MB | runs | cases failed skipped |'
    echo '|---|---:|---:|---:|---:|---:|---:|---|'
}

# limit LABEL VALUE MOST UNIT: a row of the table of limits, kept for the end.
limit() {
    awk -v l="$1" -v v="$2" -v m="$3" -v u="$4" \
        'BEGIN { printf "| %s | %s %s | %s %s | %s |\n", l, v, u, m, u, v + 0 <= m + 0 ? "yes" : "**no**" }' >>"$raw/limits"
}

version() { "$python" -c 'import importlib.metadata as m, sys; print(m.version(sys.argv[1]))' "$1"; }
locked() { awk -v n="\"$1\"" '$1 == "name" { hit = $3 == n } hit && $1 == "version" { gsub(/"/, "", $3); print $3 }' "$checkout/benches/peers/Cargo.lock"; }

# ---- the parts -------------------------------------------------------------------------------------

part_a() {
    local round expected
    generate one.xml "$cases"
    cat one.xml >/dev/null
    for round in $(seq "$runs_a"); do
        say "A, round $round"
        rm -rf state
        measure a-ingest "$maestro" flakes ingest --dir state --format json one.xml
        same 'A, ingest' "$(totals a-ingest)" "$(written one.xml)"
        measure a-report "$maestro" flakes report --dir state --format json
        same 'A, report' "$(totals a-report)" "$(totals a-ingest)"
        peer a-quick-xml "$round" "$peers" quick-xml one.xml
        peer a-quick-junit "$round" "$peers" quick-junit one.xml
        peer a-codecov "$round" "$python" "$count" test-results-parser one.xml
        peer a-lxml "$round" "$python" "$count" lxml-iterparse one.xml
    done
    expected=$(written one.xml | cut -d' ' -f1,3,4)
    printf '\n## A: one file, %s cases, %s MB\n\n' "$cases" "$(($(wc -c <one.xml) / 1000000))"
    head_row
    row a-ingest a-ingest '' '`maestro flakes ingest`: read, redacted, stored'
    row a-report a-ingest '' '`maestro flakes report --format json`: a second process, from what was stored'
    row a-quick-xml a-ingest "$expected" "quick-xml $(locked quick-xml), bare pass over the events"
    row a-quick-junit a-ingest "$expected" "quick-junit $(locked quick-junit), \`Report::deserialize\`"
    row a-codecov a-ingest "$expected" "test-results-parser $(version test-results-parser) (Codecov)"
    row a-lxml a-ingest "$expected" "lxml $(version lxml), \`iterparse\`"
    printf '\nThe stored state takes %s MB.\n' "$(du -sb state | awk '{ printf "%.1f", $1 / 1e6 }')"
    limit 'A, ingest: wall, median' "$(printf %.2f "$(median a-ingest 1)")" 4 s
    limit 'A, ingest: RSS, most' "$(peak a-ingest)" 250 MB
    limit 'A, report: RSS, most' "$(peak a-report)" 250 MB
}

part_b() {
    local round expected
    generate many 10 "$files"
    cat many/* >/dev/null
    for round in $(seq "$runs_b"); do
        say "B, round $round"
        rm -rf state
        measure b-ingest "$maestro" flakes ingest --dir state --format json many
        same 'B, ingest' "$(totals b-ingest)" "$(written many)"
        measure b-junitparser "$python" "$count" junitparser-folder many
        measure b-lxml "$python" "$count" lxml-folder many
    done
    "$maestro" flakes report --dir state --format json >"$raw/b-report.out"
    same 'B, report' "$(totals b-report)" "$(totals b-ingest)"
    expected=$(written many | cut -d' ' -f1,3,4)
    printf '\n## B: %s files of 10 cases\n\n' "$files"
    head_row
    row b-ingest b-ingest '' '`maestro flakes ingest`: read, redacted, stored'
    row b-junitparser b-ingest "$expected" "junitparser $(version junitparser) (on lxml)"
    row b-lxml b-ingest "$expected" "lxml $(version lxml), a tree a file"
    limit 'B, ingest: wall, median' "$(printf %.2f "$(median b-ingest 1)")" 1.5 s
}

part_c() {
    local round name
    local names=(version help rg true)
    for round in $(seq $((runs_c / 10))); do
        say "C, round $round"
        hyperfine -N --style none --warmup 2 --runs 10 --export-json "$raw/c-$round.json" \
            "$maestro --version" "$maestro --help" 'rg --version' "$(type -P true)" >/dev/null 2>&1 ||
            die 'hyperfine failed'
    done
    # The CPU of a round is the mean of its ten runs: one run is too short for the clock.
    "$python" - "$raw" "${names[@]}" <<'PYTHON'
import glob, json, sys
raw, *names = sys.argv[1:]
for path in sorted(glob.glob(f"{raw}/c-*.json")):
    for name, result in zip(names, json.load(open(path))["results"]):
        with open(f"{raw}/c-{name}.wall", "a") as out:
            out.writelines(f"{seconds * 1000}\n" for seconds in result["times"])
        with open(f"{raw}/c-{name}.cpu", "a") as out:
            out.write(f"{(result['user'] + result['system']) * 1000}\n")
PYTHON
    measure c-version-once "$maestro" --version
    measure c-help-once "$maestro" --help
    measure c-rg-once rg --version
    measure c-true-once "$(type -P true)"
    printf '\n## C: a start\n\n'
    echo '| program | CPU ms | ratio | wall ms | ratio | RSS MB | runs |'
    echo '|---|---:|---:|---:|---:|---:|---:|'
    local labels=('`maestro --version`' '`maestro --help`' "\`rg --version\` ($(rg --version | awk 'NR == 1 { print $2 }'))" '`true`')
    local i
    for i in 0 1 2 3; do
        name=${names[i]}
        awk -v label="${labels[i]}" -v cpu="$(column "c-$name.cpu" 1)" -v wall="$(column "c-$name.wall" 1)" \
            -v rcpu="$(ratio "c-$name.cpu" c-version.cpu 1)" -v rwall="$(ratio "c-$name.wall" c-version.wall 1)" \
            -v rss="$(awk '{ printf "%.1f", $3 * 1024 / 1e6 }' "$raw/c-$name-once")" -v runs="$(wc -l <"$raw/c-$name.wall")" '
            BEGIN {
                split(wall, w, " "); split(cpu, c, " ")
                printf "| %s | %.2f (%.2f) | %.2f | %.2f (%.2f) | %.2f | %s | %d |\n", label, \
                    c[1], c[2], rcpu, w[1], w[2], rwall, rss, runs
            }'
    done
    printf '\nCPU: median (least) of rounds of ten runs, warm.\n'
    limit 'C, `--version`: CPU, median' "$(printf %.2f "$(median c-version.cpu 1)")" 2.5 ms
    limit 'C, `--help`: CPU, median' "$(printf %.2f "$(median c-help.cpu 1)")" 2.5 ms
}

# ---- the page --------------------------------------------------------------------------------------

: >"$raw/limits"
cat <<TEXT
# Reading and storing reports, measured

Printed by \`benches/ingest.sh\`; how to repeat it stands at its head.

- date: $(date -u +%F)
- machine: $(nproc) cores, $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(awk '/^MemTotal/ { printf "%.0f", $2 * 1024 / 1e9 }' /proc/meminfo) GB; load at the start $(cut -d' ' -f1 /proc/loadavg)
- $("$maestro" --version), $(wc -c <"$maestro" | awk '{ printf "%.1f", $1 / 1e6 }') MB; $(python3 --version); $(rustc --version | cut -d' ' -f1,2); $(hyperfine --version)

Times are medians, with the least in brackets; CPU is user + system; RSS is the most of all runs. A
ratio is to the first row of the table, above 1 is slower than maestro: the median of the ratios of
the rounds that both ran in, as programs take turns and some run in fewer rounds. The last column of A
and B is "same" when the program counted what was written, else what it counted. Peers read and count;
maestro also takes secrets out and stores.
TEXT
for part in $parts; do
    case $part in
        A) part_a ;;
        B) part_b ;;
        C) part_c ;;
        *) die "no part $part" ;;
    esac
done
printf '\n## Limits\n\n| figure | measured | at most | holds |\n|---|---:|---:|---|\n'
cat "$raw/limits"
rm -rf state
