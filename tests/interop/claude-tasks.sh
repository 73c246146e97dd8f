#!/usr/bin/env bash
# Claude Code, as it is published, does the work of `run-agents` on three exercises of the corpus, shut in, behind the gateway; a scripted provider
# gives it the solution only after its own run of the real tests has failed.
# inputs: src/agents src/conduct src/gateway src/adapters src/cli/run_agents src/llm prompts tests/interop/claude_tasks.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
tasks=${MAESTRO_CORPUS:-}/tasks/exercism-rust
[ -d "$tasks" ] || skip "MAESTRO_CORPUS is not set"
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
python3 "$root/tests/interop/claude_tasks.py" "$binary" "$agents/node_modules" "$tasks" "$work"
