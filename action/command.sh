#!/usr/bin/env bash
# Runs one command of maestro: words of INPUT_COMMAND, then each line of INPUT_ARGS as one argument. Nothing is evaluated.
# Bash 3.2 (macOS) runs it too.
set -euo pipefail

words=()
read -r -a words <<<"$INPUT_COMMAND" || true
while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    [ -z "$line" ] || words[${#words[@]}]=$line
done <<<"$INPUT_ARGS"
exec "$MAESTRO" ${words[@]+"${words[@]}"}
