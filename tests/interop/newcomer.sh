#!/usr/bin/env bash
# CONTRIBUTING.md's walk-through "add a policy rule", gone with a compiler: what the tests say after each step is what it quotes, and in the end they pass.
# inputs: CONTRIBUTING.md src/policy docs/policy Cargo.toml Cargo.lock tests/interop/newcomer.py tests/interop/mutants.py tests/interop/lib.bash
# time: long
set -euo pipefail
source "$(dirname "$0")/lib.bash"
python3 "$root/tests/interop/newcomer.py" "$root" "$work"
