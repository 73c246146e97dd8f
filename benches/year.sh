#!/usr/bin/env bash
# How large a year of test runs is on the state branch, and whether the state answers as the raw data do.
#
#   benches/year.sh [DAYS] [MODE...]        (365 days; modes: anywhere chronic)
#
# 100 runs a day, 3 jobs, 10,000 tests, 50 unexpected results a run, 500 branches, 1 % of the tests replaced a week. The runs are
# encoded by the same code as `flakes ingest`, and pushed and folded by the real binary into a real bare remote, once a week.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
days=${1:-365}
shift || true
modes=("${@:-anywhere}")
[ $# -gt 0 ] || modes=(anywhere chronic)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
cargo build --quiet --release --locked
MAESTRO=${CARGO_TARGET_DIR:-target}/release/maestro
MAESTRO=$(realpath "$MAESTRO")
export MAESTRO
year() { cargo bench --quiet --locked --features bench --bench year -- "$@"; }

packed() {
    git -C "$1" gc --quiet --prune=now
    git -C "$1" count-objects -v | awk '/size-pack/ { printf "%.1f MB", $2 * 1024 / 1e6 }'
}

for mode in "${modes[@]}"; do
    begin=$SECONDS
    git init --quiet --bare "$work/$mode.git"
    git init --quiet "$work/$mode"
    git -C "$work/$mode" remote add origin "$work/$mode.git"
    echo "unexpected results: $mode, $days days"
    year write "$work/$mode" "$mode" "$days" 7
    echo "written in $((SECONDS - begin)) s"
    echo "remote with every weekly commit, packed: $(packed "$work/$mode.git")"
    git clone --quiet --bare --depth=1 --branch=maestro-state "file://$work/$mode.git" "$work/$mode-tip.git"
    echo "newest commit alone, packed: $(packed "$work/$mode-tip.git")"
    git -C "$work/$mode-tip.git" ls-tree -r -l maestro-state | awk '{ split($5, p, "/"); size[p[3]] += $4 } END { for (kind in size) printf "  %s: %.1f MB of lines\n", kind, size[kind] / 1e6 }'
    "$MAESTRO" -C "$work/$mode" state pull -q
    year check "$work/$mode" "$mode" "$days" 1000
done
