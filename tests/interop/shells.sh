#!/usr/bin/env bash
# bash, zsh and fish parse our completions, and mandoc our manual pages.
# inputs: src/cli docs/reference/cli.md tests/interop/lib.bash
# time: quick
set -euo pipefail
source "$(dirname "$0")/lib.bash"
debian zsh zsh
debian fish fish
debian mandoc mandoc
binary=$(maestro)
for shell in bash zsh fish; do
    "$binary" util completions "$shell" >"$work/completions.$shell"
    "$shell" -n "$work/completions.$shell"
    echo "$shell parses its completions"
done
# Every command that the reference has, and maestro itself.
mapfile -t pages < <(sed -n 's/^## `maestro \(.*\)`$/\1/p' "$root/docs/reference/cli.md")
[ "${#pages[@]}" -gt 60 ] || { echo "only ${#pages[@]} commands were found"; exit 1; }
pages+=("")
for page in "${pages[@]}"; do
    # shellcheck disable=SC2086 # a command is words
    "$binary" util man $page >"$work/page.1"
    mandoc -T lint -W error "$work/page.1"
done
echo "mandoc accepts ${#pages[@]} manual pages"
