#!/usr/bin/env bash
# How much later the first byte of a streamed answer comes through `maestro gateway`: benches/gateway.sh [REQUESTS]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=${MAESTRO:-${CARGO_TARGET_DIR:-$root/target}/release/maestro}
python3 "$root/benches/gateway.py" "$binary" "${1:-500}"
