#!/usr/bin/env bash
# The providers' own Python packages judge every request that we make.
# inputs: fixtures/llm/requests.ndjson tests/interop/requests.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python=$(python_with openai==3.57.0 anthropic==2.14.0)
"$python" "$root/tests/interop/requests.py" "$root/fixtures/llm/requests.ndjson"
