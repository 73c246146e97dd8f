#!/usr/bin/env bash
# A thousand short runs behind the gateway, with random sizes, protocols, faults and concurrency: never a pico-dollar above the cap, and never a
# ledger below the provider's bill; every tenth gateway is killed in mid-stream.
# inputs: src/gateway src/conduct/gateway src/conduct/purse.rs src/conduct/purse src/adapters/relay src/cli/gateway src/llm src/budget tests/interop/gateway_runs.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
python3 "$root/tests/interop/gateway_runs.py" "$binary" "$work" "${RUNS:-1000}"
