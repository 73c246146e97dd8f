#!/usr/bin/env bash
# llmock judges `budget call`: every fault that it can inject, over three protocols, streaming or not; none may be a failure or a warning.
# inputs: src/llm src/conduct/model.rs src/adapters/model.rs src/cli/budget/call.rs tests/interop/llmock.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with llmock==0.2.2)
binary=${MAESTRO_BINARY:-$(maestro)}
cd "$work"
"$python" "$root/tests/interop/llmock.py" "$binary"
