#!/usr/bin/env bash
# Claude Code and Codex, as they are published, through `maestro gateway` against a scripted provider: they work, a cap stops them, and the
# provider's key is found nowhere near them: no environment, no file, no traffic.
# inputs: src/gateway src/conduct/gateway src/adapters/relay src/cli/gateway src/llm tests/interop/agents.py tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
command -v npm >/dev/null || skip "npm is missing"
binary=${MAESTRO:-}
[ -n "$binary" ] || binary=$(maestro)
agents=$cache/agents
if [ ! -f "$agents/done" ]; then
    mkdir -p "$agents"
    (cd "$agents" && npm install --silent --no-audit --no-fund --no-save \
        @anthropic-ai/claude-code @openai/codex @copilotkit/aimock) >"$work/npm.log" 2>&1 ||
        skip "the agents cannot be installed from npm"
    touch "$agents/done"
fi
python3 "$root/tests/interop/agents.py" "$binary" "$agents/node_modules" "$work"
