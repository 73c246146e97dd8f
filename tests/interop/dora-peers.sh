#!/usr/bin/env bash
# `dora --definition devlake` comes to what DevLake's own end-to-end tests expect.
# MAESTRO_PEERS: a folder with clones of apache/incubator-devlake, as NAME, OWNER+NAME, or bare at OWNER+NAME/repo.
# inputs: src/delivery src/cli/dora tests/interop/dora_peers.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
[ -n "${MAESTRO_PEERS:-}" ] || skip "MAESTRO_PEERS names no folder with clones of the peers"
binary=${MAESTRO:-$(maestro)}
python3 "$root/tests/interop/dora_peers.py" "$binary" "$MAESTRO_PEERS" "$work"
