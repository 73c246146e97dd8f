#!/usr/bin/env bash
# How long the plan's job and the gate take in a repository: every run a process of its own, as in CI.
#
#   benches/gate.sh REPOSITORY [RUNS]                    (default: 40 runs)
#
# The repository is cloned, and gets a configuration on `main` and a branch that changes twenty of its files. What counts is the 95th percentile; the targets
# are 20 s for the plan and 15 s for the gate, on a repository of 1 GB. GitHub is not asked: a request of it takes as long as the network.
# MAESTRO names a binary that is there already.
set -euo pipefail
repository=$(realpath "$1") runs=${2:-40}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${MAESTRO:-}" ]; then
    cargo build --quiet --release --locked
    MAESTRO=$(realpath "${CARGO_TARGET_DIR:-target}/release/maestro")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 benches/gate.py "$MAESTRO" "$repository" "$work" "$runs"
