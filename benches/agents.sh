#!/usr/bin/env bash
# Task graphs whose tasks do nothing: maestro and LangGraph in one run. benches/agents.sh [FOLDER for what is installed]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${1:-${MAESTRO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/maestro-bench}}/langgraph
if [ ! -x "$cache/bin/python" ]; then
    python3 -m venv "$cache"
    "$cache/bin/pip" install --quiet 'langgraph==1.2.*' 'langgraph-checkpoint-sqlite'
fi
cd "$root"
cargo bench --quiet --features bench --bench agents
"$cache/bin/python" benches/agents.py
