#!/usr/bin/env bash
# Real test runners run exactly the tests that a shard names: what ran in all shards is what is listed, each once.
# inputs: src/flakes/runners src/plan/shards.rs src/cli/plan/shard tests/interop/plan_runners.py tests/interop/runners.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with pytest==9.2.0)
debian go golang-go
debian npm npm
command -v cargo-nextest >/dev/null || skip "cargo-nextest is missing"
packages=$cache/shard-packages
if [ ! -f "$packages/done" ]; then
    mkdir -p "$packages"
    (cd "$packages" && npm init --yes >/dev/null && npm install --silent jest@30.5.2 vitest@4.1.12) >&2 || skip "npm packages cannot be installed"
    touch "$packages/done"
fi
"$python" "$root/tests/interop/plan_runners.py" "${MAESTRO:-$(maestro)}" "$packages" "$work"
