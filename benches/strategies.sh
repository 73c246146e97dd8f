#!/usr/bin/env bash
# How many CI jobs can write shared state into one git repository at once, and what it costs:
# the usual ways beside maestro's.
#
#   1  one JSON file: commit, push, on reject `git pull --rebase` and push again
#   2  one JSON file: take the tip, apply a pure function, commit, push, from the start on reject
#   3  one JSONL file with `merge=union`, rebased as in 1
#   4  one file an event, rebased as in 1
#   5  one ref an event, and one fold of all refs into a branch at the end
#   6  the loop of github-action-benchmark, which retries ten times; also with twelve writers
#   7  `maestro flakes ingest` and `maestro state push`, and one `maestro state fold` at the end
#
# What is present at the end is read from the bare repository; no writer's word is taken for it.
# Everything lies in a fresh temporary folder, is reached over file:// and is removed at the end.
#
# Repeat with, from the checkout:
#
#   cargo build --release && benches/strategies.sh
#
# Needs Linux with git 2.32 and Python 3.10. The table goes to standard output, progress to standard
# error. Arguments are passed on to strategies.py (`--help` lists them) and win over these:
#
#   MAESTRO           the binary; without one, 7 is skipped
#                                   [${CARGO_TARGET_DIR:-target}/release/maestro]
#   BENCH_STRATEGIES  which to run  [1 2 3 4 5 6 7]
#   BENCH_WRITERS     writers [8]           BENCH_UPDATES   updates of each [5]
#   BENCH_IN_STEP     1: nobody begins an update before all ended theirs, so that each round is one
#                     crowd; else a writer that got through goes on at once while others back off
#   BENCH_TRIES       most tries of an update [50]
#   BENCH_DEADLINE    seconds after which an update is not tried again [120]
#   BENCH_PAUSE       the first back-off at most, s; doubles with each try [0.1]
#   BENCH_PAUSE_MOST  no back-off is longer, s [2]
set -eu
export LC_ALL=C

checkout=$(cd "$(dirname "$0")/.." && pwd -P)
for need in git python3; do
    type -P "$need" >/dev/null || {
        printf 'strategies.sh: %s is missing\n' "$need" >&2
        exit 1
    }
done

read -ra strategies <<<"${BENCH_STRATEGIES:-1 2 3 4 5 6 7}"
# Python takes the place of this shell, so that a signal reaches the one that has to clean up.
exec python3 -B "$checkout/benches/strategies.py" \
    --maestro "${MAESTRO:-${CARGO_TARGET_DIR:-$checkout/target}/release/maestro}" \
    --strategies "${strategies[@]}" \
    ${BENCH_IN_STEP:+--in-step} --writers "${BENCH_WRITERS:-8}" --updates "${BENCH_UPDATES:-5}" \
    --tries "${BENCH_TRIES:-50}" --deadline "${BENCH_DEADLINE:-120}" \
    --pause "${BENCH_PAUSE:-0.1}" --pause-most "${BENCH_PAUSE_MOST:-2}" "$@"
